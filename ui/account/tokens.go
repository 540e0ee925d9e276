package account

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// userTokenHandlers answer requests about the tokens of all users, and about
// the log of their use.
type userTokenHandlers struct {
	*userHandlers // they show the page that the dialogs are on
}

func (s *userTokenHandlers) routes() []api.Route {
	managers := auth.Needs(page.AbilityUsers)
	return []api.Route{
		{Method: "GET", Path: "/users/{id}/tokens/log", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showTokenUses},
		{Method: "GET", Path: "/users/{id}/tokens/{token}/expire", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.expireTokenOf},
		{Method: "POST", Path: "/users/{id}/tokens/{token}/expire", Access: managers, Tokens: auth.InSets("user_management").As("POST /api/v1/users/{id}/tokens/{token_id}/expire"), Handle: page.ReadForm(s.expireTokenOf)},
		{Method: "GET", Path: "/users/{id}/tokens/{token}/delete", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.deleteTokenOf},
		{Method: "POST", Path: "/users/{id}/tokens/{token}/delete", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}/tokens/{token_id}"), Handle: page.ReadForm(s.deleteTokenOf)},
		{Method: "GET", Path: "/tokens", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showTokens},
		{Method: "GET", Path: "/tokens.csv", Access: managers, Tokens: auth.InSets("read_only").As("GET /api/v1/personal_access_tokens"), Handle: s.downloadTokens},
		{Method: "GET", Path: "/profile/tokens/log", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showTokenUses},
	}
}

// tokensPage is the list of the personal access tokens of all users.
type tokensPage struct {
	table.Page
	Rows   []tokenRow
	Return string // query of dialog addresses that leads back to this list
}

// Template implements page.Page.
func (*tokensPage) Template() string { return "tokens" }

// tokenItem is a token in the list, with its owner.
type tokenItem struct {
	*store.Token
	owner    *store.User
	state    string
	scopes   []string
	lastUsed *time.Time
}

// tokensTable declares the list of tokens.
var tokensTable = table.Table[*tokenItem]{
	Path: "/tokens", Noun: "token", DefaultOrder: "The newest first", ID: func(t *tokenItem) string { return t.Token.ID },
	Columns: []table.Column[*tokenItem]{
		{Key: "name", Label: "Name", Text: func(t *tokenItem) string { return t.Name }},
		{
			Key: "owner", Label: "Owner", Text: func(t *tokenItem) string { return t.owner.Username },
			Facet: &table.Facet[*tokenItem]{Value: func(t *tokenItem) string { return t.owner.Username }},
		},
		{
			Key: "status", Label: "Status", Text: (*tokenItem).status,
			Facet: &table.Facet[*tokenItem]{Value: (*tokenItem).status},
		},
		{
			Key: "scopes", Label: "May be used for", Text: func(t *tokenItem) string { return strings.Join(t.scopes, ", ") },
			Facet: &table.Facet[*tokenItem]{Values: func(t *tokenItem) []string { return t.scopes }},
		},
		{
			Key: "created", Label: "Created", Text: func(t *tokenItem) string { return page.ISOOrEmpty(&t.CreatedAt) },
			Order: func(t *tokenItem) string { return table.OrderOfTime(t.CreatedAt) },
		},
		{
			Key: "expires", Label: "Expires", Text: func(t *tokenItem) string { return page.ISOOrEmpty(t.ExpiresAt) },
			Order: func(t *tokenItem) string { return table.OrderOfTime(expiryRank(t.ExpiresAt)) },
		},
		{
			Key: "last_used", Label: "Last used", Text: func(t *tokenItem) string { return page.ISOOrEmpty(t.lastUsed) },
			Order: func(t *tokenItem) string { return table.OrderOfTime(page.TimeOrZero(t.lastUsed)) },
		},
	},
	Health: func(*tokenItem) landscape.Health { return landscape.HealthUnknown },
	Urgent: func(a, b *tokenItem) int { return b.CreatedAt.Compare(a.CreatedAt) },
	Tie:    func(a, b *tokenItem) int { return cmp.Compare(a.ID, b.ID) },
}

// expiryRank sorts tokens that never expire last.
func expiryRank(t *time.Time) time.Time {
	if t == nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return *t
}

func (t *tokenItem) status() string {
	switch {
	case t.state == "expired":
		return "Expired"
	case !t.owner.Enabled():
		return "Owner disabled"
	case t.state == "soon":
		return "Expires soon"
	}
	return "Active"
}

func (s *userTokenHandlers) tokenItems(tx *store.Tx) ([]*tokenItem, error) {
	users, err := page.Collect(tx.Users())
	if err != nil {
		return nil, err
	}
	owners := page.ByID(users, func(u *store.User) int64 { return u.ID })
	var all []*tokenItem
	for t, err := range tx.AllTokens() {
		if err != nil {
			return nil, err
		}
		if owner := owners[t.UserID]; owner != nil {
			all = append(all, &tokenItem{t, owner, tokenState(t, s.Store.Now()), s.scopeNames(t), tx.TokenLastUsed(t.ID)})
		}
	}
	return all, nil
}

