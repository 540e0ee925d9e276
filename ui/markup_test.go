package ui

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// markup is a parsed page that can be asked for elements.
type markup struct {
	t    testing.TB
	root *html.Node
}

func parseMarkup(t testing.TB, body string) markup {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return markup{t, root}
}

var simpleSelector = regexp.MustCompile(`^([a-z0-9]*)((?:[#.][\w-]+|\[[\w-]+(?:=[^\]]*)?\])*)$`)

var selectorPart = regexp.MustCompile(`[#.][\w-]+|\[[\w-]+(?:=[^\]]*)?\]`)

// all returns the elements that match a selector. Selectors consist of names,
// #id, .class, [attribute] and [attribute=value]; a blank means "inside".
func (m markup) all(selector string) []*html.Node {
	m.t.Helper()
	found := []*html.Node{m.root}
	for _, simple := range strings.Fields(selector) {
		parts := simpleSelector.FindStringSubmatch(simple)
		if parts == nil {
			m.t.Fatalf("selector %q is none", selector)
		}
		conditions := selectorPart.FindAllString(parts[2], -1)
		var inside []*html.Node
		seen := make(map[*html.Node]bool)
		for _, node := range found {
			walk(node, func(child *html.Node) {
				if child.Type == html.ElementNode && fits(child, parts[1], conditions) && !seen[child] {
					seen[child] = true
					inside = append(inside, child)
				}
			})
		}
		found = inside
	}
	return found
}

// walk visits all nodes inside a node, in order. The iterator of package html
// is slow with the race detector, because it goes up through all levels for
// each node.
func walk(node *html.Node, visit func(*html.Node)) {
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		visit(child)
		walk(child, visit)
	}
}

func fits(node *html.Node, name string, conditions []string) bool {
	if name != "" && node.Data != name {
		return false
	}
	for _, c := range conditions {
		switch c[0] {
		case '#':
			if v, _ := attribute(node, "id"); v != c[1:] {
				return false
			}
		case '.':
			v, _ := attribute(node, "class")
			if !slices.Contains(strings.Fields(v), c[1:]) {
				return false
			}
		case '[':
			key, want, valued := strings.Cut(strings.Trim(c, "[]"), "=")
			if v, ok := attribute(node, key); !ok || valued && v != want {
				return false
			}
		}
	}
	return true
}

func attribute(node *html.Node, key string) (string, bool) {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// text returns the text of an element with normalised blanks.
func text(node *html.Node) string {
	var b strings.Builder
	walk(node, func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// texts returns the texts of the elements that match a selector.
func (m markup) texts(selector string) []string {
	m.t.Helper()
	var texts []string
	for _, node := range m.all(selector) {
		texts = append(texts, text(node))
	}
	return texts
}

// one returns the only element that matches a selector.
func (m markup) one(selector string) *html.Node {
	m.t.Helper()
	found := m.all(selector)
	if len(found) != 1 {
		m.t.Fatalf("%d elements are %q, want 1", len(found), selector)
	}
	return found[0]
}
