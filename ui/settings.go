package ui

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// settingsPage is what the product is set to.
type settingsPage struct {
	Frame
	Created Moment
	Expiry  string
	Expired bool
	Key     string // the text of the agent API key; empty for those who may not see it
	Connect connection

	ActivityLog activitySettings
}

// connection is what it takes to point an agent at this server.
type connection struct {
	ServerURL string
	MayRead   bool // the viewer may read the key
	KeyAbove  bool // and the page shows it
}

// abilityAPIKey lets a user read the agent API key.
const abilityAPIKey = "all:api_key_settings"

// settings answers GET /settings.
func (s *server) settings(w http.ResponseWriter, r *http.Request) error {
	return s.showSettings(w, r, http.StatusOK, func(*settingsPage) {})
}

// showSettings shows the settings as they are, after change has put into the
// page what it is about.
func (s *server) showSettings(w http.ResponseWriter, r *http.Request, status int, change func(*settingsPage)) error {
	p := settingsPage{Frame: s.newFrame(r, "Settings"), Connect: s.connection(r)}
	p.Live = "setting"
	var key *store.APIKey
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		if key, err = tx.APIKey(); err != nil {
			return err
		}
		if p.ActivityLog, err = newActivitySettings(tx, auth.From(r.Context())); err != nil {
			return err
		}
		return s.fill(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Created = s.moment(key.CreatedAt)
	p.Expiry = "Key will never expire"
	if key.ExpiresAt != nil {
		end := s.moment(*key.ExpiresAt)
		p.Expiry = "Key will expire " + end.Text()
		if p.Expired = !s.options.Store.Now().Before(*key.ExpiresAt); p.Expired {
			p.Expiry = "Key expired " + end.Text()
		}
	}
	if p.Connect.MayRead {
		p.Key, p.Connect.KeyAbove = s.options.Auth.APIKeyText(key), true
	}
	change(&p)
	return s.render(w, r, status, pageSettings, &p)
}

func (s *server) connection(r *http.Request) connection {
	scheme := "http"
	if s.options.Auth.Secure(r) {
		scheme = "https"
	}
	return connection{ServerURL: scheme + "://" + r.Host, MayRead: auth.From(r.Context()).Can(abilityAPIKey)}
}
