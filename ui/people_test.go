package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trento/auth"
	"trento/store"
	"trento/store/storetest"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := startBrowser(t)
	for _, tt := range []struct {
		name string
		test func(*tab)
	}{
		{"creating a user", testCreatingUser}, {"picker", testPicker}, {"disabling", testDisabling}, {"editing at once", testEditingAtOnce},
		{"second factor", testEnrolling}, {"tokens", testTokenLife}, {"scopes", testScopePicker}, {"forms in use", testFormsInUse}, {"API key", testKeyRenewal},
		{"password for messages", testMessagePassword}, {"password for messages without scripts", testMessagePasswordWithoutScripts},
		{"without scripts", testPeopleWithoutScripts},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(newTab(t, chromium))
		})
	}
}

func (f *fixture) disable(name string) {
	f.t.Helper()
	storetest.Disable(f.t, f.store, f.userNow(name).ID)
}

func (tab *tab) typed(selector, text string) {
	tab.t.Helper()
	tab.run(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// says waits for a toast.
func (tab *tab) says(news string) {
	tab.t.Helper()
	tab.until(`document.querySelector('#toasts')?.textContent.includes('` + news + `')`)
}

func (tab *tab) signsIn(name, password string) {
	tab.t.Helper()
	tab.open("/session/new")
	tab.typed("#username", name)
	tab.typed("#password", password+kb.Enter)
}

// testCreatingUser creates a user, who signs in, gets permissions, and is
// signed out when the account is disabled.
func testCreatingUser(tab *tab) {
	tab.signedIn()
	tab.live("/users")
	tab.click("a[href='/users/new']")
	tab.until("document.querySelector('h1')?.textContent === 'Create User'")
	tab.click(".form-end .primary")
	tab.until("document.querySelectorAll('.field-error').length === 5")
	tab.typed("#fullname", "Ann Lee")
	tab.typed("#email", "ann@example.com")
	tab.typed("#username", "Ann")
	tab.click("[name=generate]")
	tab.until(exists("#generated"))
	password := tab.ask(exists("#generated") + ".textContent")
	tab.wants(exists("#fullname")+".value", "Ann Lee")
	tab.wants(exists("#password")+".value === "+exists("#password-confirmation")+".value", "true")
	tab.click("[data-abilities]:nth-of-type(4)")
	tab.until("document.querySelector('[data-added] dd')?.textContent === 'all:checks_execution, cleanup:all'")
	// The form that was answered twice can be gone back to and forth again.
	tab.ask("history.back()")
	tab.until("document.querySelectorAll('.field-error').length === 5")
	tab.ask("history.back()")
	tab.until("document.querySelector('h1')?.textContent === 'Create User' && !document.querySelector('.field-error')")
	tab.ask("history.go(2)")
	tab.until(exists("#generated"))
	tab.until("document.querySelector('[name=ability][value=\"11\"]').closest('.picker')")
	tab.click("[data-abilities]:nth-of-type(4)")
	tab.until("document.querySelector('[data-added] dd')?.textContent === 'all:checks_execution, cleanup:all'")
	tab.click(".form-end .primary")
	tab.until("location.pathname === '/users/2/edit'")
	tab.says("User “ann” created successfully")
	tab.until(exists("#secret-dialog:modal")) // the notice may come before the scripts
	tab.wants(exists("#secret-dialog:modal #secret-text")+".textContent", password)
	tab.closesSecret("Copy")
	tab.until("location.pathname === '/users/2/edit' && !" + exists("#secret-dialog"))

	tab.click("#profile > summary")
	tab.click("form[action='/session/end'] button")
	tab.until("location.pathname === '/session/new' && " + exists("#username"))
	tab.signsIn("ann", password)
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.wants(exists("nav a[href='/users']"), "null")
	tab.wants("document.querySelector('.profile-name').textContent", "ann")
	tab.wants("document.querySelector('.site-banner').textContent.includes('Password change is recommended.')", "true")

	ada := &auth.Identity{User: tab.userNow("ada")}
	ann := tab.userNow("ann")
	if _, err := tab.auth.ChangeUser(tab.t.Context(), ada, ann.ID, ann.LockVersion, auth.UserChange{Abilities: &[]int{2}}); err != nil {
		tab.t.Fatal(err)
	}
	tab.until(exists("nav a[href='/users']"))
	tab.live("/profile")
	tab.disable("ann")
	tab.until("location.pathname === '/session/new'")
	tab.signsIn("ann", password)
	tab.until("document.querySelector('#failure')?.textContent === 'Invalid credentials'")
}

// testPicker chooses permissions by the keyboard alone.
func testPicker(tab *tab) {
	tab.user("ann", 7)
	tab.signedIn()
	tab.live(editPath(tab.userNow("ann").ID, "edit"))
	group := "[data-group='all:tags']"
	tab.wants(exists(group+" input")+".indeterminate", "true")
	tab.wants(exists(group+" [data-words]")+".textContent", "1 of 4, without all:cluster_tags, all:database_tags, all:sap_system_tags")
	tab.run(chromedp.Focus(chromedp.CSS("[data-narrow]")), chromedp.KeyEvent("tags"))
	tab.until("[...document.querySelectorAll('.picker-list li')].filter(li => li.checkVisibility()).length === 5")
	tab.press(kb.Tab)
	tab.wants("document.activeElement.getAttribute('aria-label')", "All of all:tags")
	tab.press(" ")
	tab.wants("[...document.querySelectorAll('[name=ability]:checked')].map(b => b.value).join()", "7,8,9,10")
	tab.until(exists("[data-added] dd") + ".textContent === 'all:cluster_tags, all:database_tags, all:sap_system_tags'")
	tab.press(kb.Tab)
	tab.press(" ")
	tab.until(exists(group+" [data-words]") + ".textContent === '3 of 4, without all:host_tags'")
	tab.wants(exists("[data-removed] dd")+".textContent", "all:host_tags")
	tab.press(" ")
	tab.until(exists("[data-removed]") + ".hidden")
	tab.until(exists("[data-reviewed]") + ".value === '7,8,9,10'")
	// The difference was on the screen, so nothing is asked again.
	tab.press(kb.Enter)
	tab.until("location.pathname === '/users'")
	tab.says("User “ann” edited successfully")
	if got := fmt.Sprint(tab.userNow("ann").Abilities); got != "[7 8 9 10]" {
		tab.t.Errorf("ann has %s", got)
	}
}

func testDisabling(tab *tab) {
	tab.user("ann")
	tab.signedIn()
	tab.live(editPath(tab.userNow("ann").ID, "edit"))
	tab.ask(exists("#status") + ".value = 'false'")
	tab.typed("#fullname", kb.End+" Lee")
	tab.click(".form-end .primary")
	tab.until(exists("dialog#confirmation:modal"))
	tab.wants("document.activeElement.textContent", "Cancel")
	tab.wants(exists("#confirmation")+".textContent.includes('1 session ends at once')", "true")
	tab.press(kb.Escape)
	tab.until("!" + exists("#confirmation[open]"))
	tab.wants(exists("#fullname")+".value", "ann Lee")
	tab.wants(exists("#status")+".value", "false")
	tab.click(".form-end .primary")
	tab.until(exists("dialog#confirmation:modal"))
	tab.click("#confirmation .danger")
	tab.until("location.pathname === '/users'")
	tab.until(exists("#row-2[data-stale]"))
	tab.click("#row-2 .col-do a")
	tab.until(exists("dialog#confirmation:modal"))
	tab.wants("location.pathname", "/users/2/delete")
	tab.press(kb.Escape)
	tab.until("location.pathname === '/users'")
	tab.click("#row-2 .col-do a")
	tab.until(exists("dialog#confirmation:modal"))
	tab.click("#confirmation .danger")
	tab.says("User “ann” deleted successfully")
	tab.wants(exists("#row-2"), "null")
}

// testEditingAtOnce checks that two people can change the same user at the same
// time.
func testEditingAtOnce(tab *tab) {
	tab.user("ann")
	tab.signedIn()
	tab.live(editPath(tab.userNow("ann").ID, "edit"))
	tab.typed("#fullname", kb.End+" Lee")
	cursor := tab.ask("document.querySelector('#frame').dataset.cursor")
	ada, other := &auth.Identity{User: tab.userNow("ada")}, "other@example.com"
	if _, err := tab.auth.ChangeUser(tab.t.Context(), ada, tab.userNow("ann").ID, 1, auth.UserChange{Email: &other}); err != nil {
		tab.t.Fatal(err)
	}
	tab.until("document.querySelector('#frame').dataset.cursor !== '" + cursor + "'")
	tab.click(".form-end .primary")
	tab.until(exists("#conflict"))
	tab.wants("[...document.querySelectorAll('#conflict tbody tr')].map(r => [...r.cells].map(c => c.textContent).join('|')).join()",
		"Full Name|ann|ann Lee|what you have typed,Email Address|other@example.com|not changed|what is saved")
	tab.wants(exists("#fullname")+".value", "ann Lee")
	tab.wants(exists("#email")+".value", "other@example.com")
	tab.clickOn(aLink, "Take what is saved")
	tab.until("document.querySelector('#fullname')?.value === 'ann' && !" + exists("#conflict"))
	tab.typed("#fullname", kb.End+" Lee")
	if _, err := tab.auth.ChangeUser(tab.t.Context(), ada, tab.userNow("ann").ID, 2, auth.UserChange{Timezone: new("Asia/Tokyo")}); err != nil {
		tab.t.Fatal(err)
	}
	tab.click(".form-end .primary")
	tab.until(exists("#conflict"))
	tab.clickOn(aButton, "Save what is in the form")
	tab.says("User “ann” edited successfully")
	if u := tab.userNow("ann"); u.Fullname != "ann Lee" || u.Timezone != "Asia/Tokyo" {
		tab.t.Errorf("saved %+v", u)
	}
}

// closesSecret closes the dialog of a secret after copying or downloading it.
func (tab *tab) closesSecret(button string) {
	tab.t.Helper()
	dialog := tab.in("#secret-dialog")
	dialog.click(aButton, button)
	tab.until(exists("[data-stored]") + ".value === 'yes'")
	if button == "Copy" { // the page that follows does not say it any more
		tab.says("Copied to clipboard")
	}
	dialog.click(aButton, "Close")
}

func testEnrolling(tab *tab) {
	tab.signedIn()
	tab.live("/profile")
	tab.click("[role=switch]")
	tab.until(exists("svg.qr path"))
	secret := tab.ask(exists("#totp-secret") + ".textContent")
	// Going away does not lose it, nor does pressing the switch again.
	tab.live("/hosts")
	tab.live("/profile")
	tab.wants(exists("#totp-secret")+".textContent", secret)
	tab.typed("#totp-code", "000000"+kb.Enter)
	tab.until("document.querySelector('.field-error')?.textContent === 'Totp code not valid for the enrollment procedure.'")
	tab.typed("#totp-code", tab.totpCode(secret)+kb.Enter)
	tab.until(exists("[role=switch][aria-checked=true]"))
	tab.says("TOTP Enabled")

	tab.click("#profile > summary")
	tab.click("form[action='/session/end'] button")
	tab.until("location.pathname === '/session/new' && " + exists("#username"))
	tab.open("/settings?x=1")
	tab.typed("#username", "ada")
	tab.typed("#password", testPassword+kb.Enter)
	tab.until(exists("#totp-code"))
	tab.wants("document.activeElement.id", "totp-code")
	tab.typed("#totp-code", tab.totpCode(secret)+kb.Enter) // the one that was used
	tab.until(exists("#failure"))
	tab.clock.pass(30 * time.Second)
	tab.typed("#totp-code", tab.totpCode(secret)+kb.Enter)
	tab.until("location.pathname + location.search === '/settings?x=1'")

	tab.live("/profile")
	tab.click("[role=switch]")
	tab.until(exists("dialog#confirmation:modal"))
	tab.typed("#confirmation [name=current_password]", testPassword)
	tab.click("#confirmation .danger")
	tab.until(exists("[role=switch][aria-checked=false]:enabled"))
	tab.says("TOTP Disabled")
}

// bearer sends a request to the API as a program with a token does.
func (tab *tab) bearer(token, path string) int {
	tab.t.Helper()
	r, err := http.NewRequestWithContext(tab.t.Context(), http.MethodGet, tab.server.URL+path, nil)
	if err != nil {
		tab.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		tab.t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		tab.t.Fatal(err)
	}
	return answer.StatusCode
}

// testTokenLife creates a token, uses it, and deletes it.
func testTokenLife(tab *tab) {
	for _, permission := range []string{"clipboard-write", "clipboard-read"} {
		granted := browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: permission}, Setting: browser.PermissionSettingGranted}
		if _, err := chromedp.CallBrowser(tab.ctx, browser.SetPermission, granted); err != nil {
			tab.t.Fatal(err)
		}
	}
	tab.signedIn()
	tab.live("/profile")
	tab.click("a[href='/profile/tokens/new']")
	tab.until(exists("dialog#token-dialog:modal"))
	tab.wants("document.activeElement.id", "token-name")
	tab.press("ci")
	tab.wants(exists("[data-expiry-words]")+".textContent.startsWith('It will expire on ')", "true")
	tab.wants(exists(".when-endless")+".checkVisibility()", "false")
	before := tab.ask(exists("[data-expiry-words]") + ".textContent")
	tab.run(chromedp.Focus(chromedp.CSS("[name=number]")))
	tab.press(kb.End + "0")
	tab.until(exists("[data-expiry-words]") + ".textContent !== '" + before + "'")
	tab.in("#expiry").click(aRadio, "Never Expires")
	tab.until(exists("[data-expiry-words]") + ".textContent === 'It will never expire.'")
	tab.wants(exists(".when-endless")+".checkVisibility()", "true")
	tab.typed("[name=current_password]", testPassword)
	tab.click("#token-dialog .dialog-end .primary")
	tab.until(exists("#secret-dialog:modal"))
	tab.wants("location.pathname", "/profile")
	token := tab.ask(exists("#secret-text") + ".textContent")
	tab.wants(exists("#secret-text")+".checkVisibility()", "false")
	tab.click("#secret > summary")
	tab.until(exists("#secret-text") + ".checkVisibility()")
	// Neither a key, nor a click beside it, nor going away and back loses it.
	tab.press(kb.Escape)
	tab.press(kb.Escape)
	tab.mouseClick(8, 8, 0)
	tab.paint()
	tab.wants(exists("#secret-dialog:modal #secret-text")+".textContent", token)
	tab.live("/hosts")
	tab.until("document.querySelector('.site-banner')?.textContent.includes('waits to be stored by you')")
	tab.ask("history.back()")
	tab.until("location.pathname === '/profile' && " + exists("#secret-dialog:modal"))
	tab.wants(exists("#secret-text")+".textContent", token)
	// Nothing has stored it yet, so it is asked first.
	tab.in("#secret-dialog").click(aButton, "Close")
	tab.until("document.querySelector('#secret-dialog [role=alert]')?.textContent.includes('neither copied nor downloaded')")
	tab.in("#secret-dialog").click(aLink, "Keep it open")
	tab.until("location.pathname === '/profile' && " + exists("#secret-dialog:modal") + " && !document.querySelector('#secret-dialog [role=alert]')")

	// What else happens does not take away what is shown only once.
	if _, _, err := tab.auth.CreateToken(tab.t.Context(), &auth.Identity{User: tab.userNow("ada")}, auth.NewToken{Name: "other"}); err != nil {
		tab.t.Fatal(err)
	}
	tab.until("document.querySelectorAll('#tokens tbody tr').length === 2")
	tab.wants(exists("dialog#secret-dialog:modal #secret-text")+".textContent", token)
	if !strings.HasPrefix(token, "trento_pat_") || tab.bearer(token, "/api/v1/hosts") != http.StatusOK {
		tab.t.Errorf("the token %q does not work", token)
	}
	tab.closesSecret("Copy")
	tab.until("location.pathname === '/profile' && !" + exists("#secret-dialog"))

	tab.click("#tokens a[aria-label='Delete ci']")
	tab.until(exists("dialog#confirmation:modal"))
	tab.typed("#confirmation [name=current_password]", "wrong"+kb.Enter)
	tab.until(exists("#confirmation:modal .field-error"))
	tab.typed("#confirmation [name=current_password]", testPassword+kb.Enter)
	tab.says("1 token was deleted.")
	tab.wants("document.querySelectorAll('#tokens tbody tr').length", "1")
	if status := tab.bearer(token, "/api/v1/hosts"); status != http.StatusUnauthorized {
		tab.t.Errorf("deleted, and answered with %d", status)
	}
	// Several with the shift key.
	for _, name := range []string{"x", "y"} {
		if _, _, err := tab.auth.CreateToken(tab.t.Context(), &auth.Identity{User: tab.userNow("ada")}, auth.NewToken{Name: name}); err != nil {
			tab.t.Fatal(err)
		}
	}
	tab.until("document.querySelectorAll('#tokens tbody tr').length === 3")
	tab.click("#tokens tbody tr:first-child [name=token]")
	tab.ask(exists("#tokens tbody tr:last-child [name=token]") + ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: true}))")
	tab.wants("document.querySelectorAll('[name=token]:checked').length", "3")
	tab.wants(exists("#chosen")+".textContent", "3 chosen")
	tab.click("#choice button")
	tab.until("document.querySelectorAll('#confirmation .results li').length === 3")
}

