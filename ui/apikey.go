package ui

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// keyDialog makes a new agent API key, in two steps: when it is to end, and
// whether it really is to be.
type keyDialog struct {
	Expiry  expiry
	Failure string
	Warn    bool // the second step
	Keep    []hidden
	Key     string // the new one; then there is nothing to ask any more
	Ends    string
}

// keyWarning is how many days before its end an API key is spoken of.
const keyWarning = 30

// newKey answers GET and POST /settings/api_key.
func (s *server) newKey(w http.ResponseWriter, r *http.Request) error {
	id, now := auth.From(r.Context()), s.options.Store.Now()
	d := keyDialog{Expiry: newExpiry(now, id.User.Timezone, 12, expiryIn, expiryIn, "In", expiryOn, "On", expiryNever, "Never Expires")}
	d.Expiry.Units = chosen(d.Expiry.Units, "months")
	if r.Method != http.MethodPost {
		return s.showSettings(w, r, http.StatusOK, func(p *settingsPage) { p.NewKey = &d })
	}
	_, end := d.Expiry.read(r.PostForm, now)
	show := func(p *settingsPage) { p.NewKey = &d }
	switch {
	case d.Expiry.Fault != "" || r.PostForm.Get("back") != "":
		status := http.StatusUnprocessableEntity
		if d.Expiry.Fault == "" {
			status = http.StatusOK
		}
		return s.showSettings(w, r, status, show)
	case r.PostForm.Get("confirmed") != "yes":
		d.Warn = true
		for _, name := range []string{"expiry", "number", "unit", "day"} {
			d.Keep = append(d.Keep, hidden{name, r.PostForm.Get(name)})
		}
		return s.showSettings(w, r, http.StatusOK, show)
	}
	key, err := s.options.Auth.RegenerateAPIKey(r.Context(), id, end)
	if faults, ok := fieldFaults(err); ok {
		d.Expiry.Fault = faultWords(faults[0].Detail)
		return s.showSettings(w, r, http.StatusUnprocessableEntity, show)
	}
	if err != nil {
		return err
	}
	d.Key, d.Ends = s.options.Auth.APIKeyText(key), s.keyEnd(key)
	return s.showSettings(w, r, http.StatusOK, show)
}

// keyEnd says when a key ends.
func (s *server) keyEnd(key *store.APIKey) string {
	if key.ExpiresAt == nil {
		return "Key will never expire"
	}
	end := s.moment(*key.ExpiresAt)
	if key.Expired(s.options.Store.Now()) {
		return "Key expired " + end.Text()
	}
	return "Key will expire " + end.Text()
}
