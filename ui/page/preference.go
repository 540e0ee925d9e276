package page

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/store/fault"
)

// preferenceLifetime is how long a browser keeps preferences.
const preferenceLifetime = 365 * 24 * time.Hour

// preferences are the fields of POST /preferences, with their cookies and
// allowed values. The first value is the default and needs no cookie.
var preferences = []struct {
	field, cookie string
	values        []string
}{
	{"theme", cookieTheme, []string{"", "light", "dark"}},
	{"rows", cookieDensity, []string{"", "compact"}},
	{"sidebar", cookieSidebar, []string{"open", "closed"}},
}

// SetPreference answers POST /preferences: it stores a preference and redirects
// back. The script writes the same cookies without a request.
func (s *Console) SetPreference(w http.ResponseWriter, r *http.Request) error {
	for _, p := range preferences {
		if r.PostForm.Has(p.field) && !slices.Contains(p.values, r.PostForm.Get(p.field)) {
			return fault.Field(p.field, "is invalid")
		}
	}
	for _, p := range preferences {
		if !r.PostForm.Has(p.field) {
			continue
		}
		i := slices.Index(p.values, r.PostForm.Get(p.field))
		s.rememberPreference(w, r, p.cookie, p.values[i], i > 0)
	}
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}

// rememberPreference sets a preference cookie, or deletes it.
func (s *Console) rememberPreference(w http.ResponseWriter, r *http.Request, name, value string, keep bool) {
	c := http.Cookie{Name: name, Value: value, Path: "/", SameSite: http.SameSiteLaxMode, Secure: s.Auth.IsHTTPS(r), MaxAge: -1}
	if keep {
		c.MaxAge = int(preferenceLifetime / time.Second)
	}
	http.SetCookie(w, &c)
}

// PageSize returns the page size of a section if the address does not have it:
// the last choice of the reader, or else usual.
func PageSize(r *http.Request, section string, usual int) int {
	for _, size := range PageSizes {
		if text := strconv.Itoa(size); cookieChoice(r, cookiePageSize+section, text) != "" {
			return size
		}
	}
	return usual
}

// RememberSize stores the page size of a section in a cookie if it differs from
// the stored one.
func (s *Console) RememberSize(w http.ResponseWriter, r *http.Request, section string, usual, size int) {
	if PageSize(r, section, usual) != size {
		s.rememberPreference(w, r, cookiePageSize+section, strconv.Itoa(size), true)
	}
}

// Columns returns the keys of the columns that the reader has last chosen for a
// section, as the cookie has them; nil if the reader has chosen none.
func Columns(r *http.Request, section string) []string {
	c, err := r.Cookie(cookieColumns + section)
	if err != nil {
		return nil
	}
	return strings.Split(c.Value, ".")
}

// RememberColumns stores the columns of a section in a cookie if they differ from
// the stored ones. Without columns it deletes the cookie.
func (s *Console) RememberColumns(w http.ResponseWriter, r *http.Request, section string, keys []string) {
	if !slices.Equal(Columns(r, section), keys) {
		s.rememberPreference(w, r, cookieColumns+section, strings.Join(keys, "."), len(keys) > 0)
	}
}

// PageSizes are the page sizes that are offered.
var PageSizes = []int{10, 20, 50, 75, 100}
