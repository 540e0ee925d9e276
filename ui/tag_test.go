package ui

import (
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trento/store"
)

// testTagging: tags come and go in place, what is refused is said at the
// field, and everybody who watches sees it.
func testTagging(tab *tab) {
	id := tab.host(1, "hana01")
	tab.signedIn()
	tab.live("/hosts")
	field := rowOf(1) + " .tag-add input[list]"
	tab.click(rowOf(1) + " .tag-add summary")
	tab.until("document.activeElement === " + exists(field))
	tab.run(chromedp.SendKeys(chromedp.CSS(field), "two words"+kb.Enter))
	tab.until("!" + exists(rowOf(1)+" [data-fault]") + ".hidden")
	tab.wants(exists(field)+".value", "two words")
	tab.wants(exists(field)+".getAttribute('aria-invalid')", "true")

	for range "two words" {
		tab.press(kb.Backspace)
	}
	tab.run(chromedp.SendKeys(chromedp.CSS(field), "env1"+kb.Enter))
	tab.until(exists(rowOf(1) + " .tag button[value=env1]"))
	tab.wants(exists(field)+".value", "")
	tab.wants("location.pathname", "/hosts")

	// Somebody else.
	if err := tab.store.AddTag(tab.t.Context(), store.System(), store.HostTag, string(id), "other"); err != nil {
		tab.t.Fatal(err)
	}
	tab.until(exists(rowOf(1) + " .tag button[value=other]"))
	tab.click(rowOf(1) + " .tag button[value=env1]")
	tab.until("!" + exists(rowOf(1)+" .tag button[value=env1]"))
}

// testChoosing: the box in the head chooses all things of the page, and what
// is chosen stays so while the page lives.
func testChoosing(tab *tab) {
	tab.host(1, "hana01")
	tab.host(2, "hana02")
	tab.signedIn()
	tab.live("/cleanup")
	tab.click("[data-choose-all]")
	tab.wants(exists("#chosen")+".textContent", "2 chosen")
	tab.host(3, "hana03")
	tab.until("document.querySelectorAll('#rows tbody tr').length === 3 || !" + exists("#news") + ".hidden")
	tab.wants("document.querySelectorAll('input[form=choice]:checked').length", "2")
	tab.click(".choose-bar button")
	tab.until(exists("input[name=plan]"))
	tab.wants("document.querySelector('h1').textContent", "Clean up 2 things?")
}