func testScopePicker(tab *tab) {
	tab.confirmTokens(false)
	tab.signedIn()
	tab.live("/profile/tokens/new")
	tab.until(exists("dialog#token-dialog:modal"))
	tab.wants(exists(".scope-choice")+".checkVisibility()", "false")
	tab.click("[name=access][value=chosen]")
	tab.until(exists(".scope-choice") + ".checkVisibility()")
	tab.click(".scope-choice summary")
	tab.typed("#scopes [data-narrow]", "list the hosts")
	tab.until("[...document.querySelectorAll('.scope-choice details li label')].filter(l => l.checkVisibility()).length === 1")
	tab.click("[name=scope][value='GET /api/v1/hosts']")
	tab.ask("((e) => { e.value = ''; e.dispatchEvent(new Event('input', {bubbles: true})) })(" + exists("#scopes [data-narrow]") + ")")
	tab.click("[data-only-checked]")
	tab.wants("[...document.querySelectorAll('.scope-choice details li label')].filter(l => l.checkVisibility()).length", "1")
	tab.click("#token-dialog .dialog-end .primary")
	tab.until("document.querySelector('#token-dialog .field-error')?.textContent === 'Required field'")
	tab.wants(exists("[name=scope][value='GET /api/v1/hosts']")+".checked", "true")
	tab.typed("#token-name", "narrow")
	tab.click("#token-dialog .dialog-end .primary")
	tab.until(exists("#secret-text"))
	token := tab.ask(exists("#secret-text") + ".textContent")
	if tab.bearer(token, "/api/v1/hosts") != http.StatusOK || tab.bearer(token, "/api/v1/clusters") != http.StatusForbidden {
		tab.t.Error("the scope does not hold")
	}
}

