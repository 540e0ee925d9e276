package account

import (
	"slices"
	"time"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
	"trento/ui/table"
)

// tokenList lists the personal access tokens of one user: on the user's
// profile, or on the page on which user managers see the user.
type tokenList struct {
	Own     bool
	Hidden  bool   // tokens are switched off, and the user has none
	Off     bool   // the settings switch tokens off
	Refused string // why the reader may not create or change any; "" if they may
	Rows    []tokenRow
	LogURL  string // the authentication log
}

// tokenRow is a token in a list.
type tokenRow struct {
	ID, Version       string
	Name, Description string
	Owner             page.Link      // set in a list of several users' tokens
	Path              string         // the paths of its actions begin with this
	State             string         // "active", "soon" or "expired"
	Disabled          bool           // the owner is disabled
	Expiry            page.Timestamp // zero if the token never expires
	Scopes            []string
	Created, LastUsed page.Timestamp
}

// tokenWarningTime is the time before expiry from which on a token is marked.
const tokenWarningTime = 7 * 24 * time.Hour

// newTokenList reads the tokens of a user, for a page at the given path.
func (s *handlerBase) newTokenList(tx *store.Tx, reader *auth.Identity, u *store.User, path string) (tokenList, error) {
	list := tokenList{Own: path == "/profile", LogURL: UserPath(u.ID, "tokens/log")}
	if list.Own {
		list.LogURL = "/profile/tokens/log"
	}
	if reader.RequireNoToken() != nil {
		list.Refused = "You have signed in with a personal access token, which may not make or change tokens"
	}
	settings, err := tx.TokenSettings()
	if err != nil {
		return list, err
	}
	tokens, err := tx.Tokens(u.ID)
	if err != nil {
		return list, err
	}
	list.Off, list.Hidden = !settings.Enabled, !settings.Enabled && len(tokens) == 0
	for _, t := range tokens {
		row := s.newTokenRow(tx, t)
		row.Path = UserPath(u.ID, "tokens/"+t.ID)
		if list.Own {
			row.Path = "/profile/tokens/" + t.ID
		}
		list.Rows = append(list.Rows, row)
	}
	return list, nil
}

func (s *handlerBase) newTokenRow(tx *store.Tx, t *store.Token) tokenRow {
	return tokenRow{
		ID: t.ID, Version: table.Version(t.UpdatedAt), Name: t.Name, Description: t.Description, State: tokenState(t, s.Store.Now()),
		Expiry: s.TimestampOf(t.ExpiresAt), Scopes: s.scopeNames(t), Created: s.Timestamp(t.CreatedAt), LastUsed: s.TimestampOf(tx.TokenLastUsed(t.ID)),
	}
}

func tokenState(t *store.Token, now time.Time) string {
	switch {
	case t.Expired(now):
		return "expired"
	case t.ExpiresAt != nil && t.ExpiresAt.Sub(now) < tokenWarningTime:
		return "soon"
	}
	return "active"
}

// scopeNames returns the names of a token's sets, and the number of its single
// operations.
func (s *handlerBase) scopeNames(t *store.Token) []string {
	var words []string
	single := 0
	for _, scope := range t.Scopes {
		i := slices.IndexFunc(s.Auth.ScopeSets(), func(set auth.ScopeSet) bool { return set.Name == scope })
		if i < 0 {
			single++
			continue
		}
		words = append(words, s.Auth.ScopeSets()[i].Label)
	}
	if single > 0 {
		words = append(words, page.Count(single, "operation", "operations"))
	}
	if t.MayGrantAdministration && !slices.Contains(t.Scopes, fullScope) {
		words = append(words, "May grant administration")
	}
	return words
}
