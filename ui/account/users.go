package account

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// userHandlers answer requests of readers who manage users.
type userHandlers struct{ handlerBase }

func (s *userHandlers) routes() []api.Route {
	managers := auth.Needs(page.AbilityUsers)
	return []api.Route{
		{Method: "GET", Path: "/users", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showUsers},
		{Method: "GET", Path: "/users.csv", Access: managers, Tokens: auth.InSets("read_only").As("GET /api/v1/users"), Handle: s.downloadUsers},
		{Method: "GET", Path: "/users/permissions", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showPicker},
		{Method: "GET", Path: "/users/new", Access: managers, Tokens: auth.InSets("read_only").ForLocalAccounts(), Handle: api.Uncompressed(s.showNewUser)},
		{Method: "POST", Path: "/users/new", Access: managers, Tokens: auth.InSets("user_management").As("POST /api/v1/users").ForLocalAccounts(), Handle: page.ReadForm(s.createUser)},
		{Method: "GET", Path: "/users/{id}/edit", Access: managers, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.editUser)},
		{Method: "POST", Path: "/users/{id}/edit", Access: managers, Tokens: auth.InSets("user_management").As("PATCH /api/v1/users/{id}", "PUT /api/v1/users/{id}"), Handle: page.ReadForm(s.changeUser)},
		{Method: "GET", Path: "/users/{id}/delete", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.deleteUser},
		{Method: "POST", Path: "/users/{id}/delete", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}"), Handle: page.ReadForm(s.deleteUser)},
		{Method: "POST", Path: "/users/{id}/password/shown", Access: managers, Tokens: auth.InSets("user_management").As("POST /api/v1/users", "PATCH /api/v1/users/{id}", "PUT /api/v1/users/{id}"), Handle: page.ReadForm(s.closePasswordSecret)},
		{Method: "GET", Path: "/users/{id}/sessions/end", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.endAllSessionsOf},
		{Method: "POST", Path: "/users/{id}/sessions/end", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}/sessions"), Handle: page.ReadForm(s.endAllSessionsOf)},
		{Method: "GET", Path: "/users/{id}/sessions/{session}/end", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.endSessionOf},
		{Method: "POST", Path: "/users/{id}/sessions/{session}/end", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}/sessions/{session_id}"), Handle: page.ReadForm(s.endSessionOf)},
	}
}

// usersPage is the list of all users.
type usersPage struct {
	table.Page
	Rows     []userRow
	External bool               // an identity provider is in charge of the accounts
	Ask      *page.Confirmation // asks before deleting a user
}

// Template implements page.Page.
func (*usersPage) Template() string { return "users" }

type userRow struct {
	ID                        int64
	Version                   string
	Username, Fullname, Email string
	Disabled, Self            bool
	SecondFactor              bool
	Source                    string
	LooksLike                 string // name of another user that looks the same
	Created, LastLogin        page.Timestamp
	Grants                    []grantChip
	Delete                    *page.Control
}

// UserItem is a user in the list.
type UserItem struct {
	*store.User
	grants []auth.HeldGroup
	source string // origin of the account, see below
	// similarUsername is the name of another user that looks the same.
	similarUsername string
}

// The sources of accounts.
const (
	sourceConfiguration = "Configuration" // the default admin
	sourceProvider      = "Single sign-on"
	sourceLocal         = "Local" // created in the console or by the API
)

// UsersTable declares the list of users.
var UsersTable = table.Table[*UserItem]{
	Path: "/users", Noun: "user", DefaultOrder: "In the order in which they were created",
	ID: func(u *UserItem) string { return strconv.FormatInt(u.User.ID, 10) },
	Columns: []table.Column[*UserItem]{
		{Key: "username", Label: "Username", Text: func(u *UserItem) string { return u.Username }},
		{Key: "fullname", Label: "Full Name", Text: func(u *UserItem) string { return u.Fullname }},
		{Key: "email", Label: "Email", Text: func(u *UserItem) string { return u.Email }},
		{Key: "status", Label: "Status", Text: (*UserItem).Status, Facet: &table.Facet[*UserItem]{Value: (*UserItem).Status}},
		{
			Key: "created", Label: "Created", Text: func(u *UserItem) string { return page.ISOOrEmpty(&u.CreatedAt) },
			Order: func(u *UserItem) string { return table.OrderOfTime(u.CreatedAt) },
		},
		{
			Key: "last_login", Label: "Last Login", Text: func(u *UserItem) string { return page.ISOOrEmpty(u.LastLoginAt) },
			Order: func(u *UserItem) string { return table.OrderOfTime(page.TimeOrZero(u.LastLoginAt)) },
		},
		{
			Key: "permissions", Label: "Permissions",
			Text:  func(u *UserItem) string { return strings.Join(u.permissions(), " ") },
			Facet: &table.Facet[*UserItem]{Values: (*UserItem).permissions},
		},
		{Key: "source", Label: "Source", Text: func(u *UserItem) string { return u.source }, Facet: &table.Facet[*UserItem]{Value: func(u *UserItem) string { return u.source }}},
		{Key: "second_factor", Label: "TOTP", Text: (*UserItem).secondFactor, Facet: &table.Facet[*UserItem]{Value: (*UserItem).secondFactor}},
	},
	Health: func(*UserItem) landscape.Health { return landscape.HealthUnknown },
	Urgent: func(a, b *UserItem) int { return cmp.Compare(a.ID, b.ID) },
	Tie:    func(a, b *UserItem) int { return cmp.Compare(a.ID, b.ID) },
}

