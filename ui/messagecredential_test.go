package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"trento/auth"
	"trento/store"
	"trento/ui/amqp"
)

// messageCredential returns the present credential for messages.
func (f *fixture) messageCredential() (c auth.MessageCredential) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) (err error) {
		c, err = f.auth.MessageCredential(tx)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// TestMessageAddress checks the address for agents: the host name of the page
// without its port, and hidden until it is shown.
func TestMessageAddress(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 14)
	password := f.messageCredential().Password
	for asked, host := range map[string]string{
		"trento.example.com": "trento.example.com", "trento.example.com:4000": "trento.example.com", "10.0.0.5:4000": "10.0.0.5",
		"[fd00::5]": "[fd00::5]", "[fd00::5]:4000": "[fd00::5]",
	} {
		w := f.do(call{target: "http://" + asked + "/settings/messages", as: "setter"})
		page := parseMarkup(t, w.Body.String())
		has("#messages details.secret #message-address", "facts-service-url: amqp://trento:"+password+"@"+host+":5672/").check(t, page)
		has("#messages details.secret #message-password", password).check(t, page)
		hasNot("#messages details[open]").check(t, page)
		has("#messages [data-copy=message-address]", "").check(t, page)
		has("#messages .facts", "Created 20 Aug 2026").check(t, page)
		has("#messages a[href=/settings/messages/password]", "Replace Password").check(t, page)
	}
	w := f.do(call{target: "/settings/messages", as: "plain"})
	page := parseMarkup(t, w.Body.String())
	has("#messages", "all:api_key_settings").check(t, page)
	has("#messages [aria-disabled=true]", "Replace Password").check(t, page)
	hasNot("#message-address").check(t, page)
	if strings.Contains(w.Body.String(), password) {
		t.Error("the password is shown to everybody")
	}
}

// TestMessageAddressWithTLS checks that agents are told the port with TLS if
// there is one.
func TestMessageAddressWithTLS(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 14)
	endpoint, err := amqp.New(amqp.Options{Store: f.store, Log: f.options.Log, Port: 5672, TLSPort: 5671})
	if err != nil {
		t.Fatal(err)
	}
	f.options.Messages, f.options.Endpoint = endpoint, endpoint
	f.restart(f.options)
	page := f.page(t, "/settings/messages", "setter")
	has("#message-address", "facts-service-url: amqps://trento:"+f.messageCredential().Password+"@example.com:5671/").check(t, page)
	has("#messages .facts", "5671, with TLS").check(t, page)
}

// TestReplaceMessagePassword checks that the password is replaced only after a
// confirmation, by those who may, and that the log says so.
func TestReplaceMessagePassword(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 14)
	const path = "/settings/messages/password"
	before := f.messageCredential()
	for _, method := range []string{"GET", "POST"} {
		if w := f.do(call{method: method, target: path, as: "plain", form: url.Values{"confirmed": {"yes"}}}); w.Code != http.StatusForbidden {
			t.Errorf("%s without the permission: status %d", method, w.Code)
		}
	}
	has("#confirmation", "lose their connection for messages at once").check(t, f.page(t, path, "setter"))
	if status, page, _ := f.post("setter", path, "confirmed", ""); status != http.StatusOK || len(page.all("#confirmation")) != 1 {
		t.Errorf("not confirmed: status %d", status)
	}
	if f.messageCredential() != before {
		t.Fatal("replaced without the permission or a confirmation")
	}
	f.clock.pass(time.Hour)
	if status, _, to := f.post("setter", path, "confirmed", "yes"); status != http.StatusSeeOther || to != "/settings/messages" {
		t.Errorf("status %d, to %s", status, to)
	}
	after := f.messageCredential()
	if after.Password == before.Password || f.auth.CheckMessageCredential(before.User, before.Password) {
		t.Error("the former password is still valid")
	}
	page := f.page(t, "/settings/messages", "setter")
	has("#message-password", after.Password).check(t, page)
	has("#messages .facts", "11:15:30").check(t, page)
	hasNot("#confirmation").check(t, page)
	f.indexed()
	has("#rows", "Password for messages to agents was replaced").check(t, f.page(t, "/activity_log", "setter"))
	if strings.Contains(f.log.String(), after.Password) {
		t.Error("the password is in the log")
	}
}

// TestMessagePasswordWithAPIKey checks that a new API key replaces the password
// for messages if this was chosen, and only then.
func TestMessagePasswordWithAPIKey(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 14)
	const path, chosen = "/settings/api_key/new", "#key-dialog [name=rotate_message_credential][value=true]"
	expiry := []string{"expiry", "in", "number", "1", "unit", "months"}
	with := func(pairs ...string) []string { return append(expiry[:len(expiry):len(expiry)], pairs...) }
	before := f.messageCredential()

	page := f.page(t, path, "setter")
	has(chosen, "").check(t, page)
	hasNot(chosen+"[checked]").check(t, page)
	_, page, _ = f.post("setter", path, expiry...)
	hasNot(chosen).check(t, page)
	_, page, _ = f.post("setter", path, with("rotate_message_credential", "true")...)
	has("#key-dialog", "The password for messages is replaced as well").check(t, page)
	has(chosen+"[type=hidden]", "").check(t, page)
	_, page, _ = f.post("setter", path, with("rotate_message_credential", "true", "back", "yes")...)
	has(chosen+"[checked]", "").check(t, page)
	status, page, _ := f.post("setter", path, with("rotate_message_credential", "maybe", "confirmed", "yes")...)
	has("#key-dialog [role=alert]", "not one of true").check(t, page)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a value that was not offered: status %d", status)
	}

	if status, _, _ := f.post("setter", path, with("confirmed", "yes")...); status != http.StatusSeeOther || f.messageCredential() != before {
		t.Errorf("the key alone: status %d", status)
	}
	if warning := f.page(t, "/settings/api_key", "setter").texts("#secret-dialog .banner"); strings.Contains(strings.Join(warning, ""), "facts-service-url") {
		t.Errorf("the key alone: %q", warning)
	}
	f.post("setter", "/settings/api_key/shown", "stored", "yes")
	if status, _, _ := f.post("setter", path, with("rotate_message_credential", "true", "confirmed", "yes")...); status != http.StatusSeeOther {
		t.Errorf("both: status %d", status)
	}
	if f.messageCredential().Password == before.Password {
		t.Error("the password was not replaced")
	}
	has("#secret-dialog .banner", "every agent also needs the new facts-service-url").check(t, f.page(t, "/settings/api_key", "setter"))
}

