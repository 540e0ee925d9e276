package account

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// ownTokenHandlers answer requests of users about their own tokens.
type ownTokenHandlers struct {
	*profileHandlers // they show the page that the dialogs are on
}

func (s *ownTokenHandlers) routes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/expiry", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showExpiry},
		{Method: "GET", Path: "/profile/tokens/new", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.createToken)},
		{Method: "POST", Path: "/profile/tokens/new", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.createToken)},
		{Method: "GET", Path: "/profile/tokens/delete", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: page.ReadForm(s.deleteTokens)},
		{Method: "POST", Path: "/profile/tokens/delete", Access: auth.SignedIn, Handle: page.ReadForm(s.deleteTokens)},
		{Method: "GET", Path: "/profile/tokens/{token}/edit", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.editToken},
		{Method: "POST", Path: "/profile/tokens/{token}/edit", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.editToken)},
		{Method: "GET", Path: "/profile/tokens/{token}/regenerate", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.regenerateToken)},
		{Method: "POST", Path: "/profile/tokens/{token}/regenerate", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.regenerateToken)},
		{Method: "GET", Path: "/profile/tokens/{token}/expire", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.expireToken},
		{Method: "POST", Path: "/profile/tokens/{token}/expire", Access: auth.SignedIn, Handle: page.ReadForm(s.expireToken)},
	}
}

// tokenDialog creates or changes a token.
type tokenDialog struct {
	Title, Intro, Action, Verb string
	ResetURL                   string // address of the form with its initial values
	Name, Description          *page.Field
	Expiry                     expiryInput
	Scopes                     *scopePicker
	Password                   *page.Field
	Faults                     []page.FaultLink
	Failure                    string
	Typed                      bool
	Creates                    bool // true if the dialog creates a token
}

func (s *handlerBase) tokenSettings(ctx context.Context) (settings *store.TokenSettings, err error) {
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		settings, err = tx.TokenSettings()
		return err
	})
	return settings, err
}

// passwordField returns a field for the reader's password if changes of tokens
// require it; else nil.
func passwordField(id *auth.Identity, settings *store.TokenSettings) *page.Field {
	if !id.MustConfirmTokens(settings) {
		return nil
	}
	return confirmationField(id)
}

// confirmationField returns a field for the reader's password; nil if the
// reader need not repeat it.
func confirmationField(id *auth.Identity) *page.Field {
	if !id.MustConfirm() {
		return nil
	}
	return &page.Field{Name: "current_password", Label: "Your password", Type: "password", Autocomplete: "current-password", Required: true}
}

// confirmingIdentity returns the sender of a form together with the password
// that the form repeats.
func confirmingIdentity(r *http.Request) *auth.Identity {
	return auth.From(r.Context()).Confirming(r.PostForm.Get("current_password"))
}

// ownToken returns a token of the reader.
func (s *ownTokenHandlers) ownToken(ctx context.Context, tokenID string) (t *store.Token, err error) {
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.Token(auth.From(ctx).User.ID, tokenID)
		return err
	})
	return t, err
}

func (d *tokenDialog) fillFields(name, description string) {
	d.Name = &page.Field{Name: "name", ID: "token-name", Label: "Name", Type: "text", Value: name, Autocomplete: "off", Max: auth.MaxName, Required: true, Focus: true}
	d.Description = &page.Field{Name: "description", ID: "token-description", Label: "Description", Type: "text", Value: description, Autocomplete: "off", Max: auth.MaxTokenDescription, Help: "What uses it, and where: helps whoever has to renew it."}
}

// readInput copies the input into the dialog. It returns the chosen scopes.
func (d *tokenDialog) readInput(sets []auth.ScopeSet, maker *auth.Identity, form url.Values) (scopes []string) {
	d.fillFields(form.Get("name"), form.Get("description"))
	d.Typed = true
	scopes = table.Unique(form["scope"])
	access := form.Get("access")
	if access == fullScope {
		scopes = []string{fullScope}
	} else if scopes == nil {
		scopes = []string{} // choosing none is a fault; nil would leave the scopes unchanged
	}
	picker := newScopePicker(sets, scopes)
	if access != fullScope && access != chosenScopes {
		picker.Fault = "Choose what it may be used for"
	}
	picker.offerAdministration(maker, d.Creates, form.Get("may_grant_administration") == "true")
	d.Scopes = &picker
	return scopes
}

