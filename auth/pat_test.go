package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store"
	"trento/store/fault"
)

// someOperations are the operations of a small API.
func someOperations() []Operation {
	return []Operation{
		{Method: "GET", Path: "/api/v1/hosts", Access: SignedIn, Tokens: InSets("read_only", "checks", "operations", "tags", "housekeeping")},
		{Method: "POST", Path: "/api/v1/hosts/{id}/tags", Access: Needs("all:host_tags"), Tokens: InSets("tags")},
		{Method: "DELETE", Path: "/api/v1/hosts/{id}", Access: Needs("cleanup:host"), Tokens: InSets("housekeeping")},
		{Method: "POST", Path: "/api/v1/hosts/{id}/checks", Access: Needs("all:host_checks_selection"), Tokens: InSets("checks")},
		{Method: "POST", Path: "/api/v1/hosts/{id}/operations/reboot", Access: Needs("reboot:host"), Tokens: InSets("operations")},
		{Method: "GET", Path: "/api/v1/users", Access: Needs("all:users"), Tokens: InSets("read_only", "user_management")},
		{Method: "POST", Path: "/api/v1/users", Access: Needs("all:users"), Tokens: InSets("user_management")},
		{Method: "GET", Path: "/api/v1/activity_log", Access: SignedIn, Tokens: InSets("read_only").WidenedBy("all:users", "activity_log:users")},
		{Method: "GET", Path: apiKeyPath, Access: SignedIn, Tokens: InSets("read_only", "settings").WidenedBy("all:api_key_settings")},
		{Method: "PATCH", Path: apiKeyPath, Access: Needs("all:api_key_settings"), Tokens: InSets("settings")},
		{Method: "GET", Path: "/api/v1/agents", Access: Needs("all:api_key_settings"), Tokens: InSets("read_only", "settings")},
		{Method: "POST", Path: "/api/v1/profile/tokens", Access: SignedIn, Tokens: InPerson()},
		{Method: "POST", Path: "/api/session", Access: Public},
		{Method: "POST", Path: "/api/v1/collect", Access: Agent},
	}
}

const apiKeyPath = "/api/v1/settings/api_key"

func withOperations(o *Options) { o.Operations = someOperations() }

// token creates a token of a user and returns its text.
func (f fixture) token(u *store.User, name string, scopes ...string) (*store.Token, string) {
	f.t.Helper()
	t, text, err := f.CreateToken(f.t.Context(), &Identity{User: u}, NewToken{Name: name, Scopes: scopes})
	if err != nil {
		f.t.Fatal(err)
	}
	return t, text
}

