package activity

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"trento/store/activity"
)

func TestToasts(t *testing.T) {
	metadata := []byte(`{"host_id":"x","hostname":"hana01","health":"critical","old":"passing","cause":"saptune"}`)
	for _, tt := range []struct {
		of   activity.Type
		want string
	}{
		{activity.TypeHostRegistered, "hana01 is new"}, {activity.TypeHostRestored, "hana01 is back"},
		{activity.TypeHostDeregistered, "hana01 has been removed"}, {activity.TypeHeartbeatFailed, "The host hana01 heartbeat is failing."},
		{activity.TypeHeartbeatSucceeded, "The agent of hana01 is reporting."}, {activity.TypeHostHealthChanged, "The health of hana01 changed from passing to critical because of saptune."},
		{activity.TypeHostIDShared, "Several machines report under the id of hana01."},
		{activity.TypeLoginAttempt, ""}, {activity.TypeProviderUpdated, ""},
	} {
		news, ok := NewToast(&activity.Entry{Type: tt.of, Metadata: metadata})
		if ok != (tt.want != "") || !strings.HasPrefix(news.Text, tt.want) {
			t.Errorf("%s: %q, %v", tt.of, news.Text, ok)
		}
	}
}

// TestHeaviestToasts: of many things at once, what is gone is told before what
// a neighbour became.
func TestHeaviestToasts(t *testing.T) {
	var toasts []Toast
	for i, health := range []string{"passing", "critical", "warning", "passing", "critical"} {
		for _, of := range []activity.Type{activity.TypeHostHealthChanged, activity.TypeDatabaseDeregistered} {
			if of == activity.TypeDatabaseDeregistered && i != 1 {
				continue
			}
			news, ok := NewToast(&activity.Entry{Type: of, Metadata: fmt.Appendf(nil, `{"hostname":"h%d","sid":"PRD","health":%q}`, i, health)})
			if !ok {
				t.Fatal(of)
			}
			toasts = append(toasts, news)
		}
	}
	for _, tt := range []struct {
		most int
		want []string
	}{
		{1, []string{"The HANA database PRD has been deregistered."}},
		{3, []string{"The health of h1 changed to critical.", "The HANA database PRD has been deregistered.", "The health of h4 changed to critical."}},
		{4, []string{"The health of h1 changed to critical.", "The HANA database PRD has been deregistered.", "The health of h2 changed to warning.", "The health of h4 changed to critical."}},
	} {
		var got []string
		for _, news := range Heaviest(slices.Clone(toasts), tt.most) {
			got = append(got, news.Text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("the %d heaviest are %q, want %q", tt.most, got, tt.want)
		}
	}
}