// showTokens answers GET /tokens.
func (s *userTokenHandlers) showTokens(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	p := tokensPage{Page: table.NewPage(s.Console, r, &tokensTable, "Personal Access Tokens")}
	p.Live, p.Return = "user token", p.WithReturn("")
	var all []*tokenItem
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		if all, err = s.tokenItems(tx); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	onPage, _, ok, err := tokensTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	for _, t := range onPage {
		p.Rows = append(p.Rows, tokenRow{
			ID: t.ID, Version: table.Version(t.UpdatedAt), Name: t.Name, Description: t.Description, State: t.state, Disabled: !t.owner.Enabled(),
			Owner: page.Link{Name: t.owner.Username, URL: UserPath(t.owner.ID, "edit")}, Path: UserPath(t.owner.ID, "tokens/"+t.ID),
			Expiry: s.TimestampOf(t.ExpiresAt), Scopes: t.scopes, Created: s.Timestamp(t.CreatedAt), LastUsed: s.TimestampOf(t.lastUsed),
		})
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// downloadTokens answers GET /tokens.csv.
func (s *userTokenHandlers) downloadTokens(w http.ResponseWriter, r *http.Request) error {
	return table.CSVHandlerFor(s.Console, &tokensTable, func(ctx context.Context) (all []*tokenItem, err error) {
		err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
			all, err = s.tokenItems(tx)
			return err
		})
		return all, err
	})(w, r)
}

// tokenOf returns a user and one of the user's tokens, by their ids in an
// address.
func (s *userTokenHandlers) tokenOf(ctx context.Context, userID, tokenID string) (u *store.User, t *store.Token, err error) {
	if u, err = s.userByID(ctx, userID); err != nil {
		return nil, nil, err
	}
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.Token(u.ID, tokenID)
		return err
	})
	return u, t, err
}

// expireTokenOf answers GET and POST /users/{id}/tokens/{token}/expire.
func (s *userTokenHandlers) expireTokenOf(w http.ResponseWriter, r *http.Request) error {
	u, t, err := s.tokenOf(r.Context(), page.PathVar(r, "id"), page.PathVar(r, "token"))
	if err != nil {
		return err
	}
	ask := expireQuestion(t)
	ask.Sentences = []string{fmt.Sprintf("The token “%s” of %s ends now. Every program that uses it is refused from this moment. It stays in the list, and %s can bring it back with a new text.", t.Name, u.Username, u.Username)}
	return s.endTokenOf(w, r, u, &ask, fmt.Sprintf("The token “%s” of %s has expired.", t.Name, u.Username), func(id *auth.Identity) error {
		_, err := s.Auth.ExpireTokenOf(r.Context(), id, u.ID, t.ID)
		return err
	})
}

// deleteTokenOf answers GET and POST /users/{id}/tokens/{token}/delete.
func (s *userTokenHandlers) deleteTokenOf(w http.ResponseWriter, r *http.Request) error {
	u, t, err := s.tokenOf(r.Context(), page.PathVar(r, "id"), page.PathVar(r, "token"))
	if err != nil {
		return err
	}
	ask := page.Confirmation{
		Title: "Delete Token", Form: "confirmation-form", Verb: "Delete Token", Danger: true, Plan: "yes", Things: []string{t.Name},
		Sentences: []string{fmt.Sprintf("The token of %s will be deleted. This cannot be undone. Every program that uses it stops working at once.", u.Username)},
	}
	return s.endTokenOf(w, r, u, &ask, fmt.Sprintf("The token “%s” of %s was deleted.", t.Name, u.Username), func(id *auth.Identity) error {
		return s.Auth.DeleteTokenOf(r.Context(), id, u.ID, t.ID)
	})
}

// endTokenOf expires or deletes a token of another user: it shows the
// confirmation ask, which includes the password if that is required, and calls
// end once the reader has confirmed.
func (s *userTokenHandlers) endTokenOf(w http.ResponseWriter, r *http.Request, u *store.User, ask *page.Confirmation, done string, end func(*auth.Identity) error) error {
	settings, err := s.tokenSettings(r.Context())
	if err != nil {
		return err
	}
	ask.Password = passwordField(auth.From(r.Context()), settings)
	ask.CloseURL, ask.Action = page.ReturnFrom(r, UserPath(u.ID, "edit")+"#tokens")
	show := func(p *userPage) { p.Ask = ask }
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderEditedUser(w, r, u, show)
	}
	err = end(confirmingIdentity(r))
	if ask.Refuse(err) {
		return s.renderEditedUser(w, r, u, show)
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, done)
	http.Redirect(w, r, ask.CloseURL, http.StatusSeeOther)
	return nil
}