func TestScopeSets(t *testing.T) {
	sets := newScopes(someOperations()).sets
	got := make(map[string][]string)
	for _, set := range sets {
		if set.Label == "" || set.Description == "" {
			t.Errorf("%s has no words for people", set.Name)
		}
		for _, o := range set.Operations {
			got[set.Name] = append(got[set.Name], o.String())
		}
	}
	reading := []string{"GET /api/v1/hosts", "GET /api/v1/users", "GET /api/v1/activity_log", "GET " + apiKeyPath, "GET /api/v1/agents"}
	want := map[string][]string{
		"read_only":       reading,
		"tags":            {"GET /api/v1/hosts", "POST /api/v1/hosts/{id}/tags"},
		"housekeeping":    {"GET /api/v1/hosts", "DELETE /api/v1/hosts/{id}"},
		"checks":          {"GET /api/v1/hosts", "POST /api/v1/hosts/{id}/checks"},
		"operations":      {"GET /api/v1/hosts", "POST /api/v1/hosts/{id}/operations/reboot"},
		"user_management": {"GET /api/v1/users", "POST /api/v1/users"},
		"settings":        {"GET " + apiKeyPath, "PATCH " + apiKeyPath, "GET /api/v1/agents"},
	}
	for _, o := range someOperations()[:11] {
		want["full"] = append(want["full"], o.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
}

// TestNarrow checks which abilities of the owner the scopes of a token permit.
func TestNarrow(t *testing.T) {
	s := newScopes(someOperations())
	everything := []int{abilityAll}
	for _, test := range []struct {
		scopes            []string
		held              []int
		reading, changing []int
	}{
		{[]string{"full"}, everything, everything, everything},
		{[]string{"full"}, []int{7, 11}, []int{7, 11}, []int{7, 11}},
		{[]string{"read_only"}, everything, []int{2, 17}, nil},
		{[]string{"read_only"}, []int{7}, nil, nil},
		{[]string{"tags"}, everything, []int{7}, []int{7}},
		{[]string{"tags"}, []int{7, 11}, []int{7}, []int{7}},
		{[]string{"tags"}, []int{11}, nil, nil},
		{[]string{"tags", "read_only"}, everything, []int{2, 7, 17}, []int{7}},
		{[]string{"operations"}, []int{abilityOperations}, []int{33}, []int{33}},
		{[]string{"user_management"}, everything, []int{2}, []int{2}},
		{[]string{"settings"}, everything, []int{14}, []int{14}},
		{[]string{"GET " + apiKeyPath}, everything, []int{14}, nil},
		{[]string{"GET /api/v1/agents"}, everything, nil, nil}, // not the key
		{[]string{"GET /api/v1/users"}, everything, []int{2}, nil},
		{[]string{"GET /api/v1/gone"}, everything, nil, nil}, // of another version
	} {
		token := &store.Token{Scopes: test.scopes}
		if got := s.abilitiesWithin(token, test.held, true); !slices.Equal(got, test.reading) {
			t.Errorf("%q of %v: reads with %v, want %v", test.scopes, test.held, got, test.reading)
		}
		if got := s.abilitiesWithin(token, test.held, false); !slices.Equal(got, test.changing) {
			t.Errorf("%q of %v: changes with %v, want %v", test.scopes, test.held, got, test.changing)
		}
	}
}

// TestConsoleWithToken checks what a session of the console may do that was
// started with a token.
func TestConsoleWithToken(t *testing.T) {
	f := newFixture(t, withOperations)
	u := f.user("ann", abilityAll)
	settings := store.TokenSettings{Enabled: true, DefaultLifetimeDays: 30, AllowSignIn: true}
	if err := f.store.ChangeTokenSettings(t.Context(), store.System(), settings); err != nil {
		t.Fatal(err)
	}
	const no, yes = false, true
	for _, test := range []struct {
		scopes                          string
		page, users, form, tags, manage bool
	}{
		{"full", yes, yes, yes, yes, yes},
		{"read_only", yes, yes, no, no, no},
		{"read_only,tags", yes, yes, no, yes, no},
		{"read_only,user_management", yes, yes, no, no, yes},
		{"read_only,POST /api/v1/users", yes, yes, no, no, yes},
		{"read_only,GET /api/v1/users", yes, yes, no, no, no},
		{"tags", no, no, no, no, no},
		{"user_management", no, no, no, no, no},
		{"GET /api/v1/hosts", no, no, no, no, no},
	} {
		token, text := f.token(u, test.scopes, strings.Split(test.scopes, ",")...)
		proof, err := f.CheckPassword(t.Context(), Credentials{Username: "$token", Password: text}, someAddress)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := f.SignInConsole(w, get("/"), proof); err != nil {
			t.Fatal(err)
		}
		permitted := func(need Access, tokens TokenRule) bool {
			r := httptest.NewRequest(http.MethodGet, "/x", nil)
			r.AddCookie(w.Result().Cookies()[0])
			var err error
			f.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if id := From(r.Context()); id == nil || id.Token.ID != token.ID || id.RequireNoToken() == nil {
					t.Errorf("%s: identified as %v", test.scopes, id)
				}
				err = f.Permit(r, need, tokens, "")
			})).ServeHTTP(httptest.NewRecorder(), r)
			return err == nil
		}
		for what, row := range map[string][2]bool{
			"a page":           {permitted(SignedIn, InSets("read_only")), test.page},
			"the users":        {permitted(Needs("all:users"), InSets("read_only")), test.users},
			"a form":           {permitted(SignedIn, TokenRule{}), test.form},
			"a tag":            {permitted(Needs("all:host_tags"), InSets("tags").As("POST /api/v1/hosts/{id}/tags")), test.tags},
			"a new user":       {permitted(Needs("all:users"), InSets("user_management").As("POST /api/v1/users")), test.manage},
			"the settings":     {permitted(Needs("all:suma_settings"), InSets("settings")), test.scopes == "full"},
			"the own password": {permitted(SignedIn, InPerson()), false},
		} {
			if row[0] != row[1] {
				t.Errorf("%s: %s permitted is %v", test.scopes, what, row[0])
			}
		}
		if err := f.DeleteTokens(t.Context(), &Identity{User: u}, token.ID); err != nil {
			t.Fatal(err)
		}
		r := get("/x")
		r.AddCookie(w.Result().Cookies()[0])
		if id := f.identify(r); id != nil {
			t.Errorf("%s: the session outlives its token", test.scopes)
		}
	}
}

