package table

import (
	"strings"

	"trento/ui/page"
)

// Find returns the things that contain all words, the most urgent first, as
// the text search of the list does. The words are in lower case.
func (o *Table[T]) Find(v *page.Snapshot, words []string) []T {
	all, texts := o.List(v), o.searchedTexts(v)
	var found []T
	for i, thing := range all {
		if containsAll(texts[i], words) {
			found = append(found, thing)
		}
	}
	return found
}

// searchedTexts returns the text of each thing in List. Making them takes
// longer than searching them, and somebody who types searches many times, so
// they are made once for a snapshot.
func (o *Table[T]) searchedTexts(v *page.Snapshot) []string {
	key := o.Path + " texts"
	if made, ok := v.Lists.Load(key); ok {
		return made.([]string)
	}
	all := o.List(v)
	texts := make([]string, len(all))
	for i, thing := range all {
		texts[i] = o.searchedText(thing)
	}
	v.Lists.Store(key, texts)
	return texts
}

// searchedText returns what the text search looks at: all columns of a thing, a
// line each, in lower case.
func (o *Table[T]) searchedText(thing T) string {
	var text strings.Builder
	for _, col := range o.Columns {
		text.WriteString(strings.ToLower(col.Text(thing)))
		text.WriteByte('\n')
	}
	return text.String()
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
