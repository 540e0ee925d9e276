package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"trento/auth/sso"
	"trento/auth/sso/ssotest"
	"trento/store/storetest"
)

// loginWords is the label of the button to sign in.
const loginWords = "Login with Single Sign-on"

// people are the users of the providers in these tests.
var people = []ssotest.User{
	{Username: "ann", Password: "secret", FirstName: "Ann", LastName: "Lee", Email: "ann@example.com"},
	{Username: "admin", Password: "secret", FirstName: "Ada", LastName: "Root", Email: "root@example.com"},
}

func TestSingleSignOnInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := startBrowser(t)
	for _, tt := range []struct {
		name string
		test func(*testing.T, context.Context)
	}{
		{"OpenID Connect", testOIDCInBrowser}, {"OAuth 2.0", testOAuth2InBrowser}, {"SAML", testSAMLInBrowser}, {"provider is down", testProviderDownInBrowser}, {"accessibility", testSingleSignOnAccessibility},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, chromium) })
	}
}

// newProviderTab opens a browser at a console with an identity provider. The
// provider is made when the address of the console is known.
func newProviderTab(t *testing.T, chromium context.Context, start func(origin string, o sso.Options) sso.Provider) *tab {
	t.Helper()
	var f *fixture
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	c := &clock{now: time.Now().Truncate(time.Second)}
	s := storetest.OpenAt(t, c.Now)
	provider := start(server.URL, sso.Options{Origin: server.URL, Now: time.Now, Log: newTestLog(new(logBuffer))})
	f = withProviderOn(t, c, s, provider, server.URL)
	return newTabOn(t, chromium, f, server)
}

func callbacks(origin string) ssotest.Callbacks {
	return ssotest.Callbacks{OIDC: origin + "/auth/oidc_callback", OAuth2: origin + "/auth/oauth2_callback", SignedOut: origin + "/session/new"}
}

// showsSignIn waits for the page that leads to the provider.
func (tab *tab) showsSignIn() {
	tab.t.Helper()
	tab.until("location.pathname === '/session/new' && document.querySelector('h1')?.textContent === 'Login to Trento'")
}

// entersAtProvider signs in at the pages of oidc-provider.
func (tab *tab) entersAtProvider(name string) {
	tab.t.Helper()
	tab.clickOn(aLink, loginWords)
	tab.until("document.querySelector('input[name=login]')")
	tab.typed("input[name=login]", name)
	tab.typed("input[name=password]", "any")
	tab.clickOn(aButton, "Sign-in")
	tab.until("document.body.innerText.includes('Authorize')")
	tab.clickOn(aButton, "Continue")
}

// isIn waits until somebody is in the console, at an address.
func (tab *tab) isIn(name, address string) {
	tab.t.Helper()
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.wants("location.pathname + location.search", address)
	tab.wants("document.querySelector('.profile-name').textContent", name)
}

// signsOutEverywhere signs out of the console and of oidc-provider.
func (tab *tab) signsOutEverywhere(name string) {
	tab.t.Helper()
	tab.openMenu(name).click(aButton, "Sign out")
	tab.until("document.body.innerText.includes('Do you want to sign-out')")
	tab.clickOn(aButton, "Yes, sign me out")
	tab.showsSignIn()
}

// fails waits for the page after a failed sign-in, and for a part of its reason.
func (tab *tab) fails(reason string) {
	tab.t.Helper()
	tab.until("document.querySelector('h1')?.textContent === 'Login Failed'")
	tab.until(fmt.Sprintf("document.querySelector('#failure')?.textContent.includes(%q)", reason))
	id := tab.ask(exists("main code") + ".textContent")
	if len(id) < 30 || !strings.Contains(tab.log.String(), id) {
		tab.t.Errorf("the reference %q is not in the log", id)
	}
}

