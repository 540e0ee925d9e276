package ui

import (
	"github.com/chromedp/chromedp/kb"

	"trento/store"
)

// testTagging checks that tags are added and removed without leaving the page,
// that the field shows why a tag is refused, and that other open pages follow.
func testTagging(tab *tab) {
	id := tab.host(1, "hana01")
	tab.signedIn()
	tab.live("/hosts")
	field := rowOf(1) + " .tag-add input[list]"
	// What is typed at once goes into the field, the letters of shortcuts too.
	tab.clickOn(aMenu, "Add Tag to host hana01")
	tab.press("g h?/two words" + kb.Enter)
	tab.until("!" + exists(rowOf(1)+" [data-fault]") + ".hidden")
	tab.wants(exists(field)+".value", "g h?/two words")
	tab.wants(exists(field)+".getAttribute('aria-invalid')", "true")

	for range "g h?/two words" {
		tab.press(kb.Backspace)
	}
	// The next tag is typed while the first is on its way.
	tab.press("env1" + kb.Enter + "env2")
	tab.until(exists(rowOf(1) + " .tag button[value=env1]"))
	tab.wants(exists(field)+".value", "env2")
	tab.wants("document.activeElement === "+exists(field), "true")
	tab.press(kb.Enter)
	tab.until(exists(rowOf(1) + " .tag button[value=env2]"))
	tab.wants(exists(field)+".value", "")
	tab.wants("document.activeElement === "+exists(field), "true")
	tab.wants("location.pathname", "/hosts")

	// Somebody else.
	if err := tab.store.AddTag(tab.t.Context(), store.System(), store.HostTag, string(id), "other"); err != nil {
		tab.t.Fatal(err)
	}
	tab.until(exists(rowOf(1) + " .tag button[value=other]"))
	tab.press(kb.Escape)
	tab.row(1).click(aButton, "Remove tag env1")
	tab.until("!" + exists(rowOf(1)+" .tag button[value=env1]"))
	tab.until("document.activeElement.value === 'env2'")
	tab.press(kb.Enter)
	tab.until("document.activeElement.value === 'other'")
	tab.press(kb.Enter)
	tab.until("document.activeElement === " + exists(rowOf(1)+" .tag-add summary"))
	tab.press(kb.Enter)
	tab.wants("document.activeElement === "+exists(field), "true")
}

// testChoosing checks that the box in the head selects all things of the page,
// and that the selection survives updates.
func testChoosing(tab *tab) {
	tab.host(1, "hana01")
	tab.host(2, "hana02")
	tab.signedIn()
	tab.live("/cleanup")
	tab.wants(exists(".choose-bar button")+".disabled", "true")
	tab.element("document.querySelector('#rows tbody .col-choose')").click() // anywhere in the cell
	tab.wants(exists("#chosen")+".textContent", "1 chosen")
	tab.clickOn(aBox, "Choose all on this page")
	tab.wants(exists("#chosen")+".textContent", "2 chosen")
	tab.host(3, "hana03")
	tab.until("document.querySelectorAll('#rows tbody tr').length === 3 || !" + exists("#news") + ".hidden")
	tab.wants("document.querySelectorAll('input[form=choice]:checked').length", "2")
	tab.clickOn(aButton, "Clean up…")
	tab.until(exists("input[name=plan]"))
	tab.wants("document.querySelector('h1').textContent", "Clean up 2 things?")
}
