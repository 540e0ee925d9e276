package landscape

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
)

// FirstSteps are the things to set up on a new server that the reader may do.
// The dashboard shows them until all are done, or until the reader hides them.
type FirstSteps struct {
	Steps  []firstStep // empty if they are hidden, or all are done
	Done   int
	Hidden int // number of steps that are left, if they are hidden
}

// firstStep is a thing to set up.
type firstStep struct {
	Title, Why      string
	URL             string // of the page where it is done
	Done            bool
	requiredAbility string // ability to do it
}

// installation is what the first steps depend on.
type installation struct {
	Agents         bool // a host has reported
	OtherManager   bool // somebody but the default admin manages users
	SingleSignOn   bool
	SecondFactor   bool // the reader has a second factor; for the default admin, another user who manages users
	IsDefaultAdmin bool // the reader is
	Encrypted      bool
	Backups        bool // they are made regularly, or one was made on request
	Alerts         bool // somebody or a program is alerted
}

// allAbilities permits everything.
const allAbilities = "all:all"

// settingsURL returns the address of the settings about a subject.
func settingsURL(subject string) string { return "/settings/" + subject }

// firstSteps returns the steps that a reader may do, in a sensible order.
func firstSteps(i installation, can func(ability string) bool) []firstStep {
	manager := firstStep{Title: "Create a second user manager", URL: "/users/new", requiredAbility: page.AbilityUsers, Done: i.OtherManager,
		Why: "The default admin is for emergencies: it cannot have a second factor, and the log does not tell who used it."}
	if i.SingleSignOn {
		manager.Title, manager.URL = "Let somebody else manage users", "/users"
		manager.Why = "Nobody but the default admin manages users. Give the permission all:users to somebody who has signed in once."
	}
	signIn := firstStep{Title: "Protect sign-ins", URL: "/profile", requiredAbility: page.AbilityUsers, Done: i.SingleSignOn || i.SecondFactor,
		Why: "A second factor keeps out whoever learns a password. Single sign-on leaves that to your identity provider."}
	if i.IsDefaultAdmin {
		signIn.URL = "/users"
		signIn.Why = "The default admin cannot have a second factor, but a user manager can: in Profile, or by single sign-on."
	}
	all := []firstStep{
		{Title: "Connect the first agent", URL: "/agents/connect", requiredAbility: page.AbilityAPIKey, Done: i.Agents,
			Why: "Hosts, clusters, databases and SAP systems appear by themselves once an agent runs on each host."},
		manager,
		{Title: "Encrypt connections", URL: "/about#checks", requiredAbility: allAbilities, Done: i.Encrypted,
			Why: "Others on the network can read passwords, sessions and the key of the agents. A certificate takes two variables."},
		signIn,
		{Title: "Make backups", URL: settingsURL("backup"), requiredAbility: allAbilities, Done: i.Backups,
			Why: "What happens after the last backup is lost with the disk."},
		{Title: "Name who gets alerts", URL: settingsURL("alerting"), requiredAbility: page.AbilityAlertSettings, Done: i.Alerts,
			Why: "Nobody is told when a host or an SAP system fails, unless somebody looks here."},
	}
	return slices.DeleteFunc(all, func(s firstStep) bool { return !can(s.requiredAbility) })
}

// newFirstSteps returns what the dashboard shows of the steps.
func newFirstSteps(steps []firstStep, hidden bool) FirstSteps {
	done := 0
	for _, s := range steps {
		if s.Done {
			done++
		}
	}
	switch {
	case done == len(steps):
		return FirstSteps{}
	case hidden:
		return FirstSteps{Hidden: len(steps) - done}
	}
	return FirstSteps{Steps: steps, Done: done}
}

// readFirstSteps returns the first steps of a reader. agents says that a host
// has reported.
func (s *Pages) readFirstSteps(ctx context.Context, reader page.Reader, agents bool) (FirstSteps, error) {
	if len(firstSteps(installation{}, reader.Can)) == 0 {
		return FirstSteps{}, nil
	}
	i := installation{Agents: agents, SingleSignOn: s.Auth.Provider() != nil, Encrypted: s.Encrypted, Backups: s.BackupSchedule != nil}
	hidden := false
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		user, err := tx.User(reader.Identity().User.ID)
		if err != nil {
			return err
		}
		hidden, i.IsDefaultAdmin = user.FirstStepsHiddenAt != nil, s.Auth.DefaultAdmin(user)
		i.SecondFactor = user.TOTPEnabledAt != nil
		for other, err := range tx.Users() {
			if err != nil {
				return err
			}
			if s.Auth.DefaultAdmin(other) || !auth.ManagesUsers(other) {
				continue
			}
			i.OtherManager = true
			i.SecondFactor = i.SecondFactor || i.IsDefaultAdmin && other.TOTPEnabledAt != nil
		}
		alerts, err := s.Auth.AlertSettings(tx)
		if errors.Is(err, auth.ErrNoAlertSettings) {
			return nil
		}
		i.Alerts = alerts.Enabled && (len(alerts.Recipients) > 0 || alerts.WebhookURL != "")
		return err
	})
	if errors.Is(err, store.ErrNotFound) { // the user has just been deleted
		return FirstSteps{}, nil
	}
	if err == nil && !i.Backups && s.LastBackup != nil {
		i.Backups = !s.LastBackup(ctx).IsZero()
	}
	return newFirstSteps(firstSteps(i, reader.Can), hidden), err
}

// hideFirstSteps answers POST /first_steps: it hides the list from the user who
// asks for it, or shows it again.
func (s *Pages) hideFirstSteps(w http.ResponseWriter, r *http.Request) error {
	if err := s.Store.SetFirstStepsHidden(r.Context(), auth.From(r.Context()).User.ID, r.PostForm.Get("show") == "no"); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