func testOIDCInBrowser(t *testing.T, chromium context.Context) {
	var idp *ssotest.OIDCProvider
	tab := newProviderTab(t, chromium, func(origin string, o sso.Options) sso.Provider {
		back := callbacks(origin)
		idp = ssotest.StartOIDCProvider(t, back, people...)
		return sso.NewOIDC(sso.OIDCOptions{Options: o, ClientID: idp.OIDCClient, ClientSecret: idp.Secret, BaseURL: idp.Issuer, CallbackURL: back.OIDC})
	})
	tab.open("/hosts?health=critical")
	tab.showsSignIn()
	tab.entersAtProvider("ann")
	tab.isIn("ann", "/hosts?health=critical")
	ann := tab.userNow("ann")
	if len(ann.Identities) != 1 || ann.Fullname != "Ann Lee" || ann.Email != "ann@example.com" || len(ann.Abilities) != 0 || ann.PasswordHash != "" {
		t.Errorf("the account is %+v", ann)
	}
	tab.live("/profile")
	tab.wants("document.querySelector('#email').readOnly && document.querySelector('#email').value", "ann@example.com")
	tab.wants("document.body.innerText.includes('Change Password')", "false")
	tab.ask("document.querySelector('#timezone').value = 'Europe/Berlin'")
	tab.clickOn(aButton, "Save")
	tab.says("Profile changes saved!")
	tab.signsOutEverywhere("ann")

	// At the second sign-in the account already exists.
	tab.entersAtProvider("ann")
	tab.isIn("ann", "/")
	if again := tab.userNow("ann"); again.ID != ann.ID || again.Timezone != "Europe/Berlin" {
		t.Errorf("the second sign-in leads to %+v", again)
	}
	// The provider still knows the browser: no page of it is seen. The page
	// goes to the sign-in by itself when its session ends.
	tab.ask("fetch('/session/end', {method: 'POST', redirect: 'manual'}).then(() => 'done')")
	tab.showsSignIn()
	tab.clickOn(aLink, loginWords)
	tab.isIn("ann", "/")
	tab.signsOutEverywhere("ann")

	tab.entersAtProvider("admin")
	tab.isIn("admin", "/")
	if admin := tab.userNow("admin"); len(admin.Abilities) != 1 || admin.Abilities[0] != 1 {
		t.Errorf("the admin may %v", admin.Abilities)
	}
	tab.live("/users")
	tab.wants("document.body.innerText.includes('Create User')", "false")
	tab.wants("document.body.innerText.includes('Last Login')", "false")
	tab.clickOn(aLink, "ann")
	tab.until("document.querySelector('#fullname')?.readOnly")
	tab.ask("document.querySelector('#status').value = 'false'")
	tab.clickOn(aButton, "Save")
	tab.until(exists("dialog#confirmation:modal"))
	tab.in("#confirmation").click(aButton, "Disable User")
	tab.says("User “ann” edited successfully")
	tab.signsOutEverywhere("admin")

	tab.entersAtProvider("ann")
	tab.fails("The account ann is disabled in this console.")
	tab.clickOn(aLink, loginWords)
	tab.fails("The account ann is disabled in this console.") // the provider still knows her

	// An answer to a sign-in that another browser has begun.
	w := tab.do(call{target: "/session/provider"})
	begun, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	tab.open("/auth/oidc_callback?code=x&iss=" + url.QueryEscape(idp.Issuer) + "&state=" + begun.Query().Get("state"))
	tab.fails("for no sign-in that this browser has begun.")
	tab.cancelsAtProvider()
}

// cancelsAtProvider cancels the sign-in of a person whom the provider does not
// know.
func (tab *tab) cancelsAtProvider() {
	tab.t.Helper()
	fresh := newTabOn(tab.t, tab.ctx, tab.fixture, tab.server)
	fresh.open("/session/new")
	fresh.clickOn(aLink, loginWords)
	fresh.until("document.querySelector('input[name=login]')")
	fresh.clickOn(aLink, "[ Cancel ]")
	fresh.fails("The identity provider did not let you in, or you have cancelled.")
}

func testOAuth2InBrowser(t *testing.T, chromium context.Context) {
	tab := newProviderTab(t, chromium, func(origin string, o sso.Options) sso.Provider {
		back := callbacks(origin)
		idp := ssotest.StartOIDCProvider(t, back, people...)
		provider, err := sso.NewOAuth2(sso.OAuth2Options{
			Options: o, ClientID: idp.OAuth2Client, ClientSecret: idp.Secret, BaseURL: idp.Issuer,
			AuthorizeURL: "/auth", TokenURL: "/token", UserURL: idp.Issuer + "/me", Scopes: "openid profile email", CallbackURL: back.OAuth2,
		})
		if err != nil {
			t.Fatal(err)
		}
		return provider
	})
	tab.open("/activity_log?severity=warning")
	tab.showsSignIn()
	tab.entersAtProvider("admin")
	tab.isIn("admin", "/activity_log?severity=warning")
	tab.openMenu("admin").click(aButton, "Sign out")
	tab.showsSignIn()
	tab.clickOn(aLink, loginWords) // OAuth 2.0 has no way to sign out there
	tab.isIn("admin", "/")
}

