package page

import (
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
)

// Reader is the reader of a page, with its address. Parts of a page get a
// Reader instead of the request. Each frame has a Reader.
type Reader struct {
	Here     string // path and query of the page
	Server   string // URL of this server, as in the request
	PagePath string // path of the request, also of a POST
	// DismissedBanner is the Dismissal of the banner that this browser has
	// dismissed.
	DismissedBanner string
	// Readable says that others on the network can read what the reader sends
	// and receives.
	Readable bool
	identity *auth.Identity // nil: not signed in
}

// newReader returns the reader of the page that answers a request.
func (s *Console) newReader(r *http.Request) Reader {
	reader := Reader{Here: Here(r), Server: s.Auth.ServerURL(r), PagePath: r.URL.Path, Readable: s.Auth.IsReadable(r), identity: auth.From(r.Context())}
	if c, err := r.Cookie(CookieBanner); err == nil {
		reader.DismissedBanner = c.Value
	}
	return reader
}

// ServerHost returns the host name or IP address under which the reader asks
// this server.
func (x Reader) ServerHost() string {
	u, err := url.Parse(x.Server)
	if err != nil { // the host in the request is not valid
		return ""
	}
	return u.Hostname()
}

// Identity returns the signed-in user; nil if nobody is signed in.
func (x Reader) Identity() *auth.Identity { return x.identity }

// Can reports whether the reader has an ability.
func (x Reader) Can(ability string) bool { return x.identity != nil && x.identity.Can(ability) }

// Control is a button that leads to an action. It is shown to everybody;
// Refused says why this reader may not use it.
type Control struct{ Label, URL, Refused string }

// Control returns a button for an action that needs an ability.
func (x Reader) Control(ability, label, url string) *Control {
	return &Control{Label: label, URL: url, Refused: x.WhyRefused(ability)}
}

// WhyRefused says why the reader may not use an action that needs an ability.
// It returns "" if the reader has the ability.
func (x Reader) WhyRefused(ability string) string {
	if x.Can(ability) {
		return ""
	}
	return "You are not authorized for this action: it needs the permission " + ability + "."
}

// BackTo returns the address of the page, without the query if the address is
// very long.
func (x Reader) BackTo() string {
	if len(x.Here) <= maxReturnAddress {
		return x.Here
	}
	path, _, _ := strings.Cut(x.Here, "?")
	return path
}

// maxReturnAddress is the largest length of an address that each row of a list
// repeats, in bytes. There may be a hundred rows.
const maxReturnAddress = 2000

// WithReturn returns the address of a dialog that leads back to this page.
func (x Reader) WithReturn(dialog string) string {
	return WithQuery(dialog, url.Values{"return_to": {x.BackTo()}})
}

// The abilities to change settings.
const (
	// AbilityAPIKey permits reading the API key, and seeing which agents use it
	// and whether their reports can be used. For agents it takes the place of
	// all:settings.
	AbilityAPIKey        = "all:api_key_settings"
	AbilityTokenSettings = "all:personal_access_token_settings"
)

// AbilityUsers permits managing users.
const AbilityUsers = "all:users"

// AbilityAlertSettings permits changing the settings of alerts.
const AbilityAlertSettings = "all:alerting_settings"

// AbilityActivitySettings permits changing how long log entries are kept.
const AbilityActivitySettings = "all:activity_logs_settings"
