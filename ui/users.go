package ui

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// usersPage is the list of all users.
type usersPage struct {
	tablePage
	Rows []userRow
	Ask  *confirmation // about deleting one of them
}

type userRow struct {
	ID                        int64
	Version                   string
	Username, Fullname, Email string
	Disabled, Self            bool
	SecondFactor              bool
	Source                    string
	LooksLike                 string // the name of a user that cannot be told apart from this one
	Created, LastLogin        Timestamp
	Grants                    []grantChip
	Delete                    *control
}

// abilityUsers lets somebody manage users.
const abilityUsers = "all:users"

// userItem is a user in the list.
type userItem struct {
	*store.User
	grants []auth.Grant
	source string // where the account comes from
	// looksLike is the name of a user that cannot be told apart from this one.
	looksLike string
}

// The sources of accounts.
const (
	sourceConfiguration = "Configuration" // the default admin
	sourceLocal         = "Local"         // made in this console or by the API
)

// usersTable is what can be done with the list of users.
var usersTable = table[*userItem]{
	path: "/users", noun: "user", usual: "In the order in which they were created",
	columns: []column[*userItem]{
		{key: "username", label: "Username", text: func(u *userItem) string { return u.Username }},
		{key: "fullname", label: "Full Name", text: func(u *userItem) string { return u.Fullname }},
		{key: "email", label: "Email", text: func(u *userItem) string { return u.Email }},
		{key: "status", label: "Status", text: (*userItem).status, facet: &facetOf[*userItem]{value: (*userItem).status}},
		{
			key: "created", label: "Created", text: func(u *userItem) string { return isoOf(&u.CreatedAt) },
			compare: func(a, b *userItem) int { return a.CreatedAt.Compare(b.CreatedAt) },
		},
		{
			key: "last_login", label: "Last Login", text: func(u *userItem) string { return isoOf(u.LastLoginAt) },
			compare: func(a, b *userItem) int { return momentOrZero(a.LastLoginAt).Compare(momentOrZero(b.LastLoginAt)) },
		},
		{
			key: "permissions", label: "Permissions",
			text:  func(u *userItem) string { return strings.Join(u.permissions(), " ") },
			facet: &facetOf[*userItem]{values: (*userItem).permissions},
		},
		{key: "source", label: "Source", text: func(u *userItem) string { return u.source }, facet: &facetOf[*userItem]{value: func(u *userItem) string { return u.source }}},
		{key: "second_factor", label: "TOTP", text: (*userItem).secondFactor, facet: &facetOf[*userItem]{value: (*userItem).secondFactor}},
	},
	health: func(*userItem) landscape.Health { return landscape.HealthUnknown },
	urgent: func(a, b *userItem) int { return cmp.Compare(a.ID, b.ID) },
	tie:    func(a, b *userItem) int { return cmp.Compare(a.ID, b.ID) },
}

func (u *userItem) status() string {
	if u.Enabled() {
		return "Enabled"
	}
	return "Disabled"
}

func (u *userItem) secondFactor() string {
	if u.TOTPEnabledAt != nil {
		return "Enabled"
	}
	return "Disabled"
}

// permissions are the groups a user holds any of, and "display only" of one
// who holds none.
func (u *userItem) permissions() []string {
	if len(u.grants) == 0 {
		return []string{"display only"}
	}
	names := make([]string, len(u.grants))
	for i, g := range u.grants {
		names[i] = g.Name
	}
	return names
}

func (s *server) userItems(tx *store.Tx) ([]*userItem, error) {
	users, err := collect(tx.Users())
	if err != nil {
		return nil, err
	}
	all, names := make([]*userItem, len(users)), make([]string, len(users))
	for i, u := range users {
		names[i] = u.Username
	}
	alike := store.LookAlikes(names) // of older versions: none are made any more
	for i, u := range users {
		all[i] = &userItem{u, auth.Grants(u.Abilities), sourceLocal, alike[u.Username]}
		if s.options.Auth.DefaultAdmin(u) {
			all[i].source = sourceConfiguration
		}
	}
	return all, nil
}

// users answers GET /users.
func (s *server) users(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	return s.showUsers(w, r, http.StatusOK, nil)
}

// showUsers shows the list, with a dialog above it where there is something
// to ask.
func (s *server) showUsers(w http.ResponseWriter, r *http.Request, status int, ask *confirmation) error {
	p := usersPage{tablePage: newTablePage(s, r, &usersTable, "Users"), Ask: ask}
	p.Live = "user"
	var all []*userItem
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		if all, err = s.userItems(tx); err != nil {
			return err
		}
		return s.fill(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	page, c, ok, err := usersTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	query := c.query()
	for _, u := range page {
		p.Rows = append(p.Rows, s.newUserRow(r, u, withQuery("", query)))
	}
	return s.render(w, r, status, pageUsers, &p)
}

func (s *server) newUserRow(r *http.Request, u *userItem, query string) userRow {
	row := userRow{
		ID: u.ID, Version: version(u.UpdatedAt), Username: u.Username, Fullname: u.Fullname, Email: u.Email,
		Disabled: !u.Enabled(), Self: u.ID == auth.From(r.Context()).User.ID, SecondFactor: u.TOTPEnabledAt != nil, Source: u.source, LooksLike: u.looksLike,
		Created: s.timestamp(u.CreatedAt), LastLogin: s.timestampOf(u.LastLoginAt), Grants: grantChips(u.Abilities),
		Delete: &control{Label: "Delete", URL: userPath(u.ID, "delete") + query},
	}
	if s.options.Auth.DefaultAdmin(u.User) {
		row.Delete.Refused = "Admin user cannot be deleted"
	}
	return row
}

// usersCSV answers GET /users.csv.
func (s *server) usersCSV(w http.ResponseWriter, r *http.Request) error {
	return exportedFrom(s, &usersTable, func() (all []*userItem, err error) {
		err = s.options.Store.View(func(tx *store.Tx) (err error) {
			all, err = s.userItems(tx)
			return err
		})
		return all, err
	})(w, r)
}

// managesUsers reports whether a user is there and may manage users.
func managesUsers(u *store.User) bool {
	return u.Enabled() && (&auth.Identity{User: u}).Can(abilityUsers)
}

// soleManager reports whether nobody but the user and the default admin
// manages users.
func (s *server) soleManager(tx *store.Tx, id int64) (bool, error) {
	users, err := collect(tx.Users())
	others := slices.ContainsFunc(users, func(u *store.User) bool {
		return u.ID != id && !s.options.Auth.DefaultAdmin(u) && managesUsers(u)
	})
	return !others, err
}