// TestNoMessagePasswordToReplace checks what the settings say where the password
// is not used or not kept here, and that it is not replaced then.
func TestNoMessagePasswordToReplace(t *testing.T) {
	t.Parallel()
	const configured = "s/e:c@ret"
	for _, tt := range []struct {
		name    string
		prepare func(*fixture)
		says    string
	}{
		{"off", func(f *fixture) { f.options.Messages, f.options.Endpoint = nil, nil }, "ENABLE_AMQP"},
		{"elsewhere", func(f *fixture) { f.options.Endpoint = nil }, "AMQP_URL"},
		{"configured", func(f *fixture) {
			f.auth = f.newAuth(func(o *auth.Options) { o.MessageUser, o.MessagePassword = "agents", configured })
			f.options.Auth = f.auth
		}, "Set by AMQP_PASSWORD"},
	} {
		f := peopleFixture(t)
		f.user("setter", 14)
		tt.prepare(f)
		f.restart(f.options)
		before := f.messageCredential()
		newest := f.newestEntry()

		page := f.page(t, "/settings/messages", "setter")
		has("#messages", tt.says).check(t, page)
		hasNot("#messages .button[href]").check(t, page)
		if tt.name == "configured" {
			has("#message-address", "amqp://agents:s%2Fe%3Ac%40ret@example.com:5672/").check(t, page)
		} else {
			hasNot("#message-address").check(t, page)
		}
		for _, method := range []string{"GET", "POST"} {
			w := f.do(call{method: method, target: "/settings/messages/password", as: "setter", form: url.Values{"confirmed": {"yes"}}})
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/settings/messages" {
				t.Errorf("%s: %s: status %d, to %s", tt.name, method, w.Code, w.Header().Get("Location"))
			}
		}
		hasNot("#key-dialog [name=rotate_message_credential]").check(t, f.page(t, "/settings/api_key/new", "setter"))
		status, page, _ := f.post("setter", "/settings/api_key/new", "expiry", "never", "rotate_message_credential", "true", "confirmed", "yes")
		has("#key-dialog [role=alert]", "cannot be replaced here").check(t, page)
		if status != http.StatusUnprocessableEntity || f.newestEntry() != newest || f.messageCredential() != before {
			t.Errorf("%s: it was replaced, or status %d", tt.name, status)
		}
	}
}

// testMessagePassword shows, copies and replaces the password for messages.
func testMessagePassword(tab *tab) {
	tab.signedIn()
	before := tab.messageCredential()
	address := func() string {
		return "facts-service-url: " + tab.messageCredential().Address("amqp", "127.0.0.1", 5672)
	}
	visible := exists("#message-address") + ".checkVisibility()"
	tab.live("/settings/messages")
	tab.wants(visible, "false")
	tab.click("#message-secret > summary")
	tab.wants(visible, "true")
	tab.wants(exists("#message-address")+".textContent", address())
	tab.click("[data-copy=message-address]")
	tab.says("Copied to clipboard")
	tab.click("a[href='/settings/messages/password']")
	tab.until(exists("#confirmation:modal"))
	tab.wants("document.activeElement.textContent", "Cancel")
	tab.click("#confirmation [data-close]:focus")
	tab.until("!" + exists("#confirmation"))
	if tab.messageCredential() != before {
		tab.t.Error("canceled, but replaced")
	}
	tab.click("a[href='/settings/messages/password']")
	tab.until(exists("#confirmation:modal"))
	tab.click("#confirmation .danger")
	tab.says("The password for messages was replaced.")
	if after := tab.messageCredential(); after.Password == before.Password {
		tab.t.Error("not replaced")
	}
	tab.wants("location.pathname + location.hash", "/settings/messages")
	tab.wants(exists("#message-address")+".textContent", address())
}

// testMessagePasswordWithoutScripts shows and replaces the password in a browser
// without scripts.
func testMessagePasswordWithoutScripts(tab *tab) {
	tab.signedIn()
	tab.withoutScripts()
	read := func(want string) {
		tab.t.Helper()
		tab.run(chromedp.WaitVisible(chromedp.CSS(want)))
	}
	tab.open("/settings/messages")
	tab.click("#message-secret > summary")
	read("#message-password")
	tab.click("a[href='/settings/messages/password']")
	tab.click("#confirmation .danger")
	read("body:not(:has(dialog[open])) #messages")
	if after := tab.messageCredential(); after.Generation != 2 {
		tab.t.Errorf("generation %d after one replacement", after.Generation)
	}
}
