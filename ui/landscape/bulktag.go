package landscape

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// choiceBar is the form above a list that does something with the chosen rows.
// The template "choice-bar" draws it.
type choiceBar struct {
	Kind    store.TagKind // the value of a box is the kind and the id of its row
	Action  string
	Return  string
	Buttons []choiceButton
}

// choiceButton does something with the chosen rows.
type choiceButton struct {
	Label   string
	Do      string // value of the field "do"; "" for none
	Action  string // "" for that of the form
	Refused string // why the reader may not use it
}

// cleanupAbility is the ability to clean up what belongs to things of a kind.
var cleanupAbility = map[store.TagKind]string{
	store.HostTag: hostKind.ability, store.DatabaseTag: databaseInstanceKind.ability, store.SAPSystemTag: applicationInstanceKind.ability,
}

// newChoiceBar returns the bar above a list; nil if the reader may do nothing
// with its rows.
func newChoiceBar(reader page.Reader, k page.Taggable) *choiceBar {
	refused := reader.WhyRefused(k.Ability)
	c := &choiceBar{Kind: k.Kind, Action: k.Path + "/tags/confirm", Return: reader.BackTo(), Buttons: []choiceButton{
		{Label: "Add tag…", Do: "add", Refused: refused}, {Label: "Remove tag…", Do: "remove", Refused: refused},
	}}
	if ability, ok := cleanupAbility[k.Kind]; ok {
		c.Buttons = append(c.Buttons, choiceButton{Label: "Clean up…", Action: "/cleanup/confirm", Refused: reader.WhyRefused(ability)})
	}
	if !slices.ContainsFunc(c.Buttons, func(b choiceButton) bool { return b.Refused == "" }) {
		return nil
	}
	return c
}

// bulkTagPage asks for the tags that several things get or lose. When the tags
// are known, it says what that changes, and asks whether to do it.
type bulkTagPage struct {
	page.Frame
	Path, Noun  string // of the list, and of one of its things
	Removes     bool
	Return      string
	Failure     string // why nothing was changed
	Fault       string // what is wrong with the tags
	Typed       string
	Chosen      []taggedThing
	Gone        int // how many are not registered any more
	Used        []page.Option
	Suggestions []string

	// The plan; empty until the tags are known.
	Tags      []string
	Change    []taggedThing
	Unchanged []taggedThing
	Unable    []taggedThing
}

// Template implements page.Page.
func (*bulkTagPage) Template() string { return "bulktag" }

// taggedThing is one of the chosen things.
type taggedThing struct {
	Key  string // value of its box
	Link page.Link
	Tags []string
	Why  string // why it cannot get the tags
}

// TagText returns the tags of the thing as a text.
func (t *taggedThing) TagText() string { return strings.Join(t.Tags, ", ") }

// Count counts things of the kind.
func (p *bulkTagPage) Count(things int) string { return page.Count(things, p.Noun, p.Noun+"s") }

// TagWords returns the tags of the plan for a sentence: "tag a", "tags a and b".
func (p *bulkTagPage) TagWords() string { return tagWords(p.Tags) }

// Possible returns the things that the change can be made to.
func (p *bulkTagPage) Possible() []taggedThing { return slices.Concat(p.Change, p.Unchanged) }

func tagWords(tags []string) string {
	if len(tags) == 1 {
		return "tag " + tags[0]
	}
	last := len(tags) - 1
	return "tags " + strings.Join(tags[:last], ", ") + " and " + tags[last]
}

// bulkTagRoutes returns the routes for changing the tags of several things.
func (s *Pages) bulkTagRoutes() []api.Route {
	var routes []api.Route
	for _, k := range []page.Taggable{page.HostTags, page.ClusterTags, page.DatabaseTags, page.SAPSystemTags} {
		access, tokens := auth.Needs(k.Ability), auth.InSets("tags").As("POST /api/v1"+k.Path+"/tags")
		routes = append(routes,
			api.Route{Method: "POST", Path: k.Path + "/tags/confirm", Access: access, Tokens: tokens, Handle: page.ReadForm(s.confirmTags(k))},
			api.Route{Method: "POST", Path: k.Path + "/tags", Access: access, Tokens: tokens, Handle: page.ReadForm(s.changeTags(k))})
	}
	return routes
}

