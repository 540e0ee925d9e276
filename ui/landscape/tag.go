package landscape

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// tagEditor shows the tags of one thing, with the form to change them. The
// template "tags" draws it, in a list and on the page of the thing.
type tagEditor struct {
	ID      string // id of the HTML element
	Action  string // address for adding a tag; "/remove" below it removes one
	Of      string // noun and name of the thing: "host hana01"
	Tags    []tagPill
	Refused string // why the reader may not change tags
	Return  string // address to return to without scripts
	Max     int
	OneLine bool // only the first tag is shown, and the number of the others
}

// tagPill is a tag, with a link to all things of the kind that have the tag.
type tagPill struct {
	Value, URL string
	Refused    string // why the reader may not remove it
}

// Shown returns the tags that are shown at once.
func (e *tagEditor) Shown() []tagPill {
	if e.OneLine {
		return e.Tags[:min(1, len(e.Tags))]
	}
	return e.Tags
}

// Folded returns the tags that are shown on demand.
func (e *tagEditor) Folded() []tagPill { return e.Tags[len(e.Shown()):] }

// FoldedText returns the tags that are shown on demand as a text.
func (e *tagEditor) FoldedText() string {
	words := make([]string, len(e.Folded()))
	for i, tag := range e.Folded() {
		words[i] = tag.Value
	}
	return strings.Join(words, ", ")
}

// tagPanel is a tag editor on the page of a thing, with suggested tags. The
// template "tag-panel" draws it.
type tagPanel struct {
	Editor      tagEditor
	Suggestions []string
}

func newTagEditor(reader page.Reader, k page.Taggable, id, name string, tags []string) tagEditor {
	e := tagEditor{
		ID: "tags-" + id, Action: k.Path + "/" + id + "/tags", Of: k.Noun + " " + name, Return: reader.BackTo(), Max: store.MaxTag,
		Refused: reader.WhyRefused(k.Ability),
	}
	for _, tag := range tags {
		e.Tags = append(e.Tags, tagPill{tag, page.WithQuery(k.Path, url.Values{"tags": {tag}}), e.Refused})
	}
	return e
}

// newTagPanel returns the tag editor for the page of one thing.
func (s *Pages) newTagPanel(tx *store.Tx, reader page.Reader, k page.Taggable, id, name string) (tagPanel, error) {
	tags, err := page.TagValues(tx, k.Kind, id)
	if err != nil {
		return tagPanel{}, err
	}
	p := tagPanel{Editor: newTagEditor(reader, k, id, name, tags)}
	if p.Editor.Refused != "" {
		return p, nil
	}
	v, err := s.Snapshot(tx)
	if err == nil {
		p.Suggestions = suggestedTags(v)
	}
	return p, err
}

// suggestedTags returns the tags in use, sorted by name. If there are too many,
// it returns the most used ones.
func suggestedTags(v *page.Snapshot) []string {
	used := make(map[string]int)
	for _, tags := range v.Tags {
		for _, tag := range tags {
			used[tag]++
		}
	}
	return table.MostUsed(used)
}

// tagRoutes returns the routes for adding and removing tags, for each kind of
// thing.
func (s *Pages) tagRoutes() []api.Route {
	var routes []api.Route
	for _, k := range []page.Taggable{page.HostTags, page.ClusterTags, page.DatabaseTags, page.SAPSystemTags} {
		access, tags, operation := auth.Needs(k.Ability), auth.InSets("tags"), "/api/v1"+k.Path+"/{id}/tags"
		routes = append(routes,
			api.Route{Method: "POST", Path: k.Path + "/{id}/tags", Access: access, Tokens: tags.As("POST " + operation), Handle: page.ReadForm(s.addTag(k))},
			api.Route{Method: "POST", Path: k.Path + "/{id}/tags/remove", Access: access, Tokens: tags.As("DELETE " + operation + "/{value}"), Handle: page.ReadForm(s.removeTag(k))})
	}
	return routes
}

// tagPage says why a tag was refused. It is for browsers without scripts.
type tagPage struct {
	page.Frame
	Editor tagEditor
	Value  string // as typed
	Fault  string
}

// Template implements page.Page.
func (*tagPage) Template() string { return "tag" }

// addTag answers POST /hosts/{id}/tags and its like.
func (s *Pages) addTag(k page.Taggable) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, value := strings.ToLower(page.PathVar(r, "id")), r.PostForm.Get("value")
		var name string
		var tags []string
		p := tagPage{Frame: s.NewFrame(r, "Add Tag"), Value: value}
		err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
			if name, err = k.Name(tx, id); err != nil {
				return err
			}
			if tags, err = page.TagValues(tx, k.Kind, id); err != nil {
				return err
			}
			return s.ReadFrame(&p.Frame, tx)
		})
		if err != nil {
			return err
		}
		if !slices.Contains(tags, strings.TrimSpace(value)) {
			err = s.Store.AddTag(r.Context(), page.Actor(r.Context()), k.Kind, id, value)
		}
		wrong := fault.Fields(err)
		if wrong == nil {
			return answerTagChange(w, r, id, err)
		}
		p.Fault = tagFault(value, wrong[0].Detail)
		if r.Header.Get(page.FragmentHeader) != "" {
			http.Error(w, p.Fault, http.StatusUnprocessableEntity)
			return nil
		}
		p.Editor = newTagEditor(p.Reader, k, id, name, tags)
		p.Editor.Return = auth.LocalTarget(r.PostForm.Get("return_to"))
		return s.Render(w, r, http.StatusUnprocessableEntity, &p)
	}
}

// removeTag answers POST /hosts/{id}/tags/remove and its like. It succeeds if
// the tag is gone already.
func (s *Pages) removeTag(k page.Taggable) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := strings.ToLower(page.PathVar(r, "id"))
		err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
			_, err := k.Name(tx, id)
			return err
		})
		if err != nil {
			return err
		}
		err = s.Store.DeleteTag(r.Context(), page.Actor(r.Context()), k.Kind, id, r.PostForm.Get("value"))
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return answerTagChange(w, r, id, err)
	}
}

// answerTagChange answers a request that has changed tags. A script gets an empty
// answer and fetches the page again; a browser is redirected to the page it
// came from.
func answerTagChange(w http.ResponseWriter, r *http.Request, id string, err error) error {
	switch {
	case err != nil:
		return err
	case r.Header.Get(page.FragmentHeader) != "":
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to"))+"#tags-"+id, http.StatusSeeOther)
	}
	return nil
}

// tagFault says what is wrong with a tag.
func tagFault(value, detail string) string {
	switch value = strings.TrimSpace(value); {
	case value == "":
		return "Type the tag first."
	case strings.ContainsAny(value, " \t\n"):
		return "A tag has no blanks in it. Letters, digits and + - = . , _ : @ make a tag."
	case detail == "has invalid format":
		return "Only letters, digits and + - = . , _ : @ make a tag."
	}
	return "This tag " + detail + "."
}