// TestTokensAreForPrograms checks that the pages of the console accept no token,
// but its files and its event stream do.
func TestTokensAreForPrograms(t *testing.T) {
	f := newFixture(t)
	_, text := f.token(f.user("ann"), "a")
	for path, taken := range map[string]bool{
		"/api/v1/hosts": true, "//api/v1/hosts": true, "/wanda/api/checks": true, "/mcp": true, "/metrics": true,
		"/events": true, "/hosts.csv": true, "/activity_log.jsonl": true, "/x/../events": true,
		"/": false, "/hosts": false, "/apis": false, "/metrics.html": false, "/events/x": false, "/x.csv/y": false, "/api/../hosts": false,
	} {
		if id := f.identify(withHeader(get(path), "Authorization", "Bearer "+text)); (id != nil) != taken {
			t.Errorf("%s: %v", path, id)
		}
	}
}

// TestNotedInSpiteOfAPanic checks that the use of a token is logged if the
// request panics.
func TestNotedInSpiteOfAPanic(t *testing.T) {
	f := newFixture(t)
	token, text := f.token(f.user("ann"), "a")
	func() {
		defer func() { _ = recover() }()
		f.Identify(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") })).
			ServeHTTP(httptest.NewRecorder(), withHeader(get("/api/v1/hosts"), "Authorization", "Bearer "+text))
	}()
	if err := f.store.FlushTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := f.store.View(func(tx *store.Tx) error {
		uses, _, err := tx.TokenUses(token.UserID, token.ID, 0, 10)
		if len(uses) != 1 || uses[0].Status != http.StatusInternalServerError {
			t.Errorf("%+v", uses)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestConfirmToken checks that changes of tokens need the repeated password.
func TestConfirmToken(t *testing.T) {
	f := newFixture(t)
	id := &Identity{User: f.user("ann"), Via: ViaSession}
	if err := f.ConfirmToken(t.Context(), id.Confirming(cheapPassword)); err != nil {
		t.Error(err)
	}
	for _, wrong := range []*Identity{id, id.Confirming(""), id.Confirming("wrong")} {
		err := f.ConfirmToken(t.Context(), wrong)
		if fields := fault.Fields(err); fields == nil || fields[0].Field != "current_password" {
			t.Error(err)
		}
	}
	// What a program shows with each request speaks for itself.
	if err := f.ConfirmToken(t.Context(), &Identity{User: id.User, Via: ViaToken}); err != nil {
		t.Errorf("asked for without a cookie: %v", err)
	}
	settings := store.TokenSettings{Enabled: true, DefaultLifetimeDays: 30}
	if err := f.store.ChangeTokenSettings(t.Context(), store.System(), settings); err != nil {
		t.Fatal(err)
	}
	if err := f.ConfirmToken(t.Context(), id.Confirming("wrong")); err != nil {
		t.Errorf("asked for although the settings do not: %v", err)
	}
}

// TestTokenTexts checks that texts are long and all different.
func TestTokenTexts(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		text := newTokenText()
		if len(text) != 97 || !isPersonalToken(text) || seen[text] {
			t.Fatalf("%q", text)
		}
		seen[text] = true
	}
}

// TestAgain checks that Revalidate refuses identities that are no longer valid.
func TestAgain(t *testing.T) {
	f := newFixture(t, withOperations)
	u := f.user("ann", abilityAll)
	token, text := f.token(u, "a", "read_only")
	id := f.identify(withHeader(get("/api/v1/hosts"), "Authorization", "Bearer "+text))
	again := func() (now *Identity, err error) {
		t.Helper()
		if fault := f.store.View(func(tx *store.Tx) error { now, err = f.Revalidate(tx, id); return nil }); fault != nil {
			t.Fatal(fault)
		}
		return now, err
	}
	if now, err := again(); err != nil || !now.Can("all:users") || now.Can("all:host_tags") {
		t.Errorf("%+v, %v", now, err)
	}
	soon := f.clock.now.Add(time.Minute)
	if _, err := f.ChangeToken(t.Context(), &Identity{User: u}, token.ID, TokenChange{ExpiresAt: &soon}); err != nil {
		t.Fatal(err)
	}
	f.clock.now = soon
	if _, err := again(); !errors.Is(err, ErrSignedOut) {
		t.Errorf("after the end: %v", err)
	}
}

// TestFormerTexts checks that the use of a replaced or deleted text is logged
// with the name of its token.
func TestFormerTexts(t *testing.T) {
	f := newFixture(t)
	id := &Identity{User: f.user("ann"), Via: ViaToken}
	made, first, err := f.CreateToken(t.Context(), id, NewToken{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	show := func(text string) {
		r := withHeader(get("/api/v1/hosts"), "Authorization", text)
		f.Identify(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })).ServeHTTP(httptest.NewRecorder(), r)
		if err := f.store.FlushTokenUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, second, err := f.RegenerateToken(t.Context(), id, made.ID, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	show(first)
	err = f.store.View(func(tx *store.Tx) error {
		if used := tx.TokenLastUsed(made.ID); used != nil {
			t.Errorf("a use of the text before counts as a use of the token: %v", used)
		}
		return nil
	})
	if err == nil {
		err = f.DeleteTokens(t.Context(), id, made.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	show(second)
	show(tokenPrefix + strings.Repeat("A", tokenTextSize-len(tokenPrefix))) // was none ever
	err = f.store.View(func(tx *store.Tx) error {
		uses, _, err := tx.TokenUses(id.User.ID, made.ID, 0, 10)
		if len(uses) != 2 || uses[0].Text != store.TextDeleted || uses[1].Text != store.TextReplaced || uses[0].TokenName != "ci" || uses[0].Status != http.StatusUnauthorized {
			t.Errorf("uses %+v", uses)
		}
		used, err2 := tx.UsedTokens(id.User.ID)
		if len(used) != 1 || used[0].ID != made.ID || used[0].Name != "ci" {
			t.Errorf("used tokens %+v", used)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	// Former texts are kept as long as the log of token uses, and deleted with
	// their owner.
	f.clock.now = f.clock.now.Add(time.Hour)
	if err := f.store.PruneTokenUsesBefore(t.Context(), f.clock.now); err != nil {
		t.Fatal(err)
	}
	show(first)
	err = f.store.View(func(tx *store.Tx) error {
		uses, _, err := tx.TokenUses(id.User.ID, "", 0, 10)
		if len(uses) != 0 {
			t.Errorf("after they were forgotten: %+v", uses)
		}
		return err
	})
	if err := errors.Join(err, f.store.Verify()); err != nil {
		t.Fatal(err)
	}
}
