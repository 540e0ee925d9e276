package ui

import (
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trento/store"
	"trento/store/activity"
)

// testManyNew checks that the notice counts all new entries, also more than fit
// on a page, and that the rows do not move until the reader asks for them.
func testManyNew(tab *tab) {
	tab.tagged("ada", 12)
	tab.signedIn()
	tab.live("/activity_log?type=resource_tagging&first=10")
	tab.wants(exists("h1 .count")+".textContent", "12")
	first := tab.ask("document.querySelector('tbody tr[id^=entry]').id")
	tab.tagged("ada", 25)
	tab.until(exists("#news-text") + ".textContent === '25 new entries.'")
	tab.wants("document.querySelector('tbody tr[id^=entry]').id", first)
	tab.tagged("ada", 1)
	tab.until(exists("#news-text") + ".textContent === '26 new entries.'")
	tab.wants("document.querySelector('tbody tr[id^=entry]').id", first)
	tab.click("#news [data-refresh-now]")
	tab.until("document.querySelector('tbody tr[id^=entry]').id !== '" + first + "'")
	tab.until(exists("#news") + ".hidden")
	tab.wants(exists("h1 .count")+".textContent", "38")
	tab.wants("document.querySelectorAll('tbody tr[id^=entry]').length", "10")

	tab.clickOn(aLink, "Next page")
	tab.until(exists("select#refresh-rate[aria-disabled=true]") + " && document.querySelectorAll('tbody tr[id^=entry]').length === 10")
	second := tab.ask("[...document.querySelectorAll('tbody tr[id^=entry]')].map(r => r.id).join()")
	tab.tagged("ada", 1)
	tab.click("[data-refresh-now].button")
	tab.until(exists("h1 .count") + ".textContent === '39'")
	tab.wants("[...document.querySelectorAll('tbody tr[id^=entry]')].map(r => r.id).join()", second)
}

// testLiveMode checks that in live mode new entries appear automatically, but
// not under the pointer.
func testLiveMode(tab *tab) {
	tab.tagged("ada", 3)
	tab.signedIn()
	tab.live("/activity_log?type=resource_tagging")
	tab.run(chromedp.SetValue(chromedp.CSS("#refresh-rate"), "live"))
	tab.ask(exists("#refresh-rate") + ".dispatchEvent(new Event('input', {bubbles: true}))")
	tab.until("new URLSearchParams(location.search).get('refreshRate') === 'live'")
	tab.until("!" + exists("#rows[data-announce]"))
	tab.tagged("ada", 1)
	tab.until("document.querySelectorAll('tbody tr[id^=entry]').length === 4")
	tab.wants(exists("#news")+".hidden", "true")
	tab.ask(exists("tbody a.message") + ".focus()")
	held := tab.ask("document.querySelector('tbody tr[id^=entry]').id")
	tab.tagged("ada", 2)
	tab.until("!" + exists("#news") + ".hidden")
	tab.wants("document.querySelector('tbody tr[id^=entry]').id", held)
	tab.wants(exists("#news-text")+".textContent", "2 new entries.")
	tab.click("#news [data-refresh-now]")
	tab.until("document.querySelectorAll('tbody tr[id^=entry]').length === 6")
	tab.wants("new URLSearchParams(location.search).get('refreshRate')", "live")
}

// testHints checks that the page explains how it has read a search.
func testHints(tab *tab) {
	tab.tagged("ada", 3)
	tab.signedIn()
	tab.live("/activity_log")
	tab.run(chromedp.SendKeys(chromedp.CSS("#search"), `tag1 AND "hana01`+kb.Enter))
	tab.until(exists("#search-hint li"))
	tab.wants("document.querySelectorAll('tbody tr[id^=entry]').length", "1")
	tab.wants(exists("#search-hint")+".textContent.includes('never closed')", "true")
	tab.wants(exists("#search")+".value", `tag1 AND "hana01`)
	tab.click("#search-help > summary")
	tab.until(exists("#search-help .keys") + ".checkVisibility()")
}

// testFlowByKeyboard reads a flow with the keyboard, from one of its entries, while
// it goes on.
func testFlowByKeyboard(tab *tab) {
	const flow = "00000000-0000-4000-8000-00000000dddd"
	step := func(n int) {
		metadata := map[string]any{"correlation_id": flow, "check_id": fmt.Sprint("step", n)}
		if err := tab.store.AppendActivity(tab.t.Context(), store.System(), &activity.Foreign{Of: activity.TypeCheckCustomizationApplied, Metadata: metadata}); err != nil {
			tab.t.Fatal(err)
		}
	}
	step(1)
	step(2)
	tab.signedIn()
	tab.live("/activity_log?type=check_customization_applied")
	tab.press("f")
	tab.wants("document.activeElement.id", "search")
	tab.press(kb.ArrowDown)
	tab.wants("document.activeElement.textContent", "Check step1 was customized") // the first entry stands for all of the flow
	tab.press(kb.Enter)
	tab.until(exists("dialog#entry:modal"))
	tab.ask(exists("#entry .more-link") + ".focus()")
	tab.press(kb.Enter)
	tab.until("location.search.includes('correlation=')")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.wants("[...document.querySelectorAll('#flow a[data-entry]')].map(a => a.textContent).join()", "Check step1 was customized,Check step2 was customized")
	step(3)
	tab.until("document.querySelectorAll('#flow li').length === 3")
	tab.ask(exists("#flow li:last-child a") + ".focus()")
	tab.press(kb.Enter)
	tab.until(exists("dialog#entry:modal"))
	tab.until("location.search.includes('entry=')")
	tab.wants(exists("#entry .entry-message")+".textContent.includes('step3')", "true")
	tab.press(kb.Escape)
	tab.until("!" + exists("dialog#entry"))
	tab.wants("location.search", "?correlation="+flow)
}

// testRetention changes how long entries are kept, and thinks better of it.
func testRetention(tab *tab) {
	tab.signedIn()
	tab.live("/settings/activity_log")
	tab.click("#activity-log a.button")
	tab.until(exists("dialog#retention:modal"))
	tab.wants("document.activeElement.id", "retention-value")
	tab.press(kb.Escape)
	tab.until("!" + exists("dialog#retention"))
	tab.wants("location.pathname", "/settings/activity_log")
	tab.click("#activity-log a.button")
	tab.until(exists("dialog#retention:modal"))
	tab.ask(exists("#retention-value") + ".value = ''")
	tab.run(chromedp.SendKeys(chromedp.CSS("#retention-value"), "0"+kb.Enter))
	tab.until(exists("#retention-value-error"))
	tab.until(exists("dialog#retention:modal"))
	tab.ask(exists("#retention-value") + ".value = ''")
	tab.run(chromedp.SendKeys(chromedp.CSS("#retention-value"), "6"))
	tab.click("#retention .primary")
	tab.until("location.pathname === '/settings/activity_log'")
	tab.until(exists("#activity-log dd") + ".textContent === '6 months'")
	tab.until(`document.querySelector('.toast')?.textContent.includes('6 months')`)
}
