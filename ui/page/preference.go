package page

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"trento/auth"
	"trento/store/fault"
)

// preferenceAge is how long a browser remembers how its reader likes the
// console.
const preferenceAge = 365 * 24 * time.Hour

// preferences are the fields of POST /preferences, the cookie that keeps each,
// and what it may say. The first value is the default and needs no cookie.
var preferences = []struct {
	field, cookie string
	values        []string
}{
	{"theme", cookieTheme, []string{"", "light", "dark"}},
	{"rows", cookieDensity, []string{"", "compact"}},
	{"sidebar", cookieSidebar, []string{"open", "closed"}},
}

// SetPreference answers POST /preferences: remember a choice and go back to
// where it was made. The script writes the same cookies without asking.
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
		s.remember(w, r, p.cookie, p.values[i], i > 0)
	}
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}

// remember sets a preference cookie, or removes it.
func (s *Console) remember(w http.ResponseWriter, r *http.Request, name, value string, keep bool) {
	c := http.Cookie{Name: name, Value: value, Path: "/", SameSite: http.SameSiteLaxMode, Secure: s.Auth.IsHTTPS(r), MaxAge: -1}
	if keep {
		c.MaxAge = int(preferenceAge / time.Second)
	}
	http.SetCookie(w, &c)
}

// PageSize is how long the pages of a section are where the address does not
// say: what the reader chose last, else usual.
func PageSize(r *http.Request, section string, usual int) int {
	for _, size := range PageSizes {
		if text := strconv.Itoa(size); cookieChoice(r, cookieSize+section, text) != "" {
			return size
		}
	}
	return usual
}

// RememberSize remembers the size the address names, if it is a change.
func (s *Console) RememberSize(w http.ResponseWriter, r *http.Request, section string, usual, size int) {
	if PageSize(r, section, usual) != size {
		s.remember(w, r, cookieSize+section, strconv.Itoa(size), true)
	}
}

// PageSizes are the sizes offered.
var PageSizes = []int{10, 20, 50, 75, 100}