// tokenUseRow is a request made with a token.
type tokenUseRow struct {
	At            page.Timestamp
	Token         string
	Text          string // whether the text was replaced or deleted meanwhile; "" for the valid text
	Request       string // method and path
	Status        int
	Refused       bool
	Address       string
	Device, Agent string
	Via           string
}

// usesPage is the authentication log of a user's tokens.
type usesPage struct {
	page.Frame
	Of      string // owner of the tokens, unless it is the reader
	Back    page.Link
	Tokens  []page.Option // filter by token
	Path    string
	Rows    []tokenUseRow
	Export  table.CSVAddress
	NextURL string
	First   string // address of the newest uses; empty on that page
}

// Template implements page.Page.
func (*usesPage) Template() string { return "uses" }

// usesPerPage is the number of uses on a page.
const usesPerPage = 50

// tokenTextStates are the words for token texts that are not valid any more.
var tokenTextStates = map[string]string{store.TextReplaced: "replaced text", store.TextDeleted: "deleted token"}

// viaNames are the names of the ways to send a token.
var viaNames = map[string]string{"bearer": "Bearer", "basic": "Basic", "parameter": "Parameter", "login": "Sign-in"}

// userOfLog returns the user whose log is requested, and whether that is the
// reader. userID is "" for the reader.
func (s *userTokenHandlers) userOfLog(ctx context.Context, userID string) (u *store.User, own bool, err error) {
	if userID == "" {
		return auth.From(ctx).User, true, nil
	}
	u, err = s.userByID(ctx, userID)
	return u, false, err
}

// showTokenUses answers GET /profile/tokens/log and /users/{id}/tokens/log.
func (s *userTokenHandlers) showTokenUses(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	u, own, err := s.userOfLog(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	q := r.URL.Query()
	token := q.Get("token")
	p := usesPage{Frame: s.NewFrame(r, "Authentication log"), Path: r.URL.Path, Back: page.Link{Name: "Back to Profile", URL: "/profile#tokens"}}
	if !own {
		p.Of, p.Back = u.Username, page.Link{Name: "Back to " + u.Username, URL: UserPath(u.ID, "edit") + "#tokens"}
	}
	p.Live = "token"
	var next string
	before, err := activity.ParseCursor(q.Get("before"))
	if err != nil {
		before = 0 // start with the newest, so that an old bookmark still works
	}
	if err := s.Store.FlushTokenUses(r.Context()); err != nil {
		return err
	}
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		tokens, err := tx.Tokens(u.ID)
		if err != nil {
			return err
		}
		p.Tokens = []page.Option{{Label: "All tokens", Chosen: token == ""}}
		for _, t := range tokens {
			p.Tokens = append(p.Tokens, page.Option{Value: t.ID, Label: t.Name, Chosen: t.ID == token})
		}
		used, err := tx.UsedTokens(u.ID)
		if err != nil {
			return err
		}
		for _, t := range used {
			if !page.HasOption(p.Tokens, t.ID) {
				p.Tokens = append(p.Tokens, page.Option{Value: t.ID, Label: t.Name + " (deleted)", Chosen: t.ID == token})
			}
		}
		uses, more, err := tx.TokenUses(u.ID, token, before, usesPerPage)
		if err != nil {
			return err
		}
		for i := range uses {
			p.Rows = append(p.Rows, s.newTokenUseRow(&uses[i]))
		}
		if more > 0 {
			next = more.Cursor()
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	only := map[string][]string{}
	if token != "" {
		only["token"] = []string{token}
	}
	export := "/api/v1/profile/token_authentications.csv"
	if !own {
		export = fmt.Sprintf("/api/v1/users/%d/token_authentications.csv", u.ID)
	}
	p.Export = table.CSVAddress(export)
	if token != "" {
		p.Export = table.CSVAddress(page.WithQuery(export, url.Values{"token_id": {token}}))
	}
	if q.Get("before") != "" {
		p.First = page.WithQuery(p.Path, only)
	}
	if next != "" {
		on := map[string][]string{"before": {next}}
		if token != "" {
			on["token"] = []string{token}
		}
		p.NextURL = page.WithQuery(p.Path, on)
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func (s *userTokenHandlers) newTokenUseRow(u *store.TokenUse) tokenUseRow {
	return tokenUseRow{
		At: s.Timestamp(u.OccurredOn()), Token: u.TokenName, Text: tokenTextStates[u.Text], Request: u.Method + " " + u.Path, Status: u.Status, Refused: u.Status >= http.StatusBadRequest,
		Address: u.Address, Device: deviceName(u.UserAgent), Agent: u.UserAgent, Via: cmp.Or(viaNames[u.Via], u.Via),
	}
}
