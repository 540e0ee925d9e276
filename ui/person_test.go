package ui

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// region is a part of a page in which a person looks for a control by its role
// and its name, as assistive technology tells them, and uses it with the mouse
// or the keyboard.
type region struct {
	tab      *tab
	selector string // of the first element it is, in CSS
}

func (tab *tab) page() region                { return tab.in("html") }
func (tab *tab) in(selector string) region   { return region{tab, selector} }
func (tab *tab) row(n int) region            { return tab.in(rowOf(n)) }
func (tab *tab) clickOn(role, name string)   { tab.t.Helper(); tab.page().click(role, name) }
func (tab *tab) openMenu(name string) region { tab.t.Helper(); return tab.page().openMenu(name) }

// Roles by the words of Chromium's accessibility tree.
const (
	aBox     = "checkbox"
	aButton  = "button"
	aField   = "textbox"
	aLink    = "link"
	aMenu    = "DisclosureTriangle" // summary of a <details>
	aRadio   = "radio"
	aSearch  = "searchbox"
	aToggler = "switch"
)

// target is an element that a person can use.
type target struct {
	tab       *tab
	what      string // for messages
	object    runtime.RemoteObjectID
	findAgain func() (runtime.RemoteObjectID, error) // finds the element that has taken its place
}

// click presses and releases the mouse on the words of a control.
func (r region) click(role, name string) {
	r.tab.t.Helper()
	r.find(role, name).click()
}

// openMenu clicks the words of a menu and returns what it shows.
func (r region) openMenu(name string) region {
	r.tab.t.Helper()
	summary := r.find(aMenu, name)
	summary.click()
	id := summary.ask(`function() {
		const menu = this.parentElement;
		menu.id ||= 'menu-' + Math.random().toString(36).slice(2);
		return menu.id;
	}`)
	r.tab.until(fmt.Sprintf("document.getElementById(%q)?.open", id))
	return r.tab.in(fmt.Sprintf(`[id=%q]`, id))
}

// find waits for a visible control. name is its full accessible name, or the
// part before a blank or comma, because numbers often follow.
func (r region) find(role, name string) target {
	r.tab.t.Helper()
	var found []target
	var err error
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for {
		if found, err = r.look(role, name); err == nil && len(found) == 1 {
			found[0].findAgain = func() (runtime.RemoteObjectID, error) {
				found, err := r.look(role, name)
				if err != nil || len(found) != 1 {
					return "", cmp.Or(err, fmt.Errorf("%d of them", len(found)))
				}
				return found[0].object, nil
			}
			return found[0]
		}
		select {
		case <-again.C:
		case <-late:
			r.tab.t.Fatalf("%d of role %s, named %q, in %s (%v)\nat %s\n%s", len(found), role, name, r.selector, err,
				r.tab.ask("location.href"), r.tab.ask("document.body.innerText"))
		}
	}
}

// look lists the controls of a role and name that can be seen now.
func (r region) look(role, name string) ([]target, error) {
	object, err := r.tab.object(fmt.Sprintf("document.querySelector(%q)", r.selector))
	if err != nil {
		return nil, err
	}
	tree, err := chromedp.Call(r.tab.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: object, Role: role})
	if err != nil {
		return nil, err
	}
	var exact, begun []target
	for _, node := range tree.Nodes {
		if node.Ignored || node.Name == nil {
			continue
		}
		resolved, err := chromedp.Call(r.tab.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.BackendDOMNodeID})
		if err != nil {
			return nil, err
		}
		c := target{tab: r.tab, what: fmt.Sprintf("%s %q", role, name), object: resolved.Object.ObjectID}
		words := strings.Join(strings.Fields(textOf(node.Name.Value)), " ")
		switch {
		case words == name:
			exact = append(exact, c)
		case strings.HasPrefix(words, name+" "), strings.HasPrefix(words, name+","):
			begun = append(begun, c)
		}
	}
	if len(exact) > 0 {
		begun = exact
	}
	return slices.DeleteFunc(begun, func(c target) bool { return c.ask("function() { return this.checkVisibility() }") != "true" }), nil
}

// object evaluates an expression to a handle on its value.
func (tab *tab) object(expression string) (runtime.RemoteObjectID, error) {
	answer, err := chromedp.Call(tab.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: expression})
	if err != nil {
		return "", err
	}
	if answer.ExceptionDetails != nil || answer.Result.ObjectID == "" {
		return "", errors.New(expression + " is nothing now")
	}
	return answer.Result.ObjectID, nil
}

// ask calls a function on the element and returns its answer as a text.
func (c target) ask(function string) string {
	c.tab.t.Helper()
	answer, err := c.call(function)
	if err != nil {
		c.tab.fail(c.what, err)
	}
	return answer
}