// testFormsInUse checks that live updates do not change a form that somebody is
// filling in.
func testFormsInUse(tab *tab) {
	tab.signedIn()
	tab.live("/profile")
	tab.wants(exists("[data-zone-note]")+".hidden", tab.ask("new Date().getTimezoneOffset() === 0"))
	tab.run(chromedp.SetValue(chromedp.CSS("#timezone"), "Pacific/Kiritimati"))
	tab.ask(exists("#timezone") + ".dispatchEvent(new Event('input', {bubbles: true}))")
	tab.wants(exists("[data-zone-note]")+".hidden", "false")
	tab.signInAs("ada")
	tab.until("document.querySelectorAll('#sessions tbody tr').length === 2")
	tab.wants(exists("#timezone")+".value", "Pacific/Kiritimati")
	tab.click("#sessions tbody form button")
	tab.says("The session was ended.")
	tab.wants("document.querySelectorAll('#sessions tbody tr').length", "1")
}

func testKeyRenewal(tab *tab) {
	tab.signedIn()
	tab.live("/settings/api_key")
	tab.click("a[href='/settings/api_key/new']")
	tab.until(exists("dialog#key-dialog:modal"))
	tab.run(chromedp.SetValue(chromedp.CSS("[name=number]"), "0"))
	tab.click("#key-dialog .primary")
	tab.until("document.querySelector('#key-dialog .field-error')?.textContent === 'Key expiration value needs to be greater than 0'")
	tab.run(chromedp.SetValue(chromedp.CSS("[name=number]"), "10"), chromedp.SetValue(chromedp.CSS("[name=unit]"), "days"))
	tab.click("#key-dialog .primary")
	tab.until(exists("#key-dialog:modal .danger"))
	tab.click("#key-dialog [name=back]")
	tab.until(exists("#key-dialog:modal [type=number]"))
	tab.wants(exists("[type=number]")+".value", "10")
	tab.click("#key-dialog .primary")
	tab.until(exists("#key-dialog:modal .danger"))
	tab.click("#key-dialog .danger")
	tab.until(exists("#secret-dialog:modal #secret-text"))
	tab.press(kb.Escape)
	tab.wants(exists("#secret-dialog")+".matches(':modal')", "true")
	tab.closesSecret("Download")
	tab.until("location.pathname === '/settings/api_key' && !" + exists("#secret-dialog"))
	tab.wants("document.querySelector('.site-banner').textContent.includes('API Key expires in 10 days')", "true")
	tab.click(".site-banner button")
	tab.until("document.querySelector('h1')?.textContent === 'API key' && !" + exists(".site-banner.warning"))
}

