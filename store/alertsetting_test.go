package store

import (
	"errors"
	"slices"
	"testing"

	"trento/store/activity"
	"trento/store/fault"
)

// TestAlertSettings saves, changes and clears the settings of alerts.
func TestAlertSettings(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	by := Actor{Name: "ann"}
	read := func() (settings *AlertSettings, err error) {
		return settings, s.View(func(tx *Tx) error { settings, err = tx.AlertSettings(); return err })
	}
	if _, err := read(); !errors.Is(err, ErrNotFound) {
		t.Fatalf("before: %v", err)
	}
	change := func(settings *AlertSettings) error { settings.SMTPPort = 465; return nil }
	if err := s.ChangeAlertSettings(t.Context(), by, change, activity.AlertingSettings{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("change of nothing: %v", err)
	}
	if err := s.ClearAlertSettings(t.Context(), by); !errors.Is(err, ErrNotFound) {
		t.Errorf("clearing of nothing: %v", err)
	}
	server := "mail.sap.example"
	first := AlertSettings{Enabled: true, SMTPServer: server, SMTPPort: 587, SMTPPassword: []byte("sealed")}
	submitted := activity.AlertingSettings{SMTPServer: &server, SMTPPassword: true}
	if err := s.SaveAlertSettings(t.Context(), by, first, submitted); err != nil {
		t.Fatal(err)
	}
	if faults := fault.Fields(s.SaveAlertSettings(t.Context(), by, first, submitted)); len(faults) != 1 || faults[0].Field != "type" || faults[0].Detail != "has already been taken" {
		t.Errorf("saved twice: %v", faults)
	}
	port := 465
	if err := s.ChangeAlertSettings(t.Context(), by, change, activity.AlertingSettings{SMTPPort: &port}); err != nil {
		t.Fatal(err)
	}
	wrong := fault.Field("smtp_port", "is wrong")
	if err := s.ChangeAlertSettings(t.Context(), by, func(settings *AlertSettings) error { settings.SMTPPort = 1; return wrong }, activity.AlertingSettings{}); !errors.Is(err, wrong) {
		t.Errorf("refused change: %v", err)
	}
	if got, err := read(); err != nil || got.SMTPPort != 465 || string(got.SMTPPassword) != "sealed" || !got.Enabled {
		t.Errorf("changed: %+v, %v", got, err)
	}
	if err := s.ClearAlertSettings(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); !errors.Is(err, ErrNotFound) {
		t.Errorf("cleared: %v", err)
	}
	var logged []string
	for _, entry := range entries(t, s) {
		logged = append(logged, string(entry.Type)+" "+entry.Actor+" "+string(entry.Metadata))
	}
	want := []string{
		`saving_alerting_settings ann {"smtp_password":"REDACTED","smtp_server":"mail.sap.example"}`,
		`changing_alerting_settings ann {"smtp_port":465}`,
		`changing_alerting_settings ann {"cleared":true}`,
	}
	if !slices.Equal(logged, want) {
		t.Errorf("logged %q", logged)
	}
}
