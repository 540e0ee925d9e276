package account

import (
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/ui/api"
	"trento/ui/page"
)

// subject is one page of the settings.
type subject struct {
	id              string // last part of its address
	anchor          string // id of its row in the overview
	label           string
	icon            string
	words           string // what people may call it, in lower case
	requiredAbility string // ability to see it; "": everybody
	effect          string // what a change does, as sentences
	// changes are the types of the log entries about it; changeText is what they
	// say was done.
	changes    []activity.Type
	changeText string
	read       func(*settingsHandlers, *store.Tx, *settingsPage) error // reads its part of the page
	state      func(*settingsPage) subjectState
}

// subjectState says how a subject stands.
type subjectState struct {
	Words string
	Icon  string // of a state that needs attention, else ""
}

// The ids of the subjects that have forms.
const (
	subjectAPIKey      = "api_key"
	subjectMessages    = "messages"
	subjectAlerting    = "alerting"
	subjectTokens      = "tokens"
	subjectActivityLog = "activity_log"
	subjectBackup      = "backup"
	subjectDisplays    = "displays"
)

func subjectPath(id string, below ...string) string {
	return strings.Join(append([]string{"/settings", id}, below...), "/")
}

// subjects returns the subjects of the settings, in their order.
func subjects() []subject {
	return []subject{
		{
			id: subjectAPIKey, anchor: "api-key", label: "API key", icon: "key", words: "agent agents secret generate rotate expiry",
			effect:  "A new key replaces the present one at once: every agent is refused until the new key is in its configuration.",
			changes: []activity.Type{activity.TypeAPIKeyGeneration}, changeText: "Generated",
			read: (*settingsHandlers).readKeySection, state: keyState,
		},
		{
			id: subjectMessages, anchor: "messages", label: "Messages to agents", icon: "agent", words: "amqp rabbitmq facts-service-url password broker",
			effect:  "A new password cuts all agents off from messages at once. Running agents go on reporting.",
			changes: []activity.Type{activity.TypeMessageCredentialRotation}, changeText: "Password replaced",
			read: (*settingsHandlers).readMessageSection, state: func(p *settingsPage) subjectState { return p.Messages.state() },
		},
		{
			id: subjectAlerting, anchor: "alerts", label: "E-mail alerts", icon: "bell", words: "email smtp mail server recipient sender notification webhook",
			effect:  "A change counts for the next message. What was sent is not sent again.",
			changes: []activity.Type{activity.TypeSavingAlertingSettings, activity.TypeChangingAlertingSettings}, changeText: "Changed",
			read: (*settingsHandlers).readAlertSection, state: func(p *settingsPage) subjectState { return p.Alerts.state() },
		},
		{
			id: "webhooks", anchor: "webhooks", label: "Webhooks", icon: "activity", words: "events http json chat incident post", requiredAbility: page.AbilityAlertSettings,
			changes: webhookChanges, changeText: "Changed",
			read: func(_ *settingsHandlers, tx *store.Tx, p *settingsPage) (err error) {
				p.Webhooks, err = newWebhookSection(tx)
				return err
			},
			state: func(p *settingsPage) subjectState { return p.Webhooks.state() },
		},
		{
			id: subjectDisplays, anchor: "displays", label: "Screens on the wall", icon: "dashboard", words: "wall display screen monitor tv kiosk dashboard", requiredAbility: page.AbilityUsers,
			effect:  "A screen that is removed shows nothing from that moment.",
			changes: []activity.Type{activity.TypeDisplayCreation, activity.TypeDisplayPairing, activity.TypeDisplayDeletion}, changeText: "Changed",
			read: (*settingsHandlers).readDisplaySection, state: func(p *settingsPage) subjectState { return p.Displays.state() },
		},
		{
			id: subjectTokens, anchor: "tokens", label: "Personal access tokens", icon: "key", words: "pat api lifetime basic password",
			effect:  "A change counts at once, for existing tokens as well. Only the lifetimes are for new ones.",
			changes: []activity.Type{activity.TypePersonalAccessTokenSettingsUpdate}, changeText: "Changed",
			read: (*settingsHandlers).readTokenSection, state: func(p *settingsPage) subjectState { return p.Tokens.state() },
		},
		{
			id: "single_sign_on", anchor: "single-sign-on", label: "Single sign-on", icon: "users", words: "sso oidc openid oauth saml identity provider login", requiredAbility: page.AbilityUsers,
			effect: "The configuration of the server decides. A change there needs a restart, and ends no session.",
			read:   (*settingsHandlers).readProviderSection, state: func(p *settingsPage) subjectState { return p.Provider.state() },
		},
		{
			id: subjectActivityLog, anchor: "activity-log", label: "Retention of the activity log", icon: "clock", words: "time keep delete old entries logs",
			effect:  "With a shorter time, entries that are older are deleted at the next midnight (UTC) and cannot be restored. With a longer one, nothing happens now.",
			changes: []activity.Type{activity.TypeActivityLogSettingsUpdate}, changeText: "Changed",
			read: (*settingsHandlers).readActivitySection, state: func(p *settingsPage) subjectState {
				return subjectState{Words: "Entries are kept for " + p.ActivityLog.Retention}
			},
		},
		{
			id: "forwarding", anchor: "forwarding", label: "Forwarding of the activity log", icon: "right", words: "syslog opentelemetry otlp siem", requiredAbility: page.AbilityActivitySettings,
			effect: "The configuration of the server names the receivers. A new one gets the entries from then on.",
			read: func(s *settingsHandlers, tx *store.Tx, p *settingsPage) (err error) {
				p.Forwarding, err = s.newForwardingSection(tx)
				return err
			},
			state: func(p *settingsPage) subjectState { return p.Forwarding.state() },
		},
		{
			id: subjectBackup, anchor: "backup", label: "Backup", icon: "download", words: "backups restore archive passphrase download", requiredAbility: allAbilities,
			changes: []activity.Type{activity.TypeBackupCreation}, changeText: "Made",
			read: func(s *settingsHandlers, _ *store.Tx, p *settingsPage) error {
				p.Backup = s.newBackupSettings()
				return nil
			},
			state: func(p *settingsPage) subjectState { return p.Backup.state() },
		},
	}
}

