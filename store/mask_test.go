package store

import (
	"strings"
	"testing"
)

// TestMaskTokens checks that the text of a token is never stored, wherever a
// user pastes it.
func TestMaskTokens(t *testing.T) {
	secret := strings.Repeat("Ab-_9", 17)
	text := TokenPrefix + secret
	for given, want := range map[string]string{
		"/hosts/" + text + "/x": "/hosts/trento_pat_…/x", text: "trento_pat_…", "starts with trento_pat_": "starts with trento_pat_",
		text + " " + text: "trento_pat_… trento_pat_…", "": "",
	} {
		if got := MaskTokens(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
	s := open(t, t.TempDir(), newClock())
	user, err := s.CreateUser(t.Context(), System(), NewUser{Username: "ann", Fullname: "A", Email: "ann@example.com", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.CreateToken(t.Context(), System(), user.ID, NewToken{Name: "ci", Scopes: []string{"full"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SignInFailed(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := s.AddTag(t.Context(), System(), HostTag, "h", text); err == nil {
		t.Error("a token as a tag")
	}
	if err := s.SaveView(t.Context(), user.ID, SavedView{Screen: "/hosts", Name: "v", Query: "q=" + text}); err != nil {
		t.Fatal(err)
	}
	s.NoteTokenUse(TokenUse{UserID: user.ID, TokenID: token.ID, At: s.Now(), Method: "GET", Path: "/api/" + text, UserAgent: text, Via: "bearer"})
	if err := s.FlushTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t, s) {
		if strings.Contains(e.Actor+string(e.Metadata), secret[:20]) {
			t.Errorf("the log has it: %s %s", e.Actor, e.Metadata)
		}
	}
	view(t, s, func(tx *Tx) error {
		uses, _, err := tx.TokenUses(user.ID, "", 0, 10)
		if err != nil || len(uses) != 1 || strings.Contains(uses[0].Path+uses[0].UserAgent, secret[:20]) {
			t.Errorf("uses %+v, %v", uses, err)
		}
		views, err := tx.SavedViews(user.ID)
		if len(views) != 1 || views[0].Query != "q=trento_pat_…" {
			t.Errorf("views %+v", views)
		}
		return err
	})
}
