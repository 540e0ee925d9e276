package search

import (
	index "github.com/blevesearch/bleve_index_api"

	"trento/store/activity"
)

// The fields of a document. All values are single terms, and texts are folded.
// Each string goes to one of three fields. A term with a star has to be
// compared with every distinct value of a field. Most distinct values are ids,
// which contain no words, so they have their own field. BenchmarkClasses shows
// that "*after*" is found 5 times faster than in a single field.
const (
	fieldPlain   = "v" // strings of letters, digits and _./:-
	fieldID      = "u" // strings like UUIDs, times and addresses
	fieldText    = "s" // all other strings
	fieldLiteral = "t" // JSON text of numbers and booleans
	fieldEntry   = "e" // type, actor and severity of the entry, see typeTerm
)

// termListFields are the fields that have term lists, the smallest first.
var termListFields = [...]string{fieldLiteral, fieldPlain, fieldText, fieldID}

// stringTerm is the term in fieldEntry of entries with at least one string.
const stringTerm = "string"

// The terms of fieldEntry.
func typeTerm(t activity.Type) string         { return "type " + string(t) }
func actorTerm(actor string) string           { return "actor " + actor }
func severityTerm(s activity.Severity) string { return "severity " + s.String() }

// minIDLength is the length of the shortest string that goes to fieldID.
const minIDLength = 8

// fieldOf returns the field that a folded string is indexed in.
func fieldOf(folded string) string {
	switch {
	case len(folded) >= minIDLength && hasOnlyChars(folded, isIDChar):
		return fieldID
	case folded != "" && hasOnlyChars(folded, isPlainChar):
		return fieldPlain
	default:
		return fieldText
	}
}

// fieldsContaining returns the fields whose strings can contain all the texts.
// The texts are the parts of a folded term between its stars.
func fieldsContaining(texts []string) []string {
	plain, id := true, true
	for _, text := range texts {
		plain = plain && hasOnlyChars(text, isPlainChar)
		id = id && hasOnlyChars(text, isIDChar)
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

func hasOnlyChars(text string, allowed func(byte) bool) bool {
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

// entryDocument is an entry as Bleve indexes it. Only the position is stored.
// Bleve's own document type is not used because it would add geometry packages
// to the program.
type entryDocument struct {
	position positionField
	terms    []*termField
}

func newDocument(e *activity.Entry) *entryDocument {
	entry := newTerms(fieldEntry)
	entry.add(typeTerm(e.Type))
	entry.add(actorTerm(e.Actor))
	entry.add(severityTerm(e.Severity))
	plain, id, text, literal := newTerms(fieldPlain), newTerms(fieldID), newTerms(fieldText), newTerms(fieldLiteral)
	for leaf := range activity.Leaves(e.Metadata) {
		folded := activity.Fold(leaf.Text)
		if leaf.Kind != activity.StringLeaf {
			literal.add(folded)
			continue
		}
		entry.add(stringTerm)
		switch fieldOf(folded) {
		case fieldPlain:
			plain.add(folded)
		case fieldID:
			id.add(folded)
		default:
			text.add(folded)
		}
	}
	// Fields without values are included: segments with the same fields are
	// merged by copying.
	return &entryDocument{e.Position.Key(), []*termField{plain, id, text, literal, entry}}
}

// VisitFields visits the position first, because segments expect the id first.
func (d *entryDocument) VisitFields(visit index.FieldVisitor) {
	visit(d.position)
	for _, t := range d.terms {
		visit(t)
	}
}

func (d *entryDocument) ID() string                                 { return string(d.position) }
func (d *entryDocument) VisitComposite(index.CompositeFieldVisitor) {}
func (d *entryDocument) HasComposite() bool                         { return false }
func (d *entryDocument) AddIDField()                                {} // the position is the id
func (d *entryDocument) Indexed() bool                              { return true }
func (d *entryDocument) Size() int                                  { return 0 } // the sizes are for Bleve's statistics
func (d *entryDocument) NumPlainTextBytes() uint64                  { return 0 }
func (d *entryDocument) StoredFieldsBytes() uint64                  { return 0 }

// positionField is the stored field of a document: the key of the entry. It is
// not searched.
type positionField []byte

func (p positionField) Name() string                                     { return "_id" }
func (p positionField) Value() []byte                                    { return p }
func (p positionField) ArrayPositions() []uint64                         { return nil }
func (p positionField) EncodedFieldType() byte                           { return 't' }
func (p positionField) Analyze()                                         {}
func (p positionField) Options() index.FieldIndexingOptions              { return index.StoreField }
func (p positionField) AnalyzedLength() int                              { return 0 }
func (p positionField) AnalyzedTokenFrequencies() index.TokenFrequencies { return nil }
func (p positionField) NumPlainTextBytes() uint64                        { return 0 }

// termField is a field of a document with all its values, in the form that Bleve
// expects after text analysis.
type termField struct {
	field string
	set   index.TokenFrequencies
}

func newTerms(field string) *termField { return &termField{field, index.TokenFrequencies{}} }

// noFrequency takes the place of the frequency of a term in a document. Bleve
// would use frequencies to rank hits; our hits are in the order of the log.
var noFrequency = new(index.TokenFreq)

func (t *termField) add(term string) { t.set[term] = noFrequency }

func (t *termField) Name() string             { return t.field }
func (t *termField) Value() []byte            { return nil }
func (t *termField) ArrayPositions() []uint64 { return nil }
func (t *termField) EncodedFieldType() byte   { return 't' }
func (t *termField) Analyze()                 {}
func (t *termField) Options() index.FieldIndexingOptions {
	return index.IndexField | index.SkipFreqNorm
}
func (t *termField) AnalyzedLength() int                              { return len(t.set) }
func (t *termField) AnalyzedTokenFrequencies() index.TokenFrequencies { return t.set }
func (t *termField) NumPlainTextBytes() uint64                        { return 0 }
func (t *termField) Size() int                                        { return 0 } // for Bleve's statistics