// testPeopleWithoutScripts creates a user and a token in a browser without
// scripts.
func testPeopleWithoutScripts(tab *tab) {
	tab.confirmTokens(false)
	tab.signedIn()
	tab.withoutScripts()
	read := func(want string) {
		tab.t.Helper()
		tab.run(chromedp.WaitVisible(chromedp.CSS(want)))
	}
	tab.open("/users/new")
	tab.typed("#fullname", "Ann Lee")
	tab.typed("#email", "ann@example.com")
	tab.typed("#username", "ann")
	tab.click("[name=generate]")
	read("#generated")
	tab.click("[name=preset][value='0']")
	read("[data-added]")
	tab.click(".form-end .primary")
	read("#secret-dialog")
	tab.click("#secret-dialog .dialog-end .primary")
	read("#secret-dialog [role=alert]")
	tab.click("#secret-dialog [name=stored][value=yes]")
	read("#totp-status")
	tab.click("[name=preset][value='1']")
	read("[data-removed]")
	tab.click(".form-end .primary")
	read("#confirmation .going") // asked, because no script has shown it
	tab.click("#confirmation .primary")
	read("#row-2")
	if got := tab.userNow("ann").Abilities; len(got) > 0 {
		tab.t.Errorf("ann has %v", got)
	}
	tab.open("/profile/tokens/new")
	tab.typed("#token-name", "plain")
	tab.click("#token-dialog .dialog-end .primary")
	read("#secret-dialog")
	tab.open("/hosts") // and it is there still
	tab.open("/profile")
	tab.click("#secret > summary")
	read("#secret-text")
	tab.click("#secret-dialog .dialog-end .primary")
	read("#secret-dialog [role=alert]")
	tab.click("#secret-dialog [name=stored][value=yes]")
	read("#tokens tbody")
	tab.click("[role=switch]")
	read("svg.qr")
}