// confirmTags answers POST /hosts/tags/confirm and its like. It changes nothing.
func (s *Pages) confirmTags(k page.Taggable) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, change, err := s.newBulkTagPage(r, k)
		if err != nil {
			return err
		}
		status := http.StatusOK
		if p.Failure == "" && len(change.Add)+len(change.Remove) > 0 {
			if change, err = change.Check(); err != nil {
				p.Fault, status = tagFaults(p.Typed, fault.Fields(err)), http.StatusUnprocessableEntity
			} else {
				p.Tags = slices.Concat(change.Add, change.Remove)
			}
		}
		return s.renderBulkTags(w, r, status, p, change)
	}
}

// changeTags answers POST /hosts/tags and its like. If the tags cannot be
// changed of all things, it changes none and asks again.
func (s *Pages) changeTags(k page.Taggable) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, change, err := s.newBulkTagPage(r, k)
		if err != nil {
			return err
		}
		if p.Failure != "" {
			return s.renderBulkTags(w, r, http.StatusUnprocessableEntity, p, change)
		}
		checked, err := change.Check()
		if err != nil {
			p.Fault = tagFaults(p.Typed, fault.Fields(err))
			return s.renderBulkTags(w, r, http.StatusUnprocessableEntity, p, change)
		}
		outcome, err := s.Store.ChangeTags(r.Context(), page.Actor(r.Context()), checked)
		p.Tags = slices.Concat(checked.Add, checked.Remove)
		switch {
		case fault.Fields(err) != nil:
			p.Failure = "Nothing was changed, because some of these things have changed since they were shown to you. Please check it again."
			return s.renderBulkTags(w, r, http.StatusConflict, p, checked)
		case err != nil:
			return err
		}
		s.SetFlash(w, r, p.news(len(outcome.Changed), len(outcome.Unchanged)))
		http.Redirect(w, r, p.Return, http.StatusSeeOther)
		return nil
	}
}

// newBulkTagPage reads the form. A form without things or with too many is a
// failure of the page.
func (s *Pages) newBulkTagPage(r *http.Request, k page.Taggable) (*bulkTagPage, store.TagChange, error) {
	change := store.TagChange{Kind: k.Kind}
	p := &bulkTagPage{Path: k.Path, Noun: k.Noun, Return: k.Path}
	if back := r.PostForm.Get("return_to"); back != "" {
		p.Return = auth.LocalTarget(back)
	}
	p.Typed = strings.Join(r.PostForm["value"], " ")
	switch r.PostForm.Get("do") {
	case "add":
		p.Frame, change.Add = s.NewFrame(r, "Add tags"), strings.Fields(p.Typed)
	case "remove":
		p.Frame, p.Removes, change.Remove = s.NewFrame(r, "Remove tags"), true, strings.Fields(p.Typed)
	default:
		return nil, change, fmt.Errorf("%w: do is neither add nor remove", page.ErrForm)
	}
	if len(r.PostForm["thing"]) > store.MaxTagged {
		p.Failure = fmt.Sprintf("Choose at most %d %ss at once.", store.MaxTagged, k.Noun)
		return p, change, nil
	}
	for _, key := range table.Unique(r.PostForm["thing"]) {
		kind, id, _ := strings.Cut(key, "/")
		if id, ok := landscape.ParseID[string](id); ok && kind == string(k.Kind) {
			change.IDs = append(change.IDs, id)
		}
	}
	if len(change.IDs) == 0 {
		p.Failure = "Choose at least one " + k.Noun + " first."
	}
	return p, change, nil
}