// webhookChanges are the types of the log entries about changes of webhooks.
var webhookChanges = []activity.Type{activity.TypeWebhookCreation, activity.TypeWebhookModification, activity.TypeWebhookDeletion, activity.TypeWebhookDisabling}

// visibleSubjects returns the subjects that a reader may see.
func visibleSubjects(reader page.Reader) []subject {
	return slices.DeleteFunc(subjects(), func(x subject) bool { return x.requiredAbility != "" && !reader.Can(x.requiredAbility) })
}

// Subject is a page of the settings, for those who look for it.
type Subject struct{ Label, URL, Icon, Words, Needs string }

// Subjects returns all pages of the settings.
func Subjects() []Subject {
	var all []Subject
	for _, x := range subjects() {
		all = append(all, Subject{x.label, subjectPath(x.id), x.icon, x.words, x.requiredAbility})
	}
	return all
}

// subjectRow is a subject in the overview.
type subjectRow struct {
	Anchor, Label, URL, Icon string
	State                    subjectState
}

// subjectLink is a subject in the navigation beside its page.
type subjectLink struct {
	Label, URL string
	Current    bool
}

// lastChange is the newest log entry about a change.
type lastChange struct {
	Done, Actor, URL string
	At               page.Timestamp
}

// showSettings answers GET /settings: the subjects that contain all words, and
// how each stands.
func (s *settingsHandlers) showSettings(w http.ResponseWriter, r *http.Request) error {
	p := settingsPage{Frame: s.NewFrame(r, "Settings"), Words: strings.TrimSpace(r.URL.Query().Get("q"))}
	p.Live = "setting webhook"
	words := strings.Fields(strings.ToLower(p.Words))
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		for _, x := range visibleSubjects(p.Reader) {
			if err := x.read(s, tx, &p); err != nil {
				return err
			}
			row := subjectRow{x.anchor, x.label, subjectPath(x.id), x.icon, x.state(&p)}
			text := strings.ToLower(x.label + " " + x.words + " " + x.effect + " " + row.State.Words)
			if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
				p.Overview = append(p.Overview, row)
			}
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// showSubject returns the handler that answers GET /settings/ID.
func (s *settingsHandlers) showSubject(id string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.renderSubject(w, r, id, http.StatusOK, func(*settingsPage) {})
	}
}

// redirectToSubject returns a handler of a former address of a subject.
func redirectToSubject(id string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, subjectPath(id), http.StatusMovedPermanently)
		return nil
	}
}

// renderSubject shows a page of the settings. change modifies it before it is
// sent.
func (s *settingsHandlers) renderSubject(w http.ResponseWriter, r *http.Request, id string, status int, change func(*settingsPage)) error {
	all := subjects()
	x := all[slices.IndexFunc(all, func(x subject) bool { return x.id == id })]
	p := settingsPage{Frame: s.NewFrame(r, x.label+" – Settings"), Subject: x.id, Anchor: x.anchor, Label: x.label, Effect: x.effect}
	p.Live, p.Links = "setting", subjectLinks(p.Reader, id)
	var err error
	if p.Changed, err = s.findLastChange(r, x); err != nil {
		return err
	}
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		if err := x.read(s, tx, &p); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	change(&p)
	return s.Render(w, r, status, &p)
}

// subjectLinks returns the navigation beside the page of a subject.
func subjectLinks(reader page.Reader, current string) (links []subjectLink) {
	for _, x := range visibleSubjects(reader) {
		links = append(links, subjectLink{x.label, subjectPath(x.id), x.id == current})
	}
	return links
}

// findLastChange returns the newest log entry about changes of a subject; nil if
// the reader may see none. The index knows the entries of a type, so the log is
// not searched through. It must not be called inside a transaction.
func (s *settingsHandlers) findLastChange(r *http.Request, x subject) (*lastChange, error) {
	if len(x.changes) == 0 {
		return nil, nil
	}
	viewer := api.ViewerOf(auth.From(r.Context()))
	filter, err := viewer.Narrow(activity.Filter{Types: x.changes})
	if err != nil {
		return nil, err
	}
	found, err := viewer.Find(r.Context(), s.Search, filter, search.Walk{Limit: 1})
	if err != nil || len(found.Entries) == 0 {
		return nil, err
	}
	e := found.Entries[0]
	return &lastChange{Done: x.changeText, Actor: viewer.Actor(e.Actor), At: s.Timestamp(e.OccurredOn()), URL: "/activity_log?entry=" + e.Position.Cursor()}, nil
}