// seePeople returns the pages about people, each with something to show.
func (f *fixture) seePeople() []string {
	f.t.Helper()
	f.user("bob", 2, 7, 14)
	f.disable("bob")
	f.user("twofold")
	f.enroll("twofold")
	ada := f.userNow("ada")
	identity := &auth.Identity{User: ada}
	var tokens []string
	for _, name := range []string{"ci", strings.Repeat("long-", 40), "שלום <b>"} {
		end := f.clock.Now().Add(48 * time.Hour)
		token, _, err := f.auth.CreateToken(f.t.Context(), identity, auth.NewToken{Name: name, Description: strings.Repeat("w", 200), ExpiresAt: &end, Scopes: []string{"read_only", "GET /api/v1/hosts"}})
		if err != nil {
			f.t.Fatal(err)
		}
		tokens = append(tokens, token.ID)
		f.store.NoteTokenUse(store.TokenUse{UserID: ada.ID, At: f.clock.Now(), TokenID: token.ID, TokenName: name, Method: "GET", Path: "/api/v1/" + strings.Repeat("p", 200), Address: "2001:db8:1111:2222:3333:4444:5555:6666", UserAgent: strings.Repeat("agent", 60), Via: "bearer", Status: 403})
	}
	if _, err := f.auth.ExpireToken(f.t.Context(), identity, tokens[2]); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.auth.BeginTOTP(f.t.Context(), identity); err != nil {
		f.t.Fatal(err)
	}
	own := "/profile/tokens/" + tokens[0]
	return []string{
		"/users", "/users/new", "/users/2/edit", "/users/2/delete", "/users/1/tokens/" + tokens[0] + "/delete", "/tokens",
		"/profile", "/profile/totp", "/profile/password", "/profile/tokens/new", own + "/edit", "/profile/tokens/delete?all=true", "/profile/tokens/log",
		"/settings/api_key", "/settings/api_key/new", "/settings/messages", "/settings/messages/password", "/settings/alerting", "/settings/alerting/edit",
		"/settings/tokens", "/settings/single_sign_on", "/settings/activity_log", "/settings/forwarding", "/settings/backup",
	}
}

// showPassword brings a browser to the second step of signing in, as one of
// seePeople.
func (tab *tab) showPassword() {
	tab.t.Helper()
	w := tab.do(call{method: "POST", target: "/session", form: url.Values{"username": {"twofold"}, "password": {testPassword}}})
	cookie := w.Result().Cookies()[0]
	command(tab, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: tab.server.URL, Path: cookie.Path})
}
