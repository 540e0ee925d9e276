package account

import (
	"net/http"
	"net/url"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/page"
)

// keyPath is the path of the dialog that generates a key.
const keyPath = "/settings/api_key/new"

// keySection shows the API key.
type keySection struct {
	Created  page.Timestamp
	Expiry   string
	Expired  bool
	Text     string // the key; empty if the reader may not see it
	Generate page.Control
}

// readKeySection reads the API key, and the dialog with a new one.
func (s *settingsHandlers) readKeySection(tx *store.Tx, p *settingsPage) error {
	key, err := tx.APIKey()
	if err != nil {
		return err
	}
	p.Key = keySection{
		Created: s.Timestamp(key.CreatedAt), Expiry: s.describeKeyExpiry(key), Expired: key.Expired(s.Store.Now()),
		Generate: *p.Control(page.AbilityAPIKey, "Generate Key", keyPath),
	}
	if p.Can(page.AbilityAPIKey) {
		p.Key.Text = s.Auth.APIKeyText(key)
		p.Secret, err = s.newSecretDialog(tx, p.Identity(), keySecret, "")
	}
	return err
}

func keyState(p *settingsPage) subjectState {
	if p.Key.Expired {
		return subjectState{p.Key.Expiry + ": agents are refused", "critical"}
	}
	return subjectState{Words: p.Key.Expiry}
}

// keyDialog creates a new API key for agents in two steps: choosing the expiry,
// and confirming.
type keyDialog struct {
	Expiry  expiryInput
	Failure string
	// OffersPassword says that the password for messages can be replaced as
	// well, ReplacesPassword that this was chosen.
	OffersPassword, ReplacesPassword bool
	Warn                             bool   // the dialog asks for confirmation
	Never                            bool   // the key never expires
	Ends                             string // when the key expires, as a sentence
	Keep                             []page.HiddenInput
}

// generateAPIKey answers GET and POST /settings/api_key/new.
func (s *settingsHandlers) generateAPIKey(w http.ResponseWriter, r *http.Request) error {
	id, now := auth.From(r.Context()), s.Store.Now()
	d := keyDialog{Expiry: newExpiryInput(now, id.User.Timezone, 12, expiryIn, expiryIn, "In", expiryOn, "On", expiryNever, "Never Expires")}
	d.Expiry.Noun, d.Expiry.Units = "key", withChosen(d.Expiry.Units, "months")
	d.Expiry.Words = d.Expiry.describe(now)
	var err error
	if d.OffersPassword, err = s.canReplaceMessagePassword(r); err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return s.renderSubject(w, r, subjectAPIKey, http.StatusOK, func(p *settingsPage) { p.NewKey = &d })
	}
	mode, end := d.Expiry.readForm(r.PostForm, now)
	d.readReplacePassword(r.PostForm)
	show := func(p *settingsPage) { p.NewKey = &d }
	switch {
	case d.Expiry.Fault != "" || d.Failure != "":
		return s.renderSubject(w, r, subjectAPIKey, http.StatusUnprocessableEntity, show)
	case r.PostForm.Get("back") != "":
		return s.renderSubject(w, r, subjectAPIKey, http.StatusOK, show)
	case r.PostForm.Get("confirmed") != "yes":
		d.Warn, d.Never, d.Ends = true, mode == expiryNever, d.Expiry.Words
		for _, name := range []string{"expiry", "number", "unit", "day"} {
			d.Keep = append(d.Keep, page.HiddenInput{Name: name, Value: r.PostForm.Get(name)})
		}
		if d.ReplacesPassword {
			d.Keep = append(d.Keep, page.HiddenInput{Name: replacePasswordField, Value: "true"})
		}
		return s.renderSubject(w, r, subjectAPIKey, http.StatusOK, show)
	}
	key, err := s.Auth.RegenerateAPIKey(r.Context(), id, end, d.ReplacesPassword)
	if faults, ok := page.FieldFaults(err); ok {
		d.Expiry.Fault = page.FaultWords(faults[0].Detail)
		return s.renderSubject(w, r, subjectAPIKey, http.StatusUnprocessableEntity, show)
	}
	if err != nil {
		return err
	}
	s.keepSecret(r.Context(), secret{Kind: keySecret, ID: key.ID, Text: s.Auth.APIKeyText(key), Messages: d.ReplacesPassword})
	http.Redirect(w, r, subjectPath(subjectAPIKey), http.StatusSeeOther)
	return nil
}

// replacePasswordField is the name of the check box that replaces the password for
// messages together with the key.
const replacePasswordField = "rotate_message_credential"

// readReplacePassword reads the check box.
func (d *keyDialog) readReplacePassword(form url.Values) {
	var wrong fault.Errors
	d.ReplacesPassword = page.ReadCheckbox(form, replacePasswordField, &wrong)
	switch {
	case len(wrong) > 0:
		d.Failure = "Whether to replace the password for messages is " + wrong[0].Detail + "."
	case d.ReplacesPassword && !d.OffersPassword:
		d.Failure = "The password for messages cannot be replaced here. The page Messages to agents says why."
	}
}

// describeKeyExpiry says when an API key expires, or that it never does.
func (s *handlerBase) describeKeyExpiry(key *store.APIKey) string {
	if key.ExpiresAt == nil {
		return "Key will never expire"
	}
	end := s.Timestamp(*key.ExpiresAt)
	if key.Expired(s.Store.Now()) {
		return "Key expired " + end.Text()
	}
	return "Key will expire " + end.Text()
}
