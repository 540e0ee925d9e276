package page

import (
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
)

// Reader is whom a page is made for, and at what address: all that the parts of
// a page need to know of the request. NewReader makes it, once for each page.
type Reader struct {
	Here     string         // path and query of the page
	identity *auth.Identity // nil: nobody is signed in
}

// NewReader is the reader of the page that answers a request.
func NewReader(r *http.Request) Reader { return Reader{Here(r), auth.From(r.Context())} }

// Identity is who reads; nil where nobody is signed in.
func (x Reader) Identity() *auth.Identity { return x.identity }

// Can reports whether the reader has an ability.
func (x Reader) Can(ability string) bool { return x.identity != nil && x.identity.Can(ability) }

// Control is a button that leads to where something is done. Refused says why
// it is not for this reader; the button is shown to everybody all the same.
type Control struct{ Label, URL, Refused string }

// Control is a button for those who have an ability.
func (x Reader) Control(ability, label, url string) *Control {
	return &Control{Label: label, URL: url, Refused: x.WhyRefused(ability)}
}

// WhyRefused says why the reader may not do what needs an ability; it is empty
// for those who may.
func (x Reader) WhyRefused(ability string) string {
	if x.Can(ability) {
		return ""
	}
	return "You are not authorized for this action: it needs the permission " + ability + "."
}

// BackTo is the address of the page, without the query where that is very long.
func (x Reader) BackTo() string {
	if len(x.Here) <= maxBack {
		return x.Here
	}
	path, _, _ := strings.Cut(x.Here, "?")
	return path
}

// maxBack is the longest address a row of a list remembers, in bytes: there
// may be a hundred rows.
const maxBack = 2000

// WithReturn is the address of a dialog that is opened from this page and leads
// back to it.
func (x Reader) WithReturn(dialog string) string {
	return WithQuery(dialog, url.Values{"return_to": {x.BackTo()}})
}

// The abilities to change settings.
const (
	// AbilityAPIKey lets somebody read the key, too, and see which agents use
	// it with what success. It is what all:settings means where it is about
	// agents.
	AbilityAPIKey        = "all:api_key_settings"
	AbilityTokenSettings = "all:personal_access_token_settings"
)

// AbilityUsers lets somebody manage users.
const AbilityUsers = "all:users"

// AbilityActivitySettings lets a user change how long entries are kept.
const AbilityActivitySettings = "all:activity_logs_settings"
