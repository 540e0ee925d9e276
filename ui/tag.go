package ui

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
	"trento/ui/api"
)

// taggable is a kind of thing that people put tags on.
type taggable struct {
	kind    store.TagKind
	path    string // of the list, and what the pages of its things begin with
	noun    string
	ability string // to add and remove tags
	// name of the thing with an id, or store.ErrNotFound.
	name func(tx *store.Tx, id string) (string, error)
}

// The kinds of things with tags.
var (
	hostTags = taggable{store.HostTag, "/hosts", "host", "all:host_tags", func(tx *store.Tx, id string) (string, error) {
		h, err := tx.Host(landscape.HostID(id))
		if err != nil {
			return "", err
		}
		return h.Hostname, nil
	}}
	clusterTags = taggable{store.ClusterTag, "/clusters", "cluster", "all:cluster_tags", func(tx *store.Tx, id string) (string, error) {
		c, err := tx.Cluster(landscape.ClusterID(id))
		if err != nil {
			return "", err
		}
		return nameOfCluster(c), nil
	}}
	databaseTags = taggable{store.DatabaseTag, "/databases", "HANA database", "all:database_tags", func(tx *store.Tx, id string) (string, error) {
		db, err := tx.Database(landscape.DatabaseID(id))
		if err != nil {
			return "", err
		}
		return db.SID, nil
	}}
	sapSystemTags = taggable{store.SAPSystemTag, "/sap_systems", "SAP system", "all:sap_system_tags", func(tx *store.Tx, id string) (string, error) {
		system, err := tx.SAPSystem(landscape.SAPSystemID(id))
		if err != nil {
			return "", err
		}
		return system.SID, nil
	}}
)

// tagEditor is the tags of one thing and what changes them; the template
// "tags" draws it, in a list and on a page about the thing.
type tagEditor struct {
	ID      string // of the element, within the page
	Action  string // where a tag is added; "/remove" below it removes one
	Of      string // "host hana01"
	Tags    []tagPill
	Refused string // why the reader may not change them
	Return  string // where a browser without scripts comes back to
	Max     int
}

// tagPill is a tag; it leads to all things of the kind that have it.
type tagPill struct{ Value, URL string }

// tagPanel is an editor on a page of its own thing, with the tags to choose
// from; the template "tag-panel" draws it.
type tagPanel struct {
	Editor      tagEditor
	Suggestions []string
}

func newTagEditor(r *http.Request, k taggable, id, name string, tags []string) tagEditor {
	e := tagEditor{
		ID: "tags-" + id, Action: k.path + "/" + id + "/tags", Of: k.noun + " " + name, Return: backTo(r), Max: store.MaxTag,
		Refused: refused(auth.From(r.Context()), k.ability),
	}
	for _, tag := range tags {
		e.Tags = append(e.Tags, tagPill{tag, withQuery(k.path, url.Values{"tags": {tag}})})
	}
	return e
}

// refused says why somebody may not do what needs an ability; it is empty for
// those who may.
func refused(id *auth.Identity, ability string) string {
	return newControl(id, ability, "", "").Refused
}

// tagsOf is the editor for the page about one thing.
func (s *server) tagsOf(tx *store.Tx, r *http.Request, k taggable, id, name string) (tagPanel, error) {
	tags, err := tagValues(tx, k.kind, id)
	if err != nil {
		return tagPanel{}, err
	}
	p := tagPanel{Editor: newTagEditor(r, k, id, name, tags)}
	if p.Editor.Refused != "" {
		return p, nil
	}
	v, err := s.snapshot(tx)
	if err == nil {
		p.Suggestions = v.suggested()
	}
	return p, err
}

func tagValues(tx *store.Tx, kind store.TagKind, id string) ([]string, error) {
	tags, err := tx.Tags(kind, id)
	if err != nil || len(tags) == 0 {
		return nil, err
	}
	values := make([]string, len(tags))
	for i, tag := range tags {
		values[i] = tag.Value
	}
	return values, nil
}

// maxSuggestions bounds the tags a field suggests.
const maxSuggestions = 100

// suggested lists the tags in use, by name; of too many the most used ones.
func (v *snapshot) suggested() []string {
	used := make(map[string]int)
	for _, tags := range v.tags {
		for _, tag := range tags {
			used[tag]++
		}
	}
	return mostUsed(used)
}

