package activity

import "testing"

func TestMessagesOfAlerts(t *testing.T) {
	for _, c := range []struct {
		event Event
		want  string
	}{
		{&AlertGivenUp{Channel: AlertByMail, Subject: "S", Recipients: []string{"a@b", "c@d"}, Reason: "550 unknown"}, `Alert "S" could not be sent by mail to a@b, c@d: 550 unknown`},
		{&AlertGivenUp{Channel: AlertByMail, Subject: "S", Reason: "550 unknown"}, `Alert "S" could not be sent by mail: 550 unknown`},
		{&AlertGivenUp{Channel: AlertByWebhook, Subject: "S", Reason: "410 Gone"}, `Alert "S" could not be sent to the webhook: 410 Gone`},
		{&AlertsDiscarded{Alerts: []string{"Host a stopped reporting"}}, "Waiting alert was discarded: Host a stopped reporting"},
		{&AlertsDiscarded{Alerts: []string{"A", "B"}, Messages: []string{"C"}}, "3 waiting alerts were discarded"},
		{&BackupFailure{Destination: "/b", Reason: "no space left on device"}, "Backup could not be made: no space left on device"},
		{&BackupFailure{Destination: "/b"}, "Backup could not be made"},
	} {
		metadata, err := Encode(c.event)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Entry{Type: c.event.Type(), Metadata: metadata}).Message(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