func testSAMLInBrowser(t *testing.T, chromium context.Context) {
	var idp *ssotest.SimpleSAML
	var provider *sso.SAML
	tab := newProviderTab(t, chromium, func(origin string, o sso.Options) sso.Provider {
		idp = ssotest.StartSimpleSAML(t, people...)
		provider = ssotest.NewSAML(t, o, idp.MetadataURL)
		return provider
	})
	metadata := tab.do(call{target: "/sso/sp/metadata/corporate"})
	idp.Trust(t, metadata.Body.Bytes())
	enter := func(name string) {
		tab.clickOn(aLink, loginWords)
		tab.until("document.querySelector('input[name=username]')")
		tab.typed("input[name=username]", name)
		tab.typed("input[name=password]", "secret")
		tab.clickOn(aButton, "Login")
	}
	tab.open("/hosts?health=critical")
	tab.showsSignIn()
	enter("ann")
	tab.isIn("ann", "/hosts?health=critical")
	if ann := tab.userNow("ann"); len(ann.Identities) != 1 || ann.Fullname != "Ann Lee" {
		t.Errorf("the account is %+v", ann)
	}
	// A program in the browser gets tokens of the session.
	var tokens struct {
		Access string `json:"access_token"`
	}
	tab.ask("fetch('/api/session/saml_local/saml_callback').then((a) => a.text()).then((t) => { window.answer = t })")
	tab.until("window.answer")
	if text := tab.ask("window.answer"); json.Unmarshal([]byte(text), &tokens) != nil || tokens.Access == "" {
		t.Errorf("tokens of the session: %s", text)
	}
	tab.openMenu("ann").click(aButton, "Sign out")
	tab.showsSignIn()
	enter("admin")
	tab.isIn("admin", "/")
}

func testProviderDownInBrowser(t *testing.T, chromium context.Context) {
	tab := newProviderTab(t, chromium, func(origin string, o sso.Options) sso.Provider {
		nobody := httptest.NewServer(http.NotFoundHandler())
		nobody.Close()
		return sso.NewOIDC(sso.OIDCOptions{Options: o, ClientID: "trento", ClientSecret: "x", BaseURL: nobody.URL, CallbackURL: origin + "/auth/oidc_callback"})
	})
	tab.open("/about")
	tab.showsSignIn()
	tab.clickOn(aLink, loginWords)
	tab.fails("The identity provider cannot be reached.")
	tab.open("/session/new?request_path=/about")
	tab.until("document.querySelector('[role=status]')?.textContent.includes('The identity provider cannot be reached, since')")
	tab.clickOn(aLink, loginWords)
	tab.fails("The identity provider cannot be reached.")
}

// newEmptyProvider returns the address of a server whose answers have no
// content, so that a browser stays on its page.
func newEmptyProvider(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(server.Close)
	return server.URL
}

// testSingleSignOnAccessibility checks with axe the pages that differ with an
// identity provider, in both themes and both sizes.
func testSingleSignOnAccessibility(t *testing.T, chromium context.Context) {
	p := newProvider()
	tab := newProviderTab(t, chromium, func(string, sso.Options) sso.Provider { return p })
	tab.loadAxe()
	p.person.Username, p.logout = "admin", newEmptyProvider(t)
	for _, look := range looks {
		tab.showAs(look)
		command(tab, network.ClearBrowserCookies, cdp.Empty{})
		p.problem, p.failure = "The identity provider cannot be reached, since 2026-08-20 10:15 UTC.", &sso.Failure{Reason: "The identity provider cannot be reached", Err: errors.New("refused")}
		for _, path := range []string{"/session/new", "/session/provider", "/auth/oidc_callback?state=x"} {
			tab.open(path)
			tab.until("document.querySelector('h1')")
			tab.findsNoBarrier(path + ", " + look.theme)
			tab.wants("document.documentElement.scrollWidth <= innerWidth", "true")
		}
		p.problem, p.failure = "", nil
		tab.signsInAtProvider("ada")
		tab.signedIn()
		for _, path := range []string{"/users", "/users/1/edit", "/users/new", "/profile"} {
			tab.open(path)
			tab.until("document.querySelector('h1')")
			tab.findsNoBarrier(path + ", " + look.theme)
			tab.wants("document.documentElement.scrollWidth <= innerWidth", "true")
		}
		// The page that leads to the provider, which has nothing to show here.
		tab.ask("document.querySelector('form[action=\"/session/end\"]').requestSubmit()")
		tab.until("document.querySelector('h1')?.textContent.startsWith('You are signed out of')")
		tab.findsNoBarrier("signed out, " + look.theme)
		tab.wants("document.documentElement.scrollWidth <= innerWidth", "true")
	}
}
