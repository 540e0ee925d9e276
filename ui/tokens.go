package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
)

// tokensPage is the list of the personal access tokens of all users.
type tokensPage struct {
	tablePage
	Rows   []tokenRow
	Return string // behind the address of a dialog: where it leads back to
}

// tokenItem is a token in the list, with its owner.
type tokenItem struct {
	*store.Token
	owner    *store.User
	state    string
	scopes   []string
	lastUsed *time.Time
}

// tokensTable is what can be done with the list of tokens.
var tokensTable = table[*tokenItem]{
	path: "/tokens", noun: "token", usual: "The newest first",
	columns: []column[*tokenItem]{
		{key: "name", label: "Name", text: func(t *tokenItem) string { return t.Name }},
		{
			key: "owner", label: "Owner", text: func(t *tokenItem) string { return t.owner.Username },
			facet: &facetOf[*tokenItem]{value: func(t *tokenItem) string { return t.owner.Username }},
		},
		{
			key: "status", label: "Status", text: (*tokenItem).status,
			facet: &facetOf[*tokenItem]{value: (*tokenItem).status},
		},
		{
			key: "scopes", label: "May be used for", text: func(t *tokenItem) string { return strings.Join(t.scopes, ", ") },
			facet: &facetOf[*tokenItem]{values: func(t *tokenItem) []string { return t.scopes }},
		},
		{
			key: "created", label: "Created", text: func(t *tokenItem) string { return isoOf(&t.CreatedAt) },
			compare: func(a, b *tokenItem) int { return a.CreatedAt.Compare(b.CreatedAt) },
		},
		{
			key: "expires", label: "Expires", text: func(t *tokenItem) string { return isoOf(t.ExpiresAt) },
			compare: func(a, b *tokenItem) int { return expiryRank(a.ExpiresAt).Compare(expiryRank(b.ExpiresAt)) },
		},
		{
			key: "last_used", label: "Last used", text: func(t *tokenItem) string { return isoOf(t.lastUsed) },
			compare: func(a, b *tokenItem) int { return momentOrZero(a.lastUsed).Compare(momentOrZero(b.lastUsed)) },
		},
	},
	health: func(*tokenItem) landscape.Health { return landscape.HealthUnknown },
	urgent: func(a, b *tokenItem) int { return b.CreatedAt.Compare(a.CreatedAt) },
	tie:    func(a, b *tokenItem) int { return cmp.Compare(a.ID, b.ID) },
}

// expiryRank puts tokens that never expire behind all others.
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

func (s *server) tokenItems(tx *store.Tx) ([]*tokenItem, error) {
	users, err := collect(tx.Users())
	if err != nil {
		return nil, err
	}
	owners := byID(users, func(u *store.User) int64 { return u.ID })
	var all []*tokenItem
	for t, err := range tx.AllTokens() {
		if err != nil {
			return nil, err
		}
		if owner := owners[t.UserID]; owner != nil {
			all = append(all, &tokenItem{t, owner, tokenState(t, s.options.Store.Now()), s.scopeWords(t), tx.TokenLastUsed(t.ID)})
		}
	}
	return all, nil
}

