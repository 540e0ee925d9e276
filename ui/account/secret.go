package account

import (
	"context"
	"crypto/sha512"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
)

// A secret that is shown once stays on its page until the reader has confirmed
// that it is stored. A refresh or another dialog must not remove it. So it is
// kept here, in memory, for the session that created it. It is forgotten with
// the session, at a restart, and as soon as it is no longer valid.

// secretKind tells what a secret is for.
type secretKind string

// The kinds of secrets that are shown once.
const (
	tokenSecret    secretKind = "token"
	keySecret      secretKind = "api_key"
	passwordSecret secretKind = "password"
	webhookSecret  secretKind = "webhook"
	displayCode    secretKind = "display" // not in a dialog, but beside its screen
)

// secret is a text that is shown once.
type secret struct {
	Kind secretKind
	ID   string // of the token, the key, the user, the webhook or the screen
	Name string // of the token, the user, the webhook or the screen
	Text string
	// Messages says that the password for messages was replaced together with
	// the key.
	Messages bool
}

// The limits of kept secrets: secrets per session, beyond which the oldest is
// forgotten, and sessions.
const (
	maxSessionSecrets = 8
	maxSecretSessions = 1000
)

// secrets are the shown secrets by session, the newest last.
type secrets struct {
	mu        sync.Mutex
	bySession map[[32]byte][]secret
}

// add keeps a secret for a session and replaces one of the same thing. If too
// many sessions have secrets, it forgets those of ended sessions first.
func (s *secrets) add(session [32]byte, shown secret, ended func([32]byte) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bySession == nil {
		s.bySession = make(map[[32]byte][]secret)
	}
	if len(s.bySession) >= maxSecretSessions {
		for other := range s.bySession {
			if ended(other) {
				delete(s.bySession, other)
			}
		}
	}
	for other := range s.bySession {
		if len(s.bySession) < maxSecretSessions {
			break
		}
		delete(s.bySession, other)
	}
	own := slices.DeleteFunc(slices.Clone(s.bySession[session]), func(other secret) bool { return other.Kind == shown.Kind && other.ID == shown.ID })
	own = append(own, shown)
	s.bySession[session] = own[max(0, len(own)-maxSessionSecrets):]
}

// ofSession returns the secrets of a session.
func (s *secrets) ofSession(session [32]byte) []secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bySession[session])
}

// remove forgets one secret.
func (s *secrets) remove(session [32]byte, kind secretKind, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := slices.DeleteFunc(slices.Clone(s.bySession[session]), func(other secret) bool { return other.Kind == kind && other.ID == id })
	if len(own) == 0 {
		delete(s.bySession, session)
		return
	}
	s.bySession[session] = own
}

// forget forgets all secrets of a session.
func (s *secrets) forget(session [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bySession, session)
}

// secretDialog shows a secret. Only its button closes it.
type secretDialog struct {
	secret
	Title   string
	Warning string
	Ends    string // sentence about when it stops working
	Use     string // how to use the secret; an example, Header, follows
	Header  string
	File    string // name of the file that it is downloaded to
	Noun    string // "token", "key" or "password"
	Home    string // path of the page that shows it
	Asks    bool   // the dialog asks before closing: the secret was neither copied nor downloaded
}

// keepSecret keeps a secret for the session of the request.
func (s *handlerBase) keepSecret(ctx context.Context, shown secret) {
	s.secrets.add(auth.From(ctx).SessionHash, shown, func(session [32]byte) bool {
		err := s.Store.ViewIn(ctx, func(tx *store.Tx) error {
			_, err := tx.Session(session)
			return err
		})
		return errors.Is(err, store.ErrNotFound)
	})
}

// secretsOf returns the secrets of the reader's session that are still valid.
func (s *handlerBase) secretsOf(tx *store.Tx, id *auth.Identity) (good []secret, err error) {
	for _, shown := range s.secrets.ofSession(id.SessionHash) {
		live, err := s.isSecretValid(tx, id, shown)
		if err != nil {
			return nil, err
		}
		if live {
			good = append(good, shown)
		} else {
			s.secrets.remove(id.SessionHash, shown.Kind, shown.ID)
		}
	}
	return good, nil
}

