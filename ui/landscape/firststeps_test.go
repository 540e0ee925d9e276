package landscape

import (
	"strings"
	"testing"
)

// TestFirstSteps checks which steps a reader is shown, and which of them are
// done.
func TestFirstSteps(t *testing.T) {
	t.Parallel()
	everything := func(string) bool { return true }
	all := installation{Agents: true, OtherManager: true, SecondFactor: true, Encrypted: true, Backups: true, Alerts: true}
	but := func(change func(*installation)) installation {
		i := all
		change(&i)
		return i
	}
	for name, c := range map[string]struct {
		is  installation
		can func(string) bool
		// steps has a letter for each step: agent, manager, TLS, sign-in, backup,
		// alerts. It is a capital if the step is left.
		steps string
	}{
		"a new server":          {installation{IsDefaultAdmin: true}, everything, "AMTSBN"},
		"all done":              {all, everything, "amtsbn"},
		"no agent":              {but(func(i *installation) { i.Agents = false }), everything, "Amtsbn"},
		"no other manager":      {but(func(i *installation) { i.OtherManager = false }), everything, "aMtsbn"},
		"no TLS":                {but(func(i *installation) { i.Encrypted = false }), everything, "amTsbn"},
		"no second factor":      {but(func(i *installation) { i.SecondFactor = false }), everything, "amtSbn"},
		"single sign-on":        {but(func(i *installation) { i.SecondFactor, i.SingleSignOn = false, true }), everything, "amtsbn"},
		"no backup":             {but(func(i *installation) { i.Backups = false }), everything, "amtsBn"},
		"nobody is alerted":     {but(func(i *installation) { i.Alerts = false }), everything, "amtsbN"},
		"who only reads":        {installation{}, func(string) bool { return false }, ""},
		"who manages users":     {installation{}, func(a string) bool { return a == "all:users" }, "MS"},
		"who cares for alerts":  {installation{}, func(a string) bool { return a == "all:alerting_settings" }, "N"},
		"who cares for the key": {installation{Agents: true}, func(a string) bool { return a == "all:api_key_settings" }, "a"},
	} {
		got := ""
		for _, s := range firstSteps(c.is, c.can) {
			letter := map[string]string{
				"Connect the first agent": "A", "Create a second user manager": "M", "Let somebody else manage users": "M",
				"Encrypt connections": "T", "Protect sign-ins": "S", "Make backups": "B", "Name who gets alerts": "N",
			}[s.Title]
			if s.Done {
				letter = strings.ToLower(letter)
			}
			got += letter
			if s.Why == "" || !strings.HasPrefix(s.URL, "/") {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if got != c.steps {
			t.Errorf("%s: %s, want %s", name, got, c.steps)
		}
	}
}

// TestShownFirstSteps checks when the dashboard shows the steps.
func TestShownFirstSteps(t *testing.T) {
	t.Parallel()
	left, done := firstStep{Title: "left"}, firstStep{Title: "done", Done: true}
	for name, c := range map[string]struct {
		steps        []firstStep
		hide         bool
		shown        int
		done, hidden int
	}{
		"none":               {nil, false, 0, 0, 0},
		"all are left":       {[]firstStep{left, left}, false, 2, 0, 0},
		"one is done":        {[]firstStep{left, done}, false, 2, 1, 0},
		"all are done":       {[]firstStep{done, done}, false, 0, 0, 0},
		"hidden":             {[]firstStep{left, done, left}, true, 0, 0, 2},
		"hidden, and so all": {[]firstStep{done}, true, 0, 0, 0},
	} {
		if got := newFirstSteps(c.steps, c.hide); len(got.Steps) != c.shown || got.Done != c.done || got.Hidden != c.hidden {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
