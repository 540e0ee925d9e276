package search

import (
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"trento/store/activity"
)

// The fields of a document. All values are single terms; none is stored, so
// the index holds ids and nothing to read. Texts are folded. Strings go to one
// of three fields, because a term with a star has to look at every distinct
// value of a field, and most distinct values are ids no word can be in.
const (
	fieldPlain    = "v" // strings of letters, digits and _./:-
	fieldID       = "u" // strings like UUIDs, times and addresses
	fieldText     = "s" // all other strings
	fieldLiteral  = "t" // JSON text of numbers and booleans
	fieldNumber   = "n" // values of numbers
	fieldHas      = "has"
	fieldType     = "type"
	fieldActor    = "actor"
	fieldSeverity = "severity"
)

// hasString is in fieldHas of entries with any string at all.
const hasString = "string"

// Frequencies and norms would rank hits; ours come in the order of the log.
const fieldOptions = index.IndexField | index.SkipFreqNorm

// minID is the length from which on a string can be an id.
const minID = 8

// classOf is the field a folded string is indexed in.
func classOf(folded string) string {
	switch {
	case len(folded) >= minID && only(folded, isIDChar):
		return fieldID
	case folded != "" && only(folded, isPlainChar):
		return fieldPlain
	default:
		return fieldText
	}
}

// classesOf are the fields that can hold strings a folded term with stars
// covers; texts are what stands between the stars.
func classesOf(texts []string) []string {
	plain, id := true, true
	for _, text := range texts {
		plain = plain && only(text, isPlainChar)
		id = id && only(text, isIDChar)
	}
	classes := []string{fieldText}
	if plain {
		classes = append(classes, fieldPlain)
	}
	if id {
		classes = append(classes, fieldID)
	}
	return classes
}

func only(text string, allowed func(byte) bool) bool {
	for i := range len(text) {
		if !allowed(text[i]) {
			return false
		}
	}
	return true
}

func isIDChar(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		return true
	}
	return c == '-' || c == ':' || c == '.' || c == 't' || c == 'z'
}

func isPlainChar(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z':
		return true
	}
	return c == '_' || c == '.' || c == '/' || c == ':' || c == '-'
}

// newDocument is what the index is told about an entry. Its id is the key of
// the entry's position.
func newDocument(e *activity.Entry) *document.Document {
	d := document.NewDocument(string(e.Position.Key()))
	type term struct{ field, text string }
	seen := map[term]bool{}
	add := func(field, text string) {
		if t := (term{field, text}); !seen[t] {
			seen[t] = true
			d.AddField(document.NewTextFieldWithIndexingOptions(field, nil, []byte(text), fieldOptions))
		}
	}
	add(fieldType, string(e.Type))
	add(fieldActor, e.Actor)
	add(fieldSeverity, e.Severity.String())
	for leaf := range activity.Leaves(e.Metadata) {
		folded := activity.Fold(string(leaf.Text))
		switch leaf.Kind {
		case activity.StringLeaf:
			add(fieldHas, hasString)
			add(classOf(folded), folded)
		case activity.NumberLeaf:
			d.AddField(document.NewNumericFieldWithIndexingOptions(fieldNumber, nil, leaf.Number(), fieldOptions))
			add(fieldLiteral, folded)
		default:
			add(fieldLiteral, folded)
		}
	}
	return d
}
