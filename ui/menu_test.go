package ui

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/net/html"
)

// testMenus uses every menu with the mouse and with the keyboard. It finds the
// menus in the markup of all pages. It uses the menus of the frame on one page,
// and each other menu on one page of its kind.
func testMenus(tab *tab, pages []string) {
	tab.signedIn()
	used := make(map[string]bool)
	menus := make(map[string]map[string]string) // by path and id
	for _, path := range pages {
		written := tab.writtenMenus(path)
		menus[path] = written
		if !slices.ContainsFunc(slices.Collect(maps.Values(written)), func(kind string) bool { return !used[kind] }) {
			continue
		}
		tab.open(path)
		tab.until("document.readyState === 'complete'")
		before := maps.Clone(used)
		for _, id := range tab.menus() {
			kind, known := written[id]
			if !known {
				tab.t.Fatalf("%s: the menu %s is not in the markup", path, id)
			}
			if before[kind] {
				continue
			}
			tab.visitMenu(path, id)
			if tab.t.Failed() {
				return
			}
			used[kind] = true
		}
	}
	for path, written := range menus {
		for id, kind := range written {
			if !used[kind] {
				tab.t.Errorf("%s: nobody has used the menu %s", path, id)
			}
		}
	}
}

// variable matches the parts in which addresses and ids of the same kind
// differ.
var variable = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d+\b|\?.*`)

// writtenMenus returns the kinds of the menus in the markup of a page, by id.
// The kind is the id and, except in the frame, the kind of page. If a dialog
// covers the page, these are the menus of the dialog.
func (tab *tab) writtenMenus(path string) map[string]string {
	tab.t.Helper()
	page := parseMarkup(tab.t, tab.do(call{target: path, as: "ada"}).Body.String())
	kinds := make(map[string]string)
	kind := func(menu *html.Node) (id, kind string) {
		id, _ = attribute(menu, "id")
		return id, variable.ReplaceAllString(id, "*")
	}
	inside := "main details.menu"
	if len(page.all("dialog[data-modal]")) > 0 {
		inside = "dialog[data-modal] details.menu"
	} else {
		for _, menu := range page.all("details.menu") {
			id, ofFrame := kind(menu)
			kinds[id] = ofFrame
		}
	}
	for _, menu := range page.all(inside) {
		id, inPage := kind(menu)
		page, _, _ := strings.Cut(path, "?")
		kinds[id] = variable.ReplaceAllString(page, "*") + " " + inPage
	}
	return kinds
}

// menus returns the ids of the menus that can be used now: those of the dialog
// if one covers the page, and of many equal rows only those of two.
func (tab *tab) menus() []string {
	tab.t.Helper()
	tab.wants(`[...document.querySelectorAll('details.menu:not([id])')].map(m => m.outerHTML.slice(0, 80)).join()`, "")
	list := tab.ask(`[...(document.querySelector('dialog:modal') ?? document).querySelectorAll('details.menu')]
		.filter(m => m.firstElementChild.checkVisibility() && [...(m.closest('tbody')?.rows ?? [])].indexOf(m.closest('tr')) < 2).map(m => m.id).join(' ')`)
	return strings.Fields(list)
}

// visitMenu opens a menu, clicks on its texts, ticks and unticks its first
// option, and closes it in every possible way.
func (tab *tab) visitMenu(path, id string) {
	tab.t.Helper()
	menu := fmt.Sprintf("document.getElementById(%q)", id)
	is := func(state string) {
		tab.t.Helper()
		tab.wants(menu+".open", state)
	}
	tab.until("Boolean(" + menu + ")") // a filter that was cleared may still be bringing its row back
	tab.element(menu + ".firstElementChild").click()
	tab.until(menu + ".open")
	for _, text := range tab.texts(menu) {
		text.hold()
		is("true")
		tab.releaseAt(menu + ".lastElementChild")
		is("true")
	}
	first := menu + ".querySelector('label input:is([type=checkbox], [type=radio]):enabled')"
	if tab.ask("Boolean("+first+")") == "true" {
		before, search := tab.ask(first+".checked"), tab.ask("location.search")
		tab.element(first).click()
		tab.until("String(" + first + ".checked) !== '" + before + "' || " + first + ".type === 'radio'")
		// The address follows a little later. Who unticks before that sees
		// the old one and takes it for the new one.
		if tab.ask(first+".checked") != before && tab.ask("Boolean("+first+".form?.matches('[data-auto]'))") == "true" {
			tab.until(fmt.Sprintf("location.search !== %q", search))
		}
		is("true")
		if before == "false" {
			ticked := tab.ask("location.search")
			tab.element(first).click()
			if id == "columns" { // they are remembered, so the address that names them is not the one without them
				tab.until(fmt.Sprintf("location.search !== %q", ticked))
			} else {
				tab.until(fmt.Sprintf("location.search === %q", search))
			}
		}
		is("true")
	}
	tab.press(kb.Escape)
	is("false")
	tab.wants("document.activeElement === "+menu+".firstElementChild", "true")
	tab.press(kb.Enter)
	is("true")
	tab.press(kb.Tab)
	if tab.ask("["+menu+".lastElementChild, ..."+menu+".lastElementChild.querySelectorAll('a, button, input, select')].slice(1).some(e => e.checkVisibility())") == "true" {
		tab.wants(menu+".contains(document.activeElement)", "true")
	}
	if tab.ask(menu+".open") == "true" { // else Escape would close what is shown beside the list
		tab.press(kb.Escape)
	}
	is("false")
	tab.element(menu + ".firstElementChild").click()
	tab.until(menu + ".open")
	tab.mouseClick(3, 895, 0)
	is("false")
}

// texts returns the texts in a menu. Of a long list of options it returns those
// at the beginning and the end.
func (tab *tab) texts(menu string) []target {
	tab.t.Helper()
	each := fmt.Sprintf(`(() => {
		const written = [...%s.lastElementChild.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.matches('.visually-hidden, option, select') && [...e.childNodes].some((c) => c.nodeType === Node.TEXT_NODE && c.data.trim()));
		const option = (e) => e.matches('.options *');
		const options = written.filter(option);
		return window.written = [...written.filter((e) => !option(e)), ...options.slice(0, 2), ...options.slice(2).slice(-1)];
	})()`, menu)
	number, err := chromedp.Run(tab.ctx, chromedp.Evaluate[int](each+".length"))
	if err != nil {
		tab.t.Fatal(err)
	}
	var texts []target
	for n := range number {
		texts = append(texts, tab.element(fmt.Sprintf("window.written[%d]", n)))
	}
	return texts
}

// releaseAt moves the pressed mouse to the empty corner of an element and
// releases it.
func (tab *tab) releaseAt(expression string) {
	tab.t.Helper()
	at, err := chromedp.Run(tab.ctx, chromedp.Evaluate[[]float64](fmt.Sprintf("(b => [b.left + 3, b.top + 3])(%s.getBoundingClientRect())", expression)))
	if err != nil {
		tab.t.Fatal(err)
	}
	tab.mouse(input.DispatchMouseEventTypeMouseMoved, at[0], at[1], 0)
	tab.mouse(input.DispatchMouseEventTypeMouseReleased, at[0], at[1], 0)
}

// testVeil checks that a dialog stays open if a text in it is selected or an
// empty place in it is clicked, and that a click beside it closes it.
func testVeil(tab *tab) {
	tab.signedIn()
	tab.live("/about")
	tab.openMenu("ada").click(aButton, "Keyboard shortcuts")
	tab.until(exists("dialog#keys:modal"))
	tab.wants(exists("#profile")+".open", "false")
	tab.element("document.querySelector('#keys dd')").hold()
	tab.mouse(input.DispatchMouseEventTypeMouseMoved, 10, 450, 0)
	tab.mouse(input.DispatchMouseEventTypeMouseReleased, 10, 450, 0)
	tab.wants(exists("#keys")+".open", "true")
	tab.element("document.querySelector('#keys h2')").hold()
	tab.releaseAt("document.querySelector('#keys')")
	tab.wants(exists("#keys")+".open", "true")
	tab.mouseClick(10, 450, 0)
	tab.until("!" + exists("#keys[open]"))
	tab.openMenu("ada").click(aButton, "Keyboard shortcuts")
	tab.until(exists("dialog#keys:modal"))
	tab.press(kb.Escape)
	tab.until("!" + exists("#keys[open]"))
}
