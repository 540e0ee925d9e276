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

// conflict is shown if somebody else has changed the user while the form was
// open. The form continues with the user as stored now. A field that only one
// of the two has changed has the new value; fields that both have changed are
// shown side by side.
type conflict struct {
	Rows []conflictRow
	// Contested reports whether both have changed the same field.
	Contested bool
}

// conflictRow is a field in which the two versions differ.
type conflictRow struct {
	Label        string
	Saved, Typed string
	Mine         bool // only the reader has changed the field
	Theirs       bool // only somebody else has changed the field
}

// originalPrefix begins the names of hidden fields that hold the values a form
// was opened with.
const originalPrefix = "opened_"

// originalFields returns hidden fields with the values that a form is opened
// with.
func originalFields(f userForm) []page.HiddenInput {
	return []page.HiddenInput{
		{Name: originalPrefix + "fullname", Value: f.Fullname}, {Name: originalPrefix + "email", Value: f.Email}, {Name: originalPrefix + "timezone", Value: f.Timezone},
		{Name: originalPrefix + "enabled", Value: strconv.FormatBool(f.Enabled)}, {Name: originalPrefix + "totp_enabled", Value: strconv.FormatBool(f.totp)},
		{Name: originalPrefix + "ability", Value: idList(f.Abilities)},
	}
}

// readOriginalFields returns the hidden fields of originalFields from a form that
// was sent.
func readOriginalFields(form url.Values) (fields []page.HiddenInput) {
	for _, name := range []string{"fullname", "email", "timezone", "enabled", "totp_enabled", "ability"} {
		fields = append(fields, page.HiddenInput{Name: originalPrefix + name, Value: form.Get(originalPrefix + name)})
	}
	return fields
}

// showConflict shows the merged form, and both versions of what differs.
func (s *userHandlers) showConflict(w http.ResponseWriter, r *http.Request, p *userPage, u *store.User, typed userForm) error {
	saved, merged := formOfUser(u), typed
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
		{"Status", strconv.FormatBool(saved.Enabled), strconv.FormatBool(typed.Enabled), switchText, func() { merged.Enabled = saved.Enabled }},
		{"TOTP", strconv.FormatBool(saved.totp), strconv.FormatBool(typed.totp), switchText, func() { merged.totp = saved.totp }},
		{"Permissions", idList(saved.Abilities), idList(typed.Abilities), permissionNames, func() { merged.Abilities = saved.Abilities }},
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
	p.Conflict, p.Typed, p.LockVersion, p.Opened = c, true, u.LockVersion, originalFields(saved)
	p.fillFields(merged, u.Abilities, u.TOTPEnabledAt != nil)
	return s.renderUser(w, r, http.StatusPreconditionFailed, p)
}

// switchText returns the label for the value of a switch.
func switchText(value string) string {
	if value == "true" {
		return "Enabled"
	}
	return "Disabled"
}

// permissionNames returns the names of abilities, given as a list of ids.
func permissionNames(ids string) string {
	held, _ := parseAbilities(slices.DeleteFunc(strings.Split(ids, ","), func(id string) bool { return id == "" }))
	added, _ := auth.Difference(nil, held)
	if len(added) == 0 {
		return "display only"
	}
	return strings.Join(added, ", ")
}
