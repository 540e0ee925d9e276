package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/packaging/config"
	"trento/packaging/doctor"
	"trento/store"
	"trento/store/storetest"
	"trento/ui/alerting"
)

// TestAskAlerts tries a mail relay and looks the host of a webhook up, without
// sending anything.
func TestAskAlerts(t *testing.T) {
	relay := startTestRelay(t, "")
	s := &server{config: config.Config{Origin: "trento.example.com"}, store: storetest.OpenAt(t, time.Now), log: slog.New(slog.DiscardHandler), alerting: alerting.New(alerting.Options{})}
	var err error
	s.auth, err = auth.New(auth.Options{
		Store: s.store, SessionLifetime: time.Hour, Now: time.Now,
		Secrets: auth.Secrets{Base: []byte(strings.Repeat("b", 48)), Access: []byte(strings.Repeat("a", 48)), Refresh: []byte(strings.Repeat("r", 48))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.askAlerts(t.Context()); got.On {
		t.Errorf("without settings: %+v", got)
	}
	host, port, hook := relay.host(), relay.port(), "https://hooks.invalid/x"
	on, sender, recipient, user, password := true, "trento@sap.example", "basis@sap.example", "", ""
	by := &auth.Identity{User: &store.User{ID: 1, Username: "admin", Abilities: []int{1}}}
	err = s.auth.SaveAlertSettings(t.Context(), by, auth.AlertSettingsInput{
		Enabled: &on, Sender: &sender, Recipients: &recipient, SMTPServer: &host, SMTPPort: &port, SMTPUsername: &user, SMTPPassword: &password, WebhookURL: &hook,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.askAlerts(t.Context())
	if got.WebhookFault == "" {
		t.Error("a host that does not exist was found")
	}
	got.WebhookFault = ""
	if diff := cmp.Diff(&doctor.Alerts{On: true, Relay: host, Webhook: "hooks.invalid", Asked: true}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if sent := relay.takeMails(); len(sent) > 0 {
		t.Errorf("sent %+v", sent)
	}
	relay.listener.Close()
	if got := s.askAlerts(t.Context()); !strings.HasPrefix(got.RelayFault, "connect: ") {
		t.Errorf("with a relay that is down: %+v", got)
	}
}