// isSecretValid reports whether a secret is still valid: the token exists and has not
// been regenerated, the key has not been replaced, the user of the password
// exists, or the secret of the webhook is the present one.
func (s *handlerBase) isSecretValid(tx *store.Tx, id *auth.Identity, shown secret) (bool, error) {
	var err error
	live := true
	switch shown.Kind {
	case tokenSecret:
		var t *store.Token
		if t, err = tx.Token(id.User.ID, shown.ID); err == nil {
			live = t.Hash == sha512.Sum512([]byte(shown.Text))
		}
	case keySecret:
		var key *store.APIKey
		if key, err = tx.APIKey(); err == nil {
			live = key.ID == shown.ID
		}
	case webhookSecret:
		var w auth.Webhook
		if w, err = s.Auth.Webhook(tx, shown.ID); err == nil {
			live = w.Secrets[0] == shown.Text
		}
	case displayCode:
		var d *store.Display
		if d, err = tx.Display(shown.ID); err == nil {
			live = s.Auth.IsCodeOf(d, shown.Text)
		}
	case passwordSecret:
		var user int64
		if user, err = strconv.ParseInt(shown.ID, 10, 64); err == nil {
			_, err = tx.User(user)
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return live, err
}

// newSecretDialog returns the dialog with the newest secret of a kind and,
// unless id is "", of that id. It returns nil if there is no such secret.
func (s *handlerBase) newSecretDialog(tx *store.Tx, reader *auth.Identity, kind secretKind, id string) (*secretDialog, error) {
	all, err := s.secretsOf(tx, reader)
	if err != nil {
		return nil, err
	}
	for _, shown := range slices.Backward(all) {
		if shown.Kind == kind && (id == "" || shown.ID == id) {
			return s.describeSecret(tx, reader.User, shown), nil
		}
	}
	return nil, nil
}

// describeSecret returns the dialog for a secret.
func (s *handlerBase) describeSecret(tx *store.Tx, reader *store.User, shown secret) *secretDialog {
	d := &secretDialog{secret: shown, Home: secretPagePath(shown)}
	switch shown.Kind {
	case tokenSecret:
		d.Title, d.Noun, d.File = "Generated Token", "token", shown.Name+".token"
		d.Warning = "The token is shown until you close this, and never again. Copy it now and keep it like a password; if it is lost, regenerate it."
		d.Use, d.Header = "Send it in the header of every request:", "Authorization: Bearer trento_pat_…"
		if t, err := tx.Token(reader.ID, shown.ID); err == nil {
			d.Ends = expirySentence(t.ExpiresAt, reader.Timezone)
		}
	case keySecret:
		d.Title, d.Noun, d.File = "Generated API Key", "key", "trento-api.key"
		d.Warning = "Put this key into the configuration of every agent. Until then the agents are refused."
		if shown.Messages {
			d.Warning += " The password for messages was replaced as well: every agent also needs the new facts-service-url, which the page Messages to agents has."
		}
		if key, err := tx.APIKey(); err == nil {
			d.Ends = s.describeKeyExpiry(key)
		}
	case webhookSecret:
		d.Title, d.Noun, d.File = "Secret of the Webhook", "secret", shown.Name+".secret"
		d.Warning = "The secret is shown until you close this, and never again. Give it to the receiver, which checks with it that events come from this server; if it is lost, replace it."
		d.Use, d.Header = "Libraries of Standard Webhooks check it with the header", "webhook-signature"
	case passwordSecret:
		d.Title, d.Noun, d.File = "Generated Password", "password", shown.Name+".password"
		d.Warning = "The password is shown until you close this, and never again. Give it to the user in a safe way; the user is advised to change it."
	}
	return d
}

// secretPagePath returns the path of the page that shows a secret.
func secretPagePath(shown secret) string {
	switch shown.Kind {
	case keySecret:
		return subjectPath(subjectAPIKey)
	case passwordSecret:
		id, _ := strconv.ParseInt(shown.ID, 10, 64) // cannot fail: the id was made from a number
		return UserPath(id, "edit")
	case webhookSecret:
		return webhookPath(shown.ID)
	}
	return "/profile"
}

// closeSecret removes a secret if the form says that its text was copied or
// downloaded. Otherwise it returns the dialog that asks whether to close it
// anyway.
func (s *handlerBase) closeSecret(ctx context.Context, kind secretKind, form url.Values) (*secretDialog, error) {
	id := auth.From(ctx)
	var d *secretDialog
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		d, err = s.newSecretDialog(tx, id, kind, form.Get("secret"))
		return err
	})
	if err != nil || d == nil {
		return nil, err
	}
	if form.Get("stored") != "yes" {
		d.Asks = true
		return d, nil
	}
	s.secrets.remove(id.SessionHash, kind, d.ID)
	return nil, nil
}

