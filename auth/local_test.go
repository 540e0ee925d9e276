package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"trento/store"
)

// TestLocalCaller: a request with the context of a local caller comes from the
// default admin, and stays so for Revalidate. Without that context it comes
// from nobody.
func TestLocalCaller(t *testing.T) {
	f := newFixture(t)
	if _, err := f.EnsureAdmin(t.Context(), Admin{Email: "admin@example.com", Password: "Tuesday-morning-7"}, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	identify := func(r *http.Request) (id *Identity) {
		f.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { id = From(r.Context()) })).ServeHTTP(httptest.NewRecorder(), r)
		return id
	}
	if id := identify(get("/api/v1/agents")); id != nil {
		t.Errorf("without the context it is %v", id.User.Username)
	}
	local := get("/api/v1/agents")
	id := identify(local.WithContext(WithLocalCaller(local.Context())))
	if id == nil || id.User.Username != "admin" || id.Via != ViaLocal || !id.Can("all:all") {
		t.Fatalf("the local caller is %+v", id)
	}
	err := f.store.View(func(tx *store.Tx) error {
		again, err := f.Revalidate(tx, id)
		if err == nil && again.User.ID != id.User.ID {
			t.Errorf("afterwards it is %v", again.User.Username)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	wrong := withHeader(get("/api/v1/agents"), "Authorization", "Bearer nonsense")
	if id := identify(wrong.WithContext(WithLocalCaller(wrong.Context()))); id != nil {
		t.Errorf("with a wrong token it is %v", id.User.Username)
	}
}