// tokens answers GET /tokens.
func (s *server) tokens(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := tokensPage{tablePage: newTablePage(s, r, &tokensTable, "Personal Access Tokens")}
	p.Live, p.Return = "user token", withReturn("", r)
	var all []*tokenItem
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		if all, err = s.tokenItems(tx); err != nil {
			return err
		}
		return s.fill(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	page, _, ok, err := tokensTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	for _, t := range page {
		p.Rows = append(p.Rows, tokenRow{
			ID: t.ID, Version: version(t.UpdatedAt), Name: t.Name, Description: t.Description, State: t.state, Disabled: !t.owner.Enabled(),
			Owner: link{Name: t.owner.Username, URL: userPath(t.owner.ID, "edit")}, Path: userPath(t.owner.ID, "tokens/"+t.ID),
			Expiry: s.timestampOf(t.ExpiresAt), Scopes: t.scopes, Created: s.timestamp(t.CreatedAt), LastUsed: s.timestampOf(t.lastUsed),
		})
	}
	return s.render(w, r, http.StatusOK, pageTokens, &p)
}

// tokensCSV answers GET /tokens.csv.
func (s *server) tokensCSV(w http.ResponseWriter, r *http.Request) error {
	return exportedFrom(s, &tokensTable, func() (all []*tokenItem, err error) {
		err = s.options.Store.View(func(tx *store.Tx) (err error) {
			all, err = s.tokenItems(tx)
			return err
		})
		return all, err
	})(w, r)
}

// tokenOf is the token of a user that an address names, with the user.
func (s *server) tokenOf(r *http.Request) (u *store.User, t *store.Token, err error) {
	if u, err = s.userOf(r); err != nil {
		return nil, nil, err
	}
	err = s.options.Store.View(func(tx *store.Tx) (err error) {
		t, err = tx.Token(u.ID, pathVar(r, "token"))
		return err
	})
	return u, t, err
}

// expireTokenOf answers GET and POST /users/{id}/tokens/{token}/expire.
func (s *server) expireTokenOf(w http.ResponseWriter, r *http.Request) error {
	u, t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	ask := expireQuestion(t)
	ask.Sentences = []string{fmt.Sprintf("The token “%s” of %s ends now. Every program that uses it is refused from this moment. It stays in the list, and %s can bring it back with a new text.", t.Name, u.Username, u.Username)}
	return s.endTokenOf(w, r, u, &ask, fmt.Sprintf("The token “%s” of %s has expired.", t.Name, u.Username), func(id *auth.Identity) error {
		_, err := s.options.Auth.ExpireTokenOf(r.Context(), id, u.ID, t.ID)
		return err
	})
}

// deleteTokenOf answers GET and POST /users/{id}/tokens/{token}/delete.
func (s *server) deleteTokenOf(w http.ResponseWriter, r *http.Request) error {
	u, t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	ask := confirmation{
		Title: "Delete Token", Form: "confirmation-form", Verb: "Delete Token", Danger: true, Plan: "yes", Things: []string{t.Name},
		Sentences: []string{fmt.Sprintf("The token of %s will be deleted. This cannot be undone. Every program that uses it stops working at once.", u.Username)},
	}
	return s.endTokenOf(w, r, u, &ask, fmt.Sprintf("The token “%s” of %s was deleted.", t.Name, u.Username), func(id *auth.Identity) error {
		return s.options.Auth.DeleteTokenOf(r.Context(), id, u.ID, t.ID)
	})
}

// endTokenOf asks, with the password of the reader where that is to be, and
// ends a token of somebody else.
func (s *server) endTokenOf(w http.ResponseWriter, r *http.Request, u *store.User, ask *confirmation, done string, end func(*auth.Identity) error) error {
	settings, err := s.tokenSettings()
	if err != nil {
		return err
	}
	ask.Password = passwordField(auth.From(r.Context()), settings)
	ask.CloseURL, ask.Action = returnFrom(r, userPath(u.ID, "edit")+"#tokens")
	show := func(p *userPage) { p.Ask = ask }
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.showEdit(w, r, u, show)
	}
	err = end(confirming(r))
	if ask.refuse(err) {
		return s.showEdit(w, r, u, show)
	}
	if err != nil {
		return err
	}
	s.setFlash(w, r, done)
	http.Redirect(w, r, ask.CloseURL, http.StatusSeeOther)
	return nil
}

// useRow is a request that was made with a token.
type useRow struct {
	At            Timestamp
	Token         string
	Text          string // what has become of the text that was shown; empty while it is the token's
	Request       string // method and path
	Status        int
	Refused       bool
	Address       string
	Device, Agent string
	Via           string
}