func mostUsed(used map[string]int) []string {
	tags := slices.SortedFunc(maps.Keys(used), func(a, b string) int { return cmp.Or(cmp.Compare(used[b], used[a]), foldCompare(a, b)) })
	tags = tags[:min(len(tags), maxSuggestions)]
	slices.SortFunc(tags, foldCompare)
	return tags
}

// tagRoutes are the two verbs for each kind of thing.
func (s *server) tagRoutes() []api.Route {
	var routes []api.Route
	for _, k := range []taggable{hostTags, clusterTags, databaseTags, sapSystemTags} {
		access := auth.Needs(k.ability)
		routes = append(routes,
			api.Route{Method: "POST", Path: k.path + "/{id}/tags", Access: access, Handle: form(s.addTag(k))},
			api.Route{Method: "POST", Path: k.path + "/{id}/tags/remove", Access: access, Handle: form(s.removeTag(k))})
	}
	return routes
}

// tagPage is where a browser without scripts ends that sent what is no tag.
type tagPage struct {
	Frame
	Editor tagEditor
	Value  string // as it was typed
	Fault  string
}

// addTag answers POST /hosts/{id}/tags and its like.
func (s *server) addTag(k taggable) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, value := strings.ToLower(mux.Vars(r)["id"]), r.PostForm.Get("value")
		var name string
		var tags []string
		p := tagPage{Frame: s.newFrame(r, "Add Tag"), Value: value}
		err := s.options.Store.View(func(tx *store.Tx) (err error) {
			if name, err = k.name(tx, id); err != nil {
				return err
			}
			if tags, err = tagValues(tx, k.kind, id); err != nil {
				return err
			}
			return s.fill(&p.Frame, tx)
		})
		if err != nil {
			return err
		}
		if !slices.Contains(tags, strings.TrimSpace(value)) {
			err = s.options.Store.AddTag(r.Context(), actor(r.Context()), k.kind, id, value)
		}
		var invalid *landscape.InvalidError
		if !errors.As(err, &invalid) {
			return tagsChanged(w, r, id, err)
		}
		p.Fault = tagFault(value, invalid)
		if r.Header.Get(fragmentHeader) != "" {
			http.Error(w, p.Fault, http.StatusUnprocessableEntity)
			return nil
		}
		p.Editor = newTagEditor(r, k, id, name, tags)
		p.Editor.Return = auth.LocalTarget(r.PostForm.Get("return_to"))
		return s.render(w, r, http.StatusUnprocessableEntity, pageTag, &p)
	}
}

// removeTag answers POST /hosts/{id}/tags/remove and its like. A tag that is
// gone already is what was asked for.
func (s *server) removeTag(k taggable) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := strings.ToLower(mux.Vars(r)["id"])
		err := s.options.Store.View(func(tx *store.Tx) error {
			_, err := k.name(tx, id)
			return err
		})
		if err != nil {
			return err
		}
		err = s.options.Store.RemoveTag(r.Context(), actor(r.Context()), k.kind, id, r.PostForm.Get("value"))
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return tagsChanged(w, r, id, err)
	}
}

// tagsChanged answers a request that has changed the tags of a thing: the script
// fetches the page again by itself, a browser is led back to where it was.
func tagsChanged(w http.ResponseWriter, r *http.Request, id string, err error) error {
	switch {
	case err != nil:
		return err
	case r.Header.Get(fragmentHeader) != "":
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to"))+"#tags-"+id, http.StatusSeeOther)
	}
	return nil
}

// tagFault says what is wrong with what somebody typed.
func tagFault(value string, fault *landscape.InvalidError) string {
	switch value = strings.TrimSpace(value); {
	case value == "":
		return "Type the tag first."
	case strings.ContainsAny(value, " \t\n"):
		return "A tag has no blanks in it. Letters, digits and + - = . , _ : @ make a tag."
	case fault.Detail == "has invalid format":
		return "Only letters, digits and + - = . , _ : @ make a tag."
	}
	return "This tag " + fault.Detail + "."
}

// actor is the user of a request as the author of a change.
func actor(ctx context.Context) store.Actor { return auth.From(ctx).Actor() }
