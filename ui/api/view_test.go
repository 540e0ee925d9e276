package api_test

import (
	"net/http"
	"testing"

	"trento/store/activity"
)

// TestSharedViews shares views, and reads them as people who may open more and
// fewer lists.
func TestSharedViews(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2)     // all:users
	f.user("auditor", 17) // activity_log:users
	f.user("ada")
	const path = "/api/v1/views"
	share := func(screen, name, query string) answer {
		return f.post("boss", path, `{"screen":"`+screen+`","name":"`+name+`","query":"`+query+`"}`)
	}
	for _, refused := range []struct{ screen, name, query, pointer, detail string }{
		{"/hosts", " ", "", "/name", "can't be blank"},
		{"/elsewhere", "a", "", "/screen", "is not a list that has views"},
		{"/hosts", "a", "page=2", "/query", "must not have page: views do not keep it"},
		{"/activity_log", "a", "severity=critical&after=x", "/query", "must not have after: views do not keep it"},
		{"/hosts", "a", "q=%zz", "/query", "is not the query of an address, such as health=critical"},
		{"/hosts", "a", "?q=a", "/query", "is not the query of an address, such as health=critical"},
	} {
		f.do(call{as: "boss", method: http.MethodPost, path: path, body: `{"screen":"` + refused.screen + `","name":"` + refused.name + `","query":"` + refused.query + `"}`}).expect(t, 422, problems(refused.pointer, refused.detail))
	}
	var view struct{ ID, Query string }
	got := share("/hosts", "Production", "tags=production&health=critical")
	got.expect(t, 201, "*")
	if got.decode(t, &view); view.Query != "health=critical&tags=production" {
		t.Errorf("the query is %q", view.Query)
	}
	share("/hosts", "PRODUCTION", "").expect(t, 422, problems("/name", "has already been taken by another spelling: Production"))
	share("/users", "Managers", "").expect(t, 201, "*")
	share("/activity_log", "What boss does", "actor=boss").expect(t, 201, "*")

	for as, want := range map[string]int{"boss": 3, "auditor": 2, "ada": 1} {
		var seen []struct{ Name string }
		if f.get(as, path).decode(t, &seen); len(seen) != want {
			t.Errorf("%s sees %v, want %d views", as, seen, want)
		}
	}
	f.do(call{as: "ada", method: http.MethodDelete, path: path + "/" + view.ID}).expect(t, 403, forbidden)
	change := func(as, query string) answer {
		return f.do(call{as: as, method: http.MethodPatch, path: path + "/" + view.ID, body: `{"query":"` + query + `"}`})
	}
	change("ada", "").expect(t, 403, forbidden)
	change("boss", "peek=x").expect(t, 422, problems("/query", "must not have peek: views do not keep it"))
	change("boss", "tags=production").expect(t, 200, "*")
	f.do(call{as: "boss", method: http.MethodDelete, path: path + "/" + view.ID}).expect(t, 204, "")
	f.do(call{as: "boss", method: http.MethodDelete, path: path + "/" + view.ID}).expect(t, 404, notFound)
	for kind, want := range map[activity.Type]int{activity.TypeSharedViewCreation: 3, activity.TypeSharedViewModification: 1, activity.TypeSharedViewDeletion: 1} {
		if n := len(f.entries(kind)); n != want {
			t.Errorf("%d entries of the type %s, want %d", n, kind, want)
		}
	}
}
