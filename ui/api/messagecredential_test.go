package api_test

import (
	"net/http"
	"strings"
	"testing"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

// TestMessageCredential checks who sees the password, and who can rotate it.
func TestMessageCredential(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain2")
	f.user("keeper", 14)
	const path = "/api/v1/settings/message_credential"
	password := func() (text string) {
		err := f.store.View(func(tx *store.Tx) error {
			c, err := f.auth.MessageCredential(tx)
			text = c.Password
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := password()
	credential := func(shown string) string {
		return `{"user":"trento","password":` + shown + `,"created_at":"2026-08-20T10:15:30.123456Z","configured":false}`
	}
	f.get("plain2", path).expect(t, http.StatusOK, credential("null"))
	f.get("keeper", path).expect(t, http.StatusOK, credential(`"`+first+`"`))
	f.do(call{as: "plain2", method: "POST", path: path}).expect(t, http.StatusForbidden, "*")
	if password() != first {
		t.Fatal("a refused request has rotated the credential")
	}
	got := f.do(call{as: "keeper", method: "POST", path: path})
	second := password()
	if got.expect(t, http.StatusOK, credential(`"`+second+`"`)); second == first {
		t.Error("nothing was rotated")
	}
	log := f.entries(activity.TypeMessageCredentialRotation)
	if len(log) != 1 || log[0].Actor != "keeper" || strings.Contains(string(log[0].Metadata), second) || !strings.Contains(string(log[0].Metadata), `"user":"trento"`) {
		t.Errorf("logged %+v", log)
	}
	key := f.agentKey()
	patch := func(body string) answer {
		return f.do(call{as: "keeper", method: "PATCH", path: "/api/v1/settings/api_key", body: body})
	}
	patch(`{"expire_at":null,"rotate_message_credential":false}`).expect(t, http.StatusOK, "*")
	if f.agentKey() == key || password() != second {
		t.Error("the key was not replaced alone")
	}
	key = f.agentKey()
	patch(`{"expire_at":null,"rotate_message_credential":true}`).expect(t, http.StatusOK, "*")
	if f.agentKey() == key || password() == second {
		t.Error("the key and the credential were not both replaced")
	}
}

func TestConfiguredMessageCredential(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *auth.Options) { o.MessagePassword = "secret" })
	f.user("keeper", 14)
	const path = "/api/v1/settings/message_credential"
	f.get("keeper", path).expect(t, http.StatusOK, `{"user":"trento","password":"secret","created_at":null,"configured":true}`)
	f.do(call{as: "keeper", method: "POST", path: path}).expect(t, http.StatusUnprocessableEntity, "*")
}
