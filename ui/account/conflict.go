package account

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
)

// conflict is about a form whose user was changed by somebody else while it was
// open. The form goes on with the user as it is now: what only one of the two
// has changed is taken over, and what both have is shown side by side.
type conflict struct {
	Rows []conflictRow
	// Contested reports whether both have changed the same thing.
	Contested bool
}

// conflictRow is a field in which the two versions differ.
type conflictRow struct {
	Label        string
	Saved, Typed string
	Mine         bool // only the reader has changed it
	Theirs       bool // only somebody else has
}

// The names under which a form says what its fields held when it was opened.
const openedPrefix = "opened_"

// opened is what the fields of a form hold as it opens.
func opened(f userForm) []page.HiddenInput {
	return []page.HiddenInput{
		{Name: openedPrefix + "fullname", Value: f.Fullname}, {Name: openedPrefix + "email", Value: f.Email}, {Name: openedPrefix + "timezone", Value: f.Timezone},
		{Name: openedPrefix + "enabled", Value: strconv.FormatBool(f.Enabled)}, {Name: openedPrefix + "totp_enabled", Value: strconv.FormatBool(f.totp)},
		{Name: openedPrefix + "ability", Value: idList(f.Abilities)},
	}
}

// openedAgain is what a form that was sent says it held as it opened.
func openedAgain(form url.Values) (fields []page.HiddenInput) {
	for _, name := range []string{"fullname", "email", "timezone", "enabled", "totp_enabled", "ability"} {
		fields = append(fields, page.HiddenInput{Name: openedPrefix + name, Value: form.Get(openedPrefix + name)})
	}
	return fields
}

// showConflict shows the form with what it comes to now, and both versions of
// what differs.
func (s *userHandlers) showConflict(w http.ResponseWriter, r *http.Request, p *userPage, u *store.User, typed userForm) error {
	saved, merged := formOf(u), typed
	c := &conflict{}
	for i, field := range []struct {
		label         string
		saved, typed  string
		show          func(string) string
		takeOverSaved func()
	}{
		{"Full Name", saved.Fullname, typed.Fullname, nil, func() { merged.Fullname = saved.Fullname }},
		{"Email Address", saved.Email, typed.Email, nil, func() { merged.Email = saved.Email }},
		{"Timezone", saved.Timezone, typed.Timezone, nil, func() { merged.Timezone = saved.Timezone }},
		{"Status", strconv.FormatBool(saved.Enabled), strconv.FormatBool(typed.Enabled), switchWords, func() { merged.Enabled = saved.Enabled }},
		{"TOTP", strconv.FormatBool(saved.totp), strconv.FormatBool(typed.totp), switchWords, func() { merged.totp = saved.totp }},
		{"Permissions", idList(saved.Abilities), idList(typed.Abilities), permissionWords, func() { merged.Abilities = saved.Abilities }},
	} {
		if field.saved == field.typed {
			continue
		}
		before := p.Opened[i].Value
		row := conflictRow{Label: field.label, Saved: field.saved, Typed: field.typed, Mine: field.saved == before, Theirs: field.typed == before}
		if field.show != nil {
			row.Saved, row.Typed = field.show(row.Saved), field.show(row.Typed)
		}
		if row.Theirs {
			field.takeOverSaved()
		}
		c.Contested = c.Contested || !row.Mine && !row.Theirs
		c.Rows = append(c.Rows, row)
	}
	p.Conflict, p.Typed, p.LockVersion, p.Opened = c, true, u.LockVersion, opened(saved)
	p.put(merged, u.Abilities, u.TOTPEnabledAt != nil)
	return s.renderUser(w, r, http.StatusPreconditionFailed, p)
}

// switchWords is a switch of the form as it is read.
func switchWords(value string) string {
	if value == "true" {
		return "Enabled"
	}
	return "Disabled"
}

// permissionWords names the abilities of a list of ids.
func permissionWords(ids string) string {
	held, _ := parseAbilities(slices.DeleteFunc(strings.Split(ids, ","), func(id string) bool { return id == "" }))
	added, _ := auth.Difference(nil, held)
	if len(added) == 0 {
		return "display only"
	}
	return strings.Join(added, ", ")
}