// inputFaults returns the faults that package auth cannot find.
func (d *tokenDialog) inputFaults() (faults fault.Errors) {
	if d.Expiry.Fault != "" {
		faults.Add("expires_at", d.Expiry.Fault)
	}
	if d.Scopes != nil && d.Scopes.Fault != "" {
		faults.Add("scopes", d.Scopes.Fault)
	}
	return faults
}

// showFaults shows faults at their fields. It returns false if the error is not
// about the input.
func (d *tokenDialog) showFaults(err error) bool {
	faults, ok := page.FieldFaults(err)
	if !ok {
		return false
	}
	fields := []*page.Field{}
	for _, f := range []*page.Field{d.Name, d.Description, d.Password} {
		if f != nil {
			fields = append(fields, f)
		}
	}
	for _, fault := range faults {
		switch fault.Field {
		case "expires_at":
			d.Expiry.Fault = page.FaultWords(fault.Detail)
		case "may_grant_administration":
			d.Scopes.Fault = "May grant administration " + fault.Detail
		case "scopes":
			switch {
			case d.Scopes.Fault != "": // the fault is shown already
			case fault.Detail == "can't be blank":
				d.Scopes.Fault = "Choose at least one set or operation"
			default:
				d.Scopes.Fault = page.FaultWords(fault.Detail)
			}
		}
	}
	faults = slices.DeleteFunc(slices.Clone(faults), func(f fault.Error) bool {
		return f.Field == "expires_at" || f.Field == "scopes" || f.Field == "may_grant_administration"
	})
	var rest []string
	d.Faults, rest = page.ApplyFaults(faults, fields...)
	d.Failure = strings.Join(rest, ". ")
	if d.Expiry.Fault != "" {
		d.Faults = append(d.Faults, page.FaultLink{Label: "Expires", Text: d.Expiry.Fault, URL: "#expiry"})
	}
	if d.Scopes != nil && d.Scopes.Fault != "" {
		d.Faults = append(d.Faults, page.FaultLink{Label: "May be used for", Text: d.Scopes.Fault, URL: "#scopes"})
	}
	return true
}

// renderTokenDialog shows the profile with the dialog.
func (s *ownTokenHandlers) renderTokenDialog(w http.ResponseWriter, r *http.Request, status int, d *tokenDialog) error {
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	if p.Tokens.Refused == "" && p.Secret == nil {
		p.Token = d
	}
	return s.renderProfile(w, r, status, p)
}

// showToken redirects to the page that shows the text of a token until the
// reader confirms that it is stored.
func (s *ownTokenHandlers) showToken(w http.ResponseWriter, r *http.Request, t *store.Token, text string) error {
	s.keepSecret(r.Context(), secret{Kind: tokenSecret, ID: t.ID, Name: t.Name, Text: text})
	http.Redirect(w, r, "/profile", http.StatusSeeOther)
	return nil
}