// closeTokenSecret answers POST /profile/tokens/shown.
func (s *profileHandlers) closeTokenSecret(w http.ResponseWriter, r *http.Request) error {
	asks, err := s.closeSecret(r.Context(), tokenSecret, r.PostForm)
	if err != nil {
		return err
	}
	if asks == nil {
		http.Redirect(w, r, "/profile#tokens", http.StatusSeeOther)
		return nil
	}
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	p.Secret = asks
	return s.renderProfile(w, r, http.StatusOK, p)
}

// closeKeySecret answers POST /settings/api_key/shown.
func (s *settingsHandlers) closeKeySecret(w http.ResponseWriter, r *http.Request) error {
	asks, err := s.closeSecret(r.Context(), keySecret, r.PostForm)
	if err != nil {
		return err
	}
	if asks == nil {
		http.Redirect(w, r, subjectPath(subjectAPIKey), http.StatusSeeOther)
		return nil
	}
	return s.renderSubject(w, r, subjectAPIKey, http.StatusOK, func(p *settingsPage) { p.Secret = asks })
}

// closePasswordSecret answers POST /users/{id}/password/shown.
func (s *userHandlers) closePasswordSecret(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userByID(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	r.PostForm.Set("secret", strconv.FormatInt(u.ID, 10))
	asks, err := s.closeSecret(r.Context(), passwordSecret, r.PostForm)
	if err != nil {
		return err
	}
	if asks == nil {
		http.Redirect(w, r, UserPath(u.ID, "edit"), http.StatusSeeOther)
		return nil
	}
	return s.renderEditedUser(w, r, u, func(p *userPage) { p.Secret = asks })
}

// secretBanners returns banners that link to shown secrets on other pages than
// the one at path.
func (s *handlerBase) secretBanners(tx *store.Tx, reader *auth.Identity, path string) (banners []page.Banner, err error) {
	all, err := s.secretsOf(tx, reader)
	for _, shown := range all {
		if shown.Kind == displayCode {
			continue
		}
		d := s.describeSecret(tx, reader.User, shown)
		if path == d.Home || path == d.Action() {
			continue
		}
		text := "A new " + d.Noun + " waits to be stored by you."
		if d.Name != "" {
			text = "The new " + d.Noun + " “" + d.Name + "” waits to be stored by you."
		}
		banners = append(banners, page.Banner{Severity: "warning", Text: text, Link: page.Link{Name: "Show it", URL: d.Home}})
	}
	return banners, err
}

// Action returns the address that the button of the dialog sends its form to.
func (d *secretDialog) Action() string {
	switch d.Kind {
	case keySecret:
		return "/settings/api_key/shown"
	case passwordSecret:
		id, _ := strconv.ParseInt(d.ID, 10, 64)
		return UserPath(id, "password/shown")
	case webhookSecret:
		return webhookPath(d.ID, "secret", "shown")
	}
	return "/profile/tokens/shown"
}
