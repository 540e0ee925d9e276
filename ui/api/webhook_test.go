package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"trento/store/activity"
)

const webhooksPath = "/api/v1/webhooks"

// shownWebhook is a webhook in answers.
type shownWebhook struct {
	ID, Name, URL, Secret string
	Events                []string
	Enabled               bool
	DisabledReason        *string `json:"disabled_reason"`
	State                 struct {
		Pending int
		Failure *string
	}
}

func (f *fixture) createWebhook(as, body string) (created shownWebhook) {
	f.t.Helper()
	got := f.post(as, webhooksPath, body)
	got.expect(f.t, http.StatusCreated, "*")
	got.decode(f.t, &created)
	return created
}

// webhookReceiver starts a receiver whose certificate is trusted.
func (f *fixture) webhookReceiver(handle http.HandlerFunc) *httptest.Server {
	f.t.Helper()
	server := httptest.NewTLSServer(handle)
	f.t.Cleanup(server.Close)
	f.roots.AddCert(server.Certificate())
	return server
}

// TestWebhookLife follows a webhook through all that can happen to it.
func TestWebhookLife(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 20) // all:alerting_settings
	f.get("keeper", webhooksPath).expect(t, http.StatusOK, "[]")
	made := f.createWebhook("keeper", `{"name":" Pager ","url":"https://hooks.example.com/secret-part","events":["host.health_changed","host.registered","host.registered"]}`)
	path := webhooksPath + "/" + made.ID
	if made.Name != "Pager" || !strings.HasPrefix(made.Secret, "whsec_") || !made.Enabled || fmt.Sprint(made.Events) != "[host.registered host.health_changed]" {
		t.Errorf("made %+v", made)
	}
	for _, read := range []answer{f.get("keeper", webhooksPath), f.get("keeper", path), f.do(call{as: "keeper", method: "PATCH", path: path, body: `{}`})} {
		if read.status != http.StatusOK || strings.Contains(read.body, "whsec_") || !strings.Contains(read.body, "secret-part") {
			t.Errorf("%d %s", read.status, read.body)
		}
	}
	var again shownWebhook
	replaced := f.post("keeper", path+"/secret", "")
	if replaced.decode(t, &again); replaced.status != http.StatusOK || again.Secret == made.Secret || again.Secret == "" {
		t.Errorf("%d %s", replaced.status, replaced.body)
	}
	f.do(call{as: "keeper", method: "PATCH", path: path, body: `{"events":[],"name":"Pager 2"}`}).expect(t, http.StatusOK, "*")
	f.do(call{as: "keeper", method: "PATCH", path: path, body: `{"enabled":false,"url":"https://other.example.com/"}`}).expect(t, http.StatusOK, "*")
	f.do(call{as: "keeper", method: "DELETE", path: path}).expect(t, http.StatusNoContent, "")
	f.get("keeper", path).expect(t, http.StatusNotFound, notFound)
	var logged []string
	for _, e := range f.entries(activity.TypeWebhookCreation, activity.TypeWebhookModification, activity.TypeWebhookDeletion) {
		logged = append(logged, e.Message()+" "+e.Actor+" "+string(e.Metadata))
	}
	about := `"webhook_id":"` + made.ID + `"}`
	want := []string{
		`Webhook "Pager" to hooks.example.com was created keeper {"events":["host.registered","host.health_changed"],"host":"hooks.example.com","webhook":"Pager",` + about,
		`Secret of webhook "Pager" was replaced keeper {"secret":"REDACTED","webhook":"Pager",` + about,
		`Webhook "Pager 2" was changed keeper {"events":[],"former_name":"Pager","webhook":"Pager 2",` + about,
		`Webhook "Pager 2" was disabled keeper {"enabled":false,"host":"other.example.com","url":"REDACTED","webhook":"Pager 2",` + about,
		`Webhook "Pager 2" was deleted keeper {"webhook":"Pager 2",` + about,
	}
	if strings.Join(logged, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(logged, "\n"), strings.Join(want, "\n"))
	}
}