// newTokenExpiry returns the expiry part of the form that creates a token or,
// if present is not nil, that regenerates it.
func (s *ownTokenHandlers) newTokenExpiry(zone string, settings *store.TokenSettings, present *store.Token) expiryInput {
	now := s.Store.Now()
	modes := []string{expiryIn, "In", expiryOn, "On", expiryNever, "Never Expires"}
	if settings.MaxLifetimeDays != nil {
		modes = modes[:4]
	}
	chosen := expiryIn
	if present != nil && !present.Expired(now) && (present.ExpiresAt != nil || settings.MaxLifetimeDays == nil) {
		modes = append([]string{expiryKeep, "As before: " + lowerFirst(expirySentence(present.ExpiresAt, zone))}, modes...)
		chosen = expiryKeep
	}
	e := newExpiryInput(now, zone, settings.DefaultLifetimeDays, chosen, modes...)
	if days := settings.MaxLifetimeDays; days != nil {
		e.setLastDay(now.AddDate(0, 0, *days))
		e.Help = "At most " + page.Count(*days, "day", "days") + " from now: the settings say so."
	}
	return e
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// limitExpiry moves an expiry at the end of a day to the latest time that the
// settings allow, if that is on the same day. So the longest lifetime can be
// chosen.
func limitExpiry(end *time.Time, now time.Time, settings *store.TokenSettings) *time.Time {
	if end == nil || settings.MaxLifetimeDays == nil {
		return end
	}
	last := now.AddDate(0, 0, *settings.MaxLifetimeDays)
	if end.After(last) && end.Sub(last) < 24*time.Hour {
		return &last
	}
	return end
}

// proposedToken returns the name and scopes that a program such as trento-web
// login proposes in the address of the form. Nothing is created before the
// reader has seen them.
func proposedToken(query url.Values) (name string, scopes []string) {
	if scopes = query["scope"]; len(scopes) == 0 {
		scopes = []string{fullScope}
	}
	return query.Get("name"), scopes
}

// createToken answers GET and POST /profile/tokens/new.
func (s *ownTokenHandlers) createToken(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	settings, err := s.tokenSettings(r.Context())
	if err != nil {
		return err
	}
	d := tokenDialog{
		Title: "Generate Token", Action: "/profile/tokens/new", ResetURL: "/profile/tokens/new", Verb: "Generate Token", Expiry: s.newTokenExpiry(auth.From(r.Context()).User.Timezone, settings, nil), Password: passwordField(id, settings), Creates: true,
		Intro: "A token lets a program use the API in your name, without your password. It can never do more than you may do.",
	}
	from := r.URL.Query().Get("copy")
	if from != "" {
		d.Action = page.WithQuery(d.Action, url.Values{"copy": {from}})
		d.ResetURL = d.Action
	}
	now := s.Store.Now()
	if r.Method != http.MethodPost {
		name, scopes := proposedToken(r.URL.Query())
		administers := false
		d.fillFields(name, "")
		if from != "" {
			t, err := s.ownToken(r.Context(), from)
			if err != nil {
				return err
			}
			d.fillFields("", t.Description)
			d.Name.Help = "A copy of “" + t.Name + "”; names are unique."
			scopes, administers = t.Scopes, t.MayGrantAdministration
			if t.ExpiresAt != nil {
				d.Expiry.Number = strconv.Itoa(max(1, int(t.ExpiresAt.Sub(t.CreatedAt)/(24*time.Hour))))
			} else if settings.MaxLifetimeDays == nil {
				d.Expiry.Modes = withChosen(d.Expiry.Modes, expiryNever)
			}
			d.Expiry.Words = d.Expiry.describe(now)
		}
		picker := newScopePicker(s.Auth.ScopeSets(), scopes)
		picker.offerAdministration(id, true, administers)
		d.Scopes = &picker
		return s.renderTokenDialog(w, r, http.StatusOK, &d)
	}
	scopes := d.readInput(s.Auth.ScopeSets(), auth.From(r.Context()), r.PostForm)
	_, end := d.Expiry.readForm(r.PostForm, now)
	var t *store.Token
	var text string
	t, text, err = s.Auth.CreateToken(r.Context(), confirmingIdentity(r), auth.NewToken{
		Name: d.Name.Value, Description: d.Description.Value, Scopes: scopes, ExpiresAt: limitExpiry(end, now, settings), Wrong: d.inputFaults(),
		MayGrantAdministration: d.Scopes.Administration != nil && d.Scopes.Administration.Chosen,
	})
	if err == nil {
		return s.showToken(w, r, t, text)
	}
	if d.showFaults(err) {
		return s.renderTokenDialog(w, r, http.StatusUnprocessableEntity, &d)
	}
	return err
}

// editToken answers GET and POST /profile/tokens/{token}/edit.
func (s *ownTokenHandlers) editToken(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	t, err := s.ownToken(r.Context(), page.PathVar(r, "token"))
	if err != nil {
		return err
	}
	settings, err := s.tokenSettings(r.Context())
	if err != nil {
		return err
	}
	now := s.Store.Now()
	d := tokenDialog{
		Title: "Edit Token", Action: r.URL.Path, ResetURL: r.URL.Path, Verb: "Save", Password: passwordField(id, settings),
		Intro:  "The text of the token stays the same. Its end can be brought forward, not put off: for that, regenerate it.",
		Expiry: newExpiryInput(now, id.User.Timezone, settings.DefaultLifetimeDays, expiryKeep, expiryKeep, "As before: "+lowerFirst(expirySentence(t.ExpiresAt, id.User.Timezone)), expiryOn, "On"),
	}
	if t.ExpiresAt != nil {
		d.Expiry.setLastDay(*t.ExpiresAt)
	}
	if t.Expired(now) {
		d.Expiry.Modes = d.Expiry.Modes[:1]
	}
	if r.Method != http.MethodPost {
		d.fillFields(t.Name, t.Description)
		picker := newScopePicker(s.Auth.ScopeSets(), t.Scopes)
		picker.offerAdministration(id, false, false)
		d.Scopes = &picker
		return s.renderTokenDialog(w, r, http.StatusOK, &d)
	}
	scopes := d.readInput(s.Auth.ScopeSets(), auth.From(r.Context()), r.PostForm)
	_, end := d.Expiry.readForm(r.PostForm, now)
	// Choosing the day of the present expiry is not a change.
	if end != nil && t.ExpiresAt != nil && end.After(*t.ExpiresAt) && end.Sub(*t.ExpiresAt) < 24*time.Hour {
		end = nil
	}
	_, err = s.Auth.ChangeToken(r.Context(), confirmingIdentity(r), t.ID, auth.TokenChange{
		Name: &d.Name.Value, Description: &d.Description.Value, Scopes: scopes, ExpiresAt: end, Wrong: d.inputFaults(),
	})
	if d.showFaults(err) {
		return s.renderTokenDialog(w, r, http.StatusUnprocessableEntity, &d)
	}
	if err != nil {
		return err
	}
	return s.redirectToTokens(w, r, fmt.Sprintf("The token “%s” was changed.", d.Name.Value))
}

// regenerateToken answers GET and POST /profile/tokens/{token}/regenerate.
func (s *ownTokenHandlers) regenerateToken(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	t, err := s.ownToken(r.Context(), page.PathVar(r, "token"))
	if err != nil {
		return err
	}
	settings, err := s.tokenSettings(r.Context())
	if err != nil {
		return err
	}
	d := tokenDialog{
		Title: "Regenerate Token", Action: r.URL.Path, ResetURL: r.URL.Path, Verb: "Regenerate Token", Password: passwordField(id, settings), Expiry: s.newTokenExpiry(auth.From(r.Context()).User.Timezone, settings, t),
		Intro: fmt.Sprintf("The token “%s” gets a new text and keeps its name and what it may be used for. The text it has now stops working at once, and so does every program that uses it.", t.Name),
	}
	if r.Method != http.MethodPost {
		return s.renderTokenDialog(w, r, http.StatusOK, &d)
	}
	d.Typed = true
	now := s.Store.Now()
	mode, end := d.Expiry.readForm(r.PostForm, now)
	if d.Expiry.Fault != "" {
		faults, _ := page.FieldFaults(s.Auth.ConfirmToken(r.Context(), confirmingIdentity(r)))
		err = append(d.inputFaults(), faults...)
	} else {
		var text string
		t, text, err = s.Auth.RegenerateToken(r.Context(), confirmingIdentity(r), t.ID, mode == expiryKeep, limitExpiry(end, now, settings))
		if err == nil {
			return s.showToken(w, r, t, text)
		}
	}
	if d.showFaults(err) {
		return s.renderTokenDialog(w, r, http.StatusUnprocessableEntity, &d)
	}
	return err
}

func (s *ownTokenHandlers) redirectToTokens(w http.ResponseWriter, r *http.Request, news string) error {
	s.SetFlash(w, r, news)
	http.Redirect(w, r, "/profile#tokens", http.StatusSeeOther)
	return nil
}

// expireToken answers GET and POST /profile/tokens/{token}/expire.
func (s *ownTokenHandlers) expireToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.ownToken(r.Context(), page.PathVar(r, "token"))
	if err != nil {
		return err
	}
	ask := expireQuestion(t)
	ask.Action, ask.CloseURL = r.URL.Path, "/profile"
	return s.endTokens(w, r, &ask, fmt.Sprintf("The token “%s” has expired.", t.Name), func(id *auth.Identity) error {
		_, err := s.Auth.ExpireToken(r.Context(), id, t.ID)
		return err
	})
}