func (c target) call(function string) (string, error) {
	byValue := true
	answer, err := chromedp.Call(c.tab.ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function() { return String((" + function + ").call(this)) }", ObjectID: c.object, ReturnByValue: &byValue,
	})
	if err != nil {
		return "", err
	}
	if answer.ExceptionDetails != nil {
		return "", errors.New(answer.ExceptionDetails.Exception.Description)
	}
	return textOf(answer.Result.Value), nil
}

// textOf is the text of a JSON value.
func textOf(value []byte) (text string) {
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}

// words finds the middle of the words that belong to an element, of its label
// where it has one, or of the element where there are none. Where they cannot
// be hit it says what is there instead.
const words = `function() {
	const owner = this.labels?.length && !this.matches('input:not([type=checkbox], [type=radio]), select, textarea') ? this.labels[0] : this;
	const box = () => {
		const texts = document.createTreeWalker(owner, NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) {
			const text = texts.currentNode;
			if (!text.data.trim() || !text.parentElement.checkVisibility() || text.parentElement.closest('.visually-hidden, select, textarea')) continue;
			const range = document.createRange();
			range.selectNodeContents(text);
			const rect = [...range.getClientRects()].find((r) => r.width > 2 && r.height > 2);
			if (rect) return rect;
		}
		return owner.getBoundingClientRect();
	};
	const hit = () => {
		const { x, y, width, height } = box();
		const point = [x + width / 2, y + height / 2];
		const there = document.elementFromPoint(...point);
		return owner.contains(there) ? point.join() : 'covered by ' + (there?.outerHTML.slice(0, 120) ?? 'the edge of the window');
	};
	const first = hit();
	if (/^[\d.,]+$/.test(first)) return first;
	owner.scrollIntoView({ block: 'center', behavior: 'instant' });
	return hit();
}`

// point waits until the words of the control can be hit.
func (c target) point() (x, y float64) {
	c.tab.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for {
		at, err := c.call(words)
		if n, _ := fmt.Sscanf(at, "%f,%f", &x, &y); n == 2 {
			return x, y
		}
		select {
		case <-again.C:
			if object, err := c.findAgain(); err == nil {
				c.object = object
			}
		case <-c.tab.ctx.Done():
			c.tab.fail(c.what, err)
		case <-late:
			c.tab.t.Fatalf("%s cannot be hit: %s %v", c.what, at, err)
		}
	}
}

func (c target) click() {
	c.tab.t.Helper()
	x, y := c.point()
	c.tab.mouseClick(x, y, 0)
}

// hold presses the mouse on the words of the control and keeps it pressed.
func (c target) hold() {
	c.tab.t.Helper()
	x, y := c.point()
	c.tab.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, 0)
	c.tab.mouse(input.DispatchMouseEventTypeMousePressed, x, y, 0)
	c.tab.paint()
}

// mouseClick moves the mouse to a point, presses and releases it. The page is
// painted in between, as with a real mouse.
func (tab *tab) mouseClick(x, y float64, modifiers int64) {
	tab.t.Helper()
	tab.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, modifiers)
	tab.mouse(input.DispatchMouseEventTypeMousePressed, x, y, modifiers)
	tab.paint()
	tab.mouse(input.DispatchMouseEventTypeMouseReleased, x, y, modifiers)
}

func (tab *tab) mouse(kind input.DispatchMouseEventType, x, y float64, modifiers int64) {
	tab.t.Helper()
	event := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Modifiers: modifiers}
	switch kind {
	case input.DispatchMouseEventTypeMousePressed:
		event.Button, event.Buttons, event.ClickCount = input.MouseButtonLeft, 1, 1
	case input.DispatchMouseEventTypeMouseReleased:
		event.Button, event.ClickCount = input.MouseButtonLeft, 1
	}
	command(tab, input.DispatchMouseEvent, event)
}

// paint waits until the page has been painted. It does not wait if the browser
// is leaving the page.
func (tab *tab) paint() {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))", chromedp.EvalAwaitPromise))
	if err != nil && !isLeft(err) {
		tab.fail("painting", err)
	}
}

// isLeft reports whether an error of the browser means that it has left the
// page.
func isLeft(err error) bool {
	return isElementGone(err) || slices.ContainsFunc([]string{"Promise was collected", "Inspected target navigated", "context was destroyed"}, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}

// tabTo moves the focus to a control with the Tab key only.
func (r region) tabTo(role, name string) target {
	r.tab.t.Helper()
	wanted := r.find(role, name)
	for range 200 {
		if wanted.ask("function() { return document.activeElement === this }") == "true" {
			return wanted
		}
		r.tab.press(kb.Tab)
	}
	r.tab.t.Fatalf("%s cannot be reached with the Tab key", wanted.what)
	return target{}
}