// TestWebhookFaults goes through what is refused.
func TestWebhookFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 20)
	f.user("root", admin)
	f.createWebhook("keeper", `{"name":"Pager","url":"https://hooks.example.com/"}`)
	const url = `"url":"https://hooks.example.com/"`
	for body, want := range map[string]string{
		`{"name":"x"}`:                 problems("/url", "Missing field: url"),
		`{"name":" ",` + url + `}`:     problems("/name", "can't be blank"),
		`{"name":"PAGER",` + url + `}`: problems("/name", "has already been taken"),
		`{"name":"` + strings.Repeat("x", 101) + `",` + url + `}`: problems("/name", "should be at most 100 character(s)"),
		`{"name":"x","url":"http://hooks.example.com/"}`:          problems("/url", "should be an https address"),
		`{"name":"x","url":"https://169.254.169.254/"}`:           problems("/url", "should not be a link-local address"),
		`{"name":"x",` + url + `,"events":["host.exploded"]}`:     problems("/events/0", "Invalid value for enum"),
		`{"name":"x",` + url + `,"events":["activity.other"]}`:    problems("/events/0", "Invalid value for enum"),
		`{"name":"x",` + url + `,"events":["user.sign_in"]}`:      problems("/events", "Only who manages users can have events about users sent."),
		`{"name":"x",` + url + `,"secret":"mine"}`:                problems("/secret", "Unexpected field: secret"),
	} {
		f.post("keeper", webhooksPath, body).expect(t, http.StatusUnprocessableEntity, want)
	}
	// Who may not see what a webhook receives cannot send it elsewhere.
	users := f.createWebhook("root", `{"name":"Security","url":"https://siem.example.com/","events":["user.sign_in"]}`)
	path := webhooksPath + "/" + users.ID
	f.do(call{as: "keeper", method: "PATCH", path: path, body: `{"url":"https://elsewhere.example.com/"}`}).expect(t, http.StatusUnprocessableEntity, problems("/events", "Only who manages users can have events about users sent."))
	f.do(call{as: "keeper", method: "PATCH", path: path, body: `{"enabled":false}`}).expect(t, http.StatusOK, "*")
	for i := range 18 {
		f.createWebhook("keeper", fmt.Sprintf(`{"name":"%d",%s}`, i, url))
	}
	f.post("keeper", webhooksPath, `{"name":"one too many",`+url+`}`).expect(t, http.StatusConflict, "*")
}

// TestWebhookTest sends tests, and checks with a library of Standard Webhooks
// what arrives.
func TestWebhookTest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.clock.now = time.Now() // the library compares it
	f.user("keeper", 20)
	status, secret := http.StatusNoContent, ""
	var got []string
	receiver := f.webhookReceiver(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err != nil {
			t.Errorf("signature of %s: %v", body, err)
		}
		var event any
		if err := json.Unmarshal(body, &event); err != nil {
			t.Error(err)
		}
		if err := document(t).Components.Schemas["Event"].Value.VisitJSON(event); err != nil {
			t.Error(err)
		}
		got = append(got, event.(map[string]any)["type"].(string))
		w.WriteHeader(status)
	})
	made := f.createWebhook("keeper", `{"name":"Pager","url":"`+receiver.URL+`/in","enabled":false}`)
	path, before := webhooksPath+"/"+made.ID, made.Secret
	secret = before
	var delivery struct {
		ID      int
		State   string
		Status  *int
		Failure *string
	}
	test := func() {
		t.Helper()
		answer := f.post("keeper", path+"/test", "")
		answer.expect(t, http.StatusOK, "*")
		answer.decode(t, &delivery)
	}
	if test(); delivery.State != "sent" || *delivery.Status != 204 || fmt.Sprint(got) != "[webhook.test]" {
		t.Errorf("%+v, received %v", delivery, got)
	}
	// After a change of the secret, both are good for a day.
	var after shownWebhook
	f.post("keeper", path+"/secret", "").decode(t, &after)
	test()
	secret = after.Secret
	if status = 500; true {
		test()
	}
	if delivery.State != "given_up" || *delivery.Status != 500 || delivery.Failure == nil {
		t.Errorf("%+v", delivery)
	}
	f.post("keeper", fmt.Sprint(path, "/deliveries/", 1, "/redeliver"), "").expect(t, http.StatusConflict, "*")
	f.post("keeper", path+"/deliveries/99/redeliver", "").expect(t, http.StatusNotFound, notFound)
	var list []struct{ State string }
	f.get("keeper", path+"/deliveries").decode(t, &list)
	if fmt.Sprint(list) != "[{given_up} {sent} {sent}]" {
		t.Errorf("deliveries %v", list)
	}
	for range 3 {
		test()
	}
	f.post("keeper", path+"/test", "").expect(t, http.StatusTooManyRequests, "*")
}