// usesPage is the log of what was done with the tokens of a user.
type usesPage struct {
	Frame
	Of      string // whose tokens these are, where they are not the reader's
	Back    link
	Tokens  []option // to choose one
	Path    string
	Rows    []useRow
	Export  csvAddress
	NextURL string
	First   string // back to the newest; empty where that is here
}

// usesShown is how many uses a page has.
const usesShown = 50

// textWords say of a text that it is the token's no longer.
var textWords = map[string]string{store.TextReplaced: "replaced text", store.TextDeleted: "deleted token"}

// viaWords are the ways in which a token can be shown.
var viaWords = map[string]string{"bearer": "Bearer", "basic": "Basic", "parameter": "Parameter", "login": "Sign-in"}

// usesOf is whose log an address asks for: the reader's own, or that of the
// user it names.
func (s *server) usesOf(r *http.Request) (u *store.User, own bool, err error) {
	if pathVar(r, "id") == "" {
		return auth.From(r.Context()).User, true, nil
	}
	u, err = s.userOf(r)
	return u, false, err
}

// tokenUses answers GET /profile/tokens/log and /users/{id}/tokens/log.
func (s *server) tokenUses(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	u, own, err := s.usesOf(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	token := q.Get("token")
	p := usesPage{Frame: s.newFrame(r, "Authentication log"), Path: r.URL.Path, Back: link{Name: "Back to Profile", URL: "/profile#tokens"}}
	if !own {
		p.Of, p.Back = u.Username, link{Name: "Back to " + u.Username, URL: userPath(u.ID, "edit") + "#tokens"}
	}
	p.Live = "token"
	var next string
	before, err := activity.ParseCursor(q.Get("before"))
	if err != nil {
		before = 0 // the newest: an old bookmark shall still open its page
	}
	if err := s.options.Store.FlushTokenUses(r.Context()); err != nil {
		return err
	}
	err = s.options.Store.View(func(tx *store.Tx) error {
		tokens, err := tx.Tokens(u.ID)
		if err != nil {
			return err
		}
		p.Tokens = []option{{Label: "All tokens", Chosen: token == ""}}
		for _, t := range tokens {
			p.Tokens = append(p.Tokens, option{Value: t.ID, Label: t.Name, Chosen: t.ID == token})
		}
		used, err := tx.UsedTokens(u.ID)
		if err != nil {
			return err
		}
		for _, t := range used {
			if !hasOption(p.Tokens, t.ID) {
				p.Tokens = append(p.Tokens, option{Value: t.ID, Label: t.Name + " (deleted)", Chosen: t.ID == token})
			}
		}
		uses, more, err := tx.TokenUses(u.ID, token, before, usesShown)
		if err != nil {
			return err
		}
		for i := range uses {
			p.Rows = append(p.Rows, s.newUseRow(&uses[i]))
		}
		if more > 0 {
			next = more.Cursor()
		}
		return s.fill(&p.Frame, tx)
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
	p.Export = csvAddress(export)
	if token != "" {
		p.Export = csvAddress(withQuery(export, url.Values{"token_id": {token}}))
	}
	if q.Get("before") != "" {
		p.First = withQuery(p.Path, only)
	}
	if next != "" {
		on := map[string][]string{"before": {next}}
		if token != "" {
			on["token"] = []string{token}
		}
		p.NextURL = withQuery(p.Path, on)
	}
	return s.render(w, r, http.StatusOK, pageUses, &p)
}

func (s *server) newUseRow(u *store.TokenUse) useRow {
	return useRow{
		At: s.timestamp(u.OccurredOn()), Token: u.TokenName, Text: textWords[u.Text], Request: u.Method + " " + u.Path, Status: u.Status, Refused: u.Status >= http.StatusBadRequest,
		Address: u.Address, Device: device(u.UserAgent), Agent: u.UserAgent, Via: cmp.Or(viaWords[u.Via], u.Via),
	}
}
