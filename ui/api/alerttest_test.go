package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"trento/packaging/servertest"
	"trento/ui/alerting"
	"trento/ui/api"
)

// TestTestMessage sends test messages to a real mail relay.
func TestTestMessage(t *testing.T) {
	t.Parallel()
	authority := servertest.NewAuthority(t)
	o := servertest.MailpitOptions{Username: "trento", Password: alertPassword, Recipients: "@sap[.]example$"}
	o.Cert, o.Key = authority.Issue("localhost", time.Now().Add(-time.Minute), time.Now().Add(time.Hour))
	relay := servertest.StartMailpit(t, o)
	f := newFixture(t)
	f.user("plain2")
	f.user("keeper", 20)
	f.serve(api.Deps{
		Store: f.store, Auth: f.auth, Index: f.index, Log: slog.New(slog.NewTextHandler(f.log, nil)),
		Alerting: alerting.New(alerting.Options{RootCAs: authority.Roots, Origin: "trento.example.com", Now: f.clock.Now}),
	})
	try := func(as, body string) answer {
		return f.do(call{as: as, method: "POST", path: alertPath + "/test", body: body})
	}
	body := strings.NewReplacer("mail.sap.example", "localhost", "587", fmt.Sprint(relay.Port)).Replace(alertBody)
	try("plain2", body).expect(t, http.StatusForbidden, "*")
	got := try("keeper", body) // before anything is stored
	if want := `{"delivered_to":["basis@sap.example"],"tls":"TLS 1.3","relay":"250 `; got.status != http.StatusOK || !strings.HasPrefix(got.body, want) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	f.get("keeper", alertPath).expect(t, http.StatusNotFound, "*")
	f.alerts("POST", body).expect(t, http.StatusCreated, "*")
	try("keeper", "").expect(t, http.StatusOK, "*")
	got = try("keeper", `{"recipient_email":"basis@sap.example,gone@elsewhere.example"}`)
	if want := `{"errors":[{"title":"Unprocessable Entity","detail":"recipient gone@elsewhere.example: 550 `; got.status != http.StatusUnprocessableEntity || !strings.HasPrefix(got.body, want) || !strings.Contains(got.body, `"step":"recipient","relay":"550 `) {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = try("keeper", `{"smtp_password":"wrong-password"}`)
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `"detail":"login: 535 `) || strings.Contains(got.body, "wrong-password") {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = try("keeper", `{"smtp_server":"127.0.0.1"}`) // could be a server of somebody who wants the password
	got.expect(t, http.StatusUnprocessableEntity, problems("/smtp_password", "The stored password is only sent to the stored server. Enter the password to try another one."))
	mails := relay.Mails()
	if len(mails) != 3 || mails[0].Subject != "Trento: test of the alerts" || !strings.HasSuffix(mails[0].MessageID, "@trento.example.com") {
		t.Errorf("arrived %+v", mails)
	}
	for range 2 {
		try("keeper", "").expect(t, http.StatusOK, "*")
	}
	try("keeper", "").expect(t, http.StatusTooManyRequests, `{"errors":[{"title":"Too Many Requests","detail":"Only 6 test messages can be sent in a minute. Try again in a few seconds."}]}`)
	f.clock.pass(10 * time.Second)
	try("keeper", "").expect(t, http.StatusOK, "*")
	if log := f.log.String(); strings.Contains(log, alertPassword) || strings.Contains(log, "wrong-password") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}