func expireQuestion(t *store.Token) page.Confirmation {
	return page.Confirmation{
		Title: "Expire Token", Form: "confirmation-form", Verb: "Expire Now", Danger: true, Plan: "yes",
		Sentences: []string{fmt.Sprintf("The token “%s” ends now. Every program that uses it is refused from this moment. It stays in the list, and regenerating it brings it back with a new text.", t.Name)},
	}
}

// deleteTokens answers GET and POST /profile/tokens/delete: it deletes the
// named tokens, or all of them.
func (s *ownTokenHandlers) deleteTokens(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	all, wanted := r.Form.Get("all") == "true", table.Unique(r.Form["token"])
	var chosen []*store.Token
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		tokens, err := tx.Tokens(id.User.ID)
		chosen = slices.DeleteFunc(tokens, func(t *store.Token) bool { return !all && !slices.Contains(wanted, t.ID) })
		return err
	})
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return s.redirectToTokens(w, r, "No token was chosen, and none was deleted.")
	}
	ask := page.Confirmation{
		Title: "Delete Token", Action: "/profile/tokens/delete", Form: "confirmation-form", Verb: "Delete Token", Danger: true, CloseURL: "/profile",
		Sentences: []string{"This cannot be undone. Every program that uses it stops working at once."},
	}
	if len(chosen) > 1 {
		ask.Title, ask.Verb = "Delete "+page.Count(len(chosen), "Token", "Tokens"), "Delete "+page.Count(len(chosen), "Token", "Tokens")
		ask.Sentences = []string{"This cannot be undone. Every program that uses one of them stops working at once."}
	}
	ids := make([]string, len(chosen))
	for i, t := range chosen {
		ids[i] = t.ID
		ask.Things = append(ask.Things, t.Name)
		ask.Keep = append(ask.Keep, page.HiddenInput{Name: "token", Value: t.ID})
	}
	// Only tokens that were listed are deleted, not ones created since.
	ask.Plan = strings.Join(ids, " ")
	return s.endTokens(w, r, &ask, page.Count(len(ids), "token was", "tokens were")+" deleted.", func(id *auth.Identity) error {
		return s.Auth.DeleteTokens(r.Context(), id, ids...)
	})
}

// endTokens expires or deletes tokens of the reader: it shows the confirmation
// ask, which includes the password if that is required, and calls end once the
// reader has confirmed.
func (s *ownTokenHandlers) endTokens(w http.ResponseWriter, r *http.Request, ask *page.Confirmation, done string, end func(*auth.Identity) error) error {
	settings, err := s.tokenSettings(r.Context())
	if err != nil {
		return err
	}
	ask.Password = passwordField(auth.From(r.Context()), settings)
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.askInProfile(w, r, ask)
	}
	err = end(confirmingIdentity(r))
	if ask.Refuse(err) {
		return s.askInProfile(w, r, ask)
	}
	if err != nil {
		return err
	}
	return s.redirectToTokens(w, r, done)
}
