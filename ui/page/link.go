package page

import "cmp"

// Link is a name that leads to the page of what it names. Where there is no
// such page, Gone says why; a text that never leads anywhere has neither.
// Whole is the name where Name is the beginning of it.
type Link struct{ Name, URL, Gone, Whole string }

// FullName is the name in full.
func (l Link) FullName() string { return cmp.Or(l.Whole, l.Name) }