// renderBulkTags shows the page, with the plan if the tags are known.
func (s *Pages) renderBulkTags(w http.ResponseWriter, r *http.Request, status int, p *bulkTagPage, change store.TagChange) error {
	if err := s.readChosen(r.Context(), p, change); err != nil {
		return err
	}
	if len(p.Chosen) == 0 && status == http.StatusOK {
		status = http.StatusUnprocessableEntity
	}
	return s.Render(w, r, status, p)
}

// readChosen reads the things of a change, and what it would do to each.
func (s *Pages) readChosen(ctx context.Context, p *bulkTagPage, change store.TagChange) error {
	k := taggableOf(change.Kind)
	used := make(map[string]int)
	return s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		p.Seq = v.Seq
		p.CountCritical(v)
		p.Suggestions = suggestedTags(v)
		for _, id := range change.IDs {
			name, err := k.Name(tx, id)
			if _, gone := fault.KindOf(err); gone {
				p.Gone++
				continue
			}
			if err != nil {
				return err
			}
			tags, err := tx.Tags(change.Kind, id)
			if err != nil {
				return err
			}
			thing := taggedThing{Key: string(change.Kind) + "/" + id, Link: page.Link{Name: name, URL: k.Path + "/" + id}}
			for _, tag := range tags {
				thing.Tags = append(thing.Tags, tag.Value)
				used[tag.Value]++
			}
			p.addChosen(thing, tags)
		}
		for _, tag := range table.MostUsed(used) {
			p.Used = append(p.Used, page.Option{Value: tag, Label: tag, Count: used[tag], Chosen: slices.Contains(change.Remove, tag)})
		}
		return nil
	})
}

func taggableOf(kind store.TagKind) page.Taggable {
	all := []page.Taggable{page.HostTags, page.ClusterTags, page.DatabaseTags, page.SAPSystemTags}
	return all[slices.IndexFunc(all, func(k page.Taggable) bool { return k.Kind == kind })]
}

// addChosen adds a thing to the page, and to the part of the plan where it
// belongs.
func (p *bulkTagPage) addChosen(thing taggedThing, tags []store.Tag) {
	p.Chosen = append(p.Chosen, thing)
	if len(p.Tags) == 0 {
		return
	}
	changes := slices.ContainsFunc(p.Tags, func(tag string) bool { return slices.Contains(thing.Tags, tag) == p.Removes })
	if !p.Removes {
		thing.Why = store.WhyNoTags(tags, p.Tags)
	}
	switch {
	case thing.Why != "":
		p.Unable = append(p.Unable, thing)
	case changes:
		p.Change = append(p.Change, thing)
	default:
		p.Unchanged = append(p.Unchanged, thing)
	}
}

// news says what was changed.
func (p *bulkTagPage) news(changed, unchanged int) string {
	verb, rest := "added to", "had"
	if p.Removes {
		verb, rest = "removed from", "did not have"
	}
	is, them := "was", "it"
	if len(p.Tags) > 1 {
		is, them = "were", "them"
	}
	if changed == 0 {
		return fmt.Sprintf("Nothing was changed: %s %s the %s%s.", p.Count(unchanged), rest, p.TagWords(), p.already())
	}
	text := fmt.Sprintf("The %s %s %s %s", p.TagWords(), is, verb, p.Count(changed))
	if unchanged > 0 {
		text += fmt.Sprintf("; %d %s %s%s", unchanged, rest, them, p.already())
	}
	return text + "."
}

func (p *bulkTagPage) already() string {
	if p.Removes {
		return ""
	}
	return " already"
}

// tagFaults says what is wrong with tags that were typed.
func tagFaults(typed string, wrong fault.Errors) string {
	if len(wrong) == 0 {
		return ""
	}
	if wrong[0].Field == "add" || wrong[0].Field == "remove" {
		if strings.TrimSpace(typed) == "" {
			return "Type the tag first."
		}
		return fmt.Sprintf("At most %d tags at once.", store.MaxTagsChanged)
	}
	return tagFault("x", wrong[0].Detail)
}