// externalUsersTable is UsersTable while an identity provider is in charge of
// the accounts: it lacks the columns about things that only the provider knows.
var externalUsersTable = func() table.Table[*UserItem] {
	t := UsersTable
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c table.Column[*UserItem]) bool { return c.Key == "last_login" || c.Key == "second_factor" })
	return t
}()

func (s *userHandlers) usersTable() *table.Table[*UserItem] {
	if s.isExternal() {
		return &externalUsersTable
	}
	return &UsersTable
}

func (u *UserItem) Status() string {
	if u.Enabled() {
		return "Enabled"
	}
	return "Disabled"
}

func (u *UserItem) secondFactor() string {
	if u.TOTPEnabledAt != nil {
		return "Enabled"
	}
	return "Disabled"
}

// permissions returns the groups of which a user holds an ability, or "display
// only" if there are none.
func (u *UserItem) permissions() []string {
	if len(u.grants) == 0 {
		return []string{"display only"}
	}
	names := make([]string, len(u.grants))
	for i, g := range u.grants {
		names[i] = g.Name
	}
	return names
}

func (s *handlerBase) UserItems(tx *store.Tx) ([]*UserItem, error) {
	users, err := page.Collect(tx.Users())
	if err != nil {
		return nil, err
	}
	all, names := make([]*UserItem, len(users)), make([]string, len(users))
	for i, u := range users {
		names[i] = u.Username
	}
	alike := store.LookAlikes(names) // only users of older versions: new ones are refused
	for i, u := range users {
		all[i] = &UserItem{u, auth.HeldGroups(u.Abilities), sourceLocal, alike[u.Username]}
		switch {
		case len(u.Identities) > 0:
			all[i].source = sourceProvider
		case s.Auth.DefaultAdmin(u):
			all[i].source = sourceConfiguration
		}
	}
	return all, nil
}

// showUsers answers GET /users.
func (s *userHandlers) showUsers(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	return s.renderUsers(w, r, http.StatusOK, nil)
}

// renderUsers shows the list, with a dialog unless ask is nil.
func (s *userHandlers) renderUsers(w http.ResponseWriter, r *http.Request, status int, ask *page.Confirmation) error {
	p := usersPage{Page: table.NewPage(s.Console, r, s.usersTable(), "Users"), External: s.isExternal(), Ask: ask}
	p.Live = "user"
	var all []*UserItem
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		if all, err = s.UserItems(tx); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	onPage, c, ok, err := s.usersTable().FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	query := c.Query()
	for _, u := range onPage {
		p.Rows = append(p.Rows, s.newUserRow(p.Reader, u, page.WithQuery("", query)))
	}
	return s.Render(w, r, status, &p)
}

func (s *userHandlers) newUserRow(reader page.Reader, u *UserItem, query string) userRow {
	row := userRow{
		ID: u.ID, Version: table.Version(u.UpdatedAt), Username: u.Username, Fullname: u.Fullname, Email: u.Email,
		Disabled: !u.Enabled(), Self: u.ID == reader.Identity().User.ID, SecondFactor: u.TOTPEnabledAt != nil, Source: u.source, LooksLike: u.similarUsername,
		Created: s.Timestamp(u.CreatedAt), LastLogin: s.TimestampOf(u.LastLoginAt), Grants: grantChips(u.Abilities),
		Delete: &page.Control{Label: "Delete", URL: UserPath(u.ID, "delete") + query},
	}
	if s.Auth.DefaultAdmin(u.User) {
		row.Delete.Refused = "Admin user cannot be deleted"
	}
	return row
}

// downloadUsers answers GET /users.csv.
func (s *userHandlers) downloadUsers(w http.ResponseWriter, r *http.Request) error {
	return table.CSVHandlerFor(s.Console, s.usersTable(), func(ctx context.Context) (all []*UserItem, err error) {
		err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
			all, err = s.UserItems(tx)
			return err
		})
		return all, err
	})(w, r)
}
