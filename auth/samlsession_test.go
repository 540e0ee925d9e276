package auth

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trento/auth/sso"
	"trento/auth/sso/ssotest"
	"trento/store"
)

// TestSignInAPIFromConsole checks that the session of the API that a console
// session of SAML starts is logged with the provider, and that the provider can
// end it.
func TestSignInAPIFromConsole(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Provider = ssotest.NewSAML(t, sso.Options{Origin: "https://trento.example.com", Now: time.Now, Log: slog.New(slog.DiscardHandler)}, "http://127.0.0.1:1/metadata")
		o.Origin = "https://trento.example.com"
	})
	person := &store.Person{
		Identity: store.Identity{Provider: sso.SAMLName, Subject: "ann"}, Username: "ann", Fullname: "Ann Lee", Email: "ann@example.com",
		Attempt: [32]byte{1}, AttemptEnds: f.clock.Now().Add(time.Minute),
	}
	w := httptest.NewRecorder()
	if err := f.SignInConsole(w, get("/"), &Proof{Method: store.MethodSAML, person: person, logoutToken: "of ann"}); err != nil {
		t.Fatal(err)
	}
	r := withCookie(get("/api/session/saml_local/saml_callback"), onlyCookie(t, w))
	var tokens Tokens
	f.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var err error
		if tokens, err = f.SignInAPIFromConsole(r); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
	if entry := f.entry(); entry.Actor != "ann" || !strings.Contains(string(entry.Metadata), `"provider":"saml_local"`) {
		t.Errorf("the entry is %+v: %s", entry, entry.Metadata)
	}
	if _, err := f.Refresh(t.Context(), tokens.Refresh); err != nil {
		t.Fatal(err)
	}
	if err := f.EndProviderSessions(t.Context(), func(token string) bool { return token == "of ann" }); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Refresh(t.Context(), tokens.Refresh); err == nil {
		t.Error("the session of the API goes on after the provider has ended the sign-in")
	}
}
