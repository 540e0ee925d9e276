package search

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"trento/store/activity"
	"trento/store/storetest"
)

// The words are few, so that searches find something. Some contain special
// characters.
var words = []string{
	"hana01", "HANA01", "hana02", "vmhana01", "hana", "Hana Cluster", "hana cluster", "", " ", "*", "a*b", "\\", `say "no"`,
	"c0ffee00-1111-4222-8333-444455556666", "C0FFEE00-1111-4222-8333-444455556666", "5f1c2a90-7c1e-4a55-9b0e-0d6f3a8e1111",
	"2026-03-02T08:11:05.004512Z", "10.1.0.5", "10.1.0.51", "deadbeef", "DEADBEE", "0", "4", "20.5", "true", "null", "AND", "or",
	"exit status 1", "prod_eu.1", "jane@example.com", "Straße", "STRASSE", "STRAẞE", "σοφός", "ΣΟΦΌΣ", "\u212aelvin", "İstanbul",
	"pacemaker.service", "héllo", "e\u0301", "日本", "\U00010400", "\u0000", "tab\there", "15-SP5", "/usr/sap", "a:b",
}

var (
	numbers = []string{"0", "-0", "4", "20", "20.5", "-1", "1e3", "16384", "1e400", "-1e400", "0.1", "9007199254740993", "5e-324"}
	actors  = []string{"system", "admin", "jane", "Jane"}
	kinds   = []activity.Type{activity.TypeLoginAttempt, activity.TypeResourceTagging, activity.TypeHeartbeatFailed, activity.TypeOperationCompleted,
		activity.TypeUserDeletion, activity.TypeHostHealthChanged, activity.TypeActivityLogSettingsUpdate}
)

func drawValue(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		if depth == 0 {
			return nil
		}
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawValue(t, depth-1) }), 0, 3).Draw(t, "list")
	case 1:
		if depth == 0 {
			return map[string]any{}
		}
		return drawObject(t, depth-1)
	case 2:
		return json.Number(rapid.SampledFrom(numbers).Draw(t, "number"))
	case 3:
		return rapid.Bool().Draw(t, "boolean")
	default:
		return rapid.SampledFrom(words).Draw(t, "string")
	}
}

func drawObject(t *rapid.T, depth int) map[string]any {
	object := map[string]any{}
	for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"hana01", "a", "b", "c"}), 0, 4, rapid.ID).Draw(t, "keys") {
		object[key] = drawValue(t, depth)
	}
	return object
}

func drawRecord(t *rapid.T) record {
	metadata, err := json.Marshal(drawObject(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	return record{
		kind:     rapid.SampledFrom(kinds).Draw(t, "type"),
		actor:    rapid.SampledFrom(actors).Draw(t, "actor"),
		metadata: string(metadata),
	}
}

// drawSearch makes up a search out of whole words, parts of words, stars and
// comparisons.
func drawSearch(t *rapid.T) string {
	var terms []string
	comparisons := rapid.IntRange(0, 3).Draw(t, "comparisons only") == 0
	for range rapid.IntRange(0, 4).Draw(t, "terms") {
		var word string
		kind := 0
		if !comparisons {
			kind = rapid.IntRange(0, 4).Draw(t, "term")
		}
		switch kind {
		case 0:
			word = rapid.SampledFrom([]string{"==", "!=", ">", "<", ">=", "<="}).Draw(t, "operator") +
				rapid.SampledFrom([]string{"0", "-0", "4", "20", "20.5", "-1", "1000", "0.1", "007", "9007199254740993"}).Draw(t, "number")
		case 1:
			word = quoted(rapid.SampledFrom(words).Draw(t, "word"))
		case 2:
			word = rapid.SampledFrom([]string{"4", "20.5", "TRUE", "1E3", "null", "*", "**", `""`, "16384"}).Draw(t, "literal")
		default:
			text := []rune(rapid.SampledFrom(words).Draw(t, "word"))
			from := rapid.IntRange(0, len(text)).Draw(t, "from")
			to := rapid.IntRange(from, len(text)).Draw(t, "to")
			word = quoted(string(text[from:to]))
			if to < len(text) || rapid.Bool().Draw(t, "more") {
				word += "*"
			}
			if from > 0 || rapid.Bool().Draw(t, "less") {
				word = "*" + word
			}
			if rapid.IntRange(0, 3).Draw(t, "inner") == 0 {
				word += quoted(string(text[to:]))
			}
		}
		terms = append(terms, word)
	}
	return strings.Join(terms, rapid.SampledFrom([]string{" ", " AND ", " OR "}).Draw(t, "joined"))
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`).Replace(text) + `"`
}

func drawFilter(t *rapid.T, log []*activity.Entry) activity.Filter {
	var f activity.Filter
	if rapid.IntRange(0, 3).Draw(t, "by type") == 0 {
		f.Types = rapid.SliceOfN(rapid.SampledFrom(append(kinds, "moon_landed")), 1, 3).Draw(t, "types")
	}
	if rapid.IntRange(0, 3).Draw(t, "by actor") == 0 {
		f.Actors = rapid.SliceOfN(rapid.SampledFrom(append(actors, "nobody", "")), 1, 3).Draw(t, "actors")
	}
	if rapid.IntRange(0, 3).Draw(t, "by severity") == 0 {
		f.Severities = rapid.SliceOfN(rapid.SampledFrom(activity.Severities), 1, 3).Draw(t, "severities")
	}
	f.WithoutUserManagement = rapid.Bool().Draw(t, "hidden")
	if rapid.IntRange(0, 2).Draw(t, "by search") > 0 {
		search, err := activity.ParseSearch(drawSearch(t))
		if err != nil {
			t.Fatal(err)
		}
		f.Search = search
	}
	moments := rapid.Custom(func(t *rapid.T) time.Time {
		e := rapid.SampledFrom(log).Draw(t, "entry")
		return e.OccurredOn().Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "off")) * time.Nanosecond)
	})
	if rapid.IntRange(0, 4).Draw(t, "from") == 0 {
		f.From = moments.Draw(t, "from date")
	}
	if rapid.IntRange(0, 4).Draw(t, "to") == 0 {
		f.To = moments.Draw(t, "to date")
	}
	return f
}

// TestQueriesAgreeWithTheFilter asks the segments alone: what they find is
// neither more nor less than what the filter lets pass.
func TestQueriesAgreeWithTheFilter(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(350)...)
	x := open(t, t.TempDir(), s)
	followSome(t, x, 1000, 30)
	if len(x.segments) < 3 {
		t.Fatalf("the entries are in %d segments only", len(x.segments))
	}
	log := entries(t, s)
	rapid.Check(t, func(t *rapid.T) {
		f := drawFilter(t, log)
		f.From, f.To = time.Time{}, time.Time{}
		var found []activity.Position
		for _, segment := range x.segments {
			found = append(found, findIn(t, segment, f, span{0, lastPosition}, true)...)
		}
		want := positions(page(log, f, Walk{Limit: 1000}).Entries)
		slices.Reverse(want)
		if !slices.Equal(found, want) {
			t.Fatalf("filter %+v finds %v, want %v", f, found, want)
		}
	})
}

// findIn returns the entries that a segment alone finds within a span, in the
// order of the walk.
func findIn(t interface {
	Context() context.Context
	Fatal(...any)
}, s *segment, f activity.Filter, within span, forward bool) (found []activity.Position) {
	first, end, err := s.documentsWithin(within)
	if err != nil {
		t.Fatal(err)
	}
	set := roaring.New()
	set.AddRange(uint64(first), uint64(end))
	sure, err := s.filter(t.Context(), &f, set)
	if err == nil && !sure {
		err = s.searchTerms(t.Context(), f.Search, set)
	}
	if err != nil {
		t.Fatal(err)
	}
	for document := range documentsInOrder(set, first, end, forward) {
		position, err := s.position(document)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, position)
	}
	return found
}

// someRecords returns random records, which are the same in every run.
func someRecords(n int) []record {
	all := rapid.Custom(drawRecord)
	var records []record
	for i := range n {
		records = append(records, all.Example(i))
	}
	return records
}

// TestFindKeepsWithinItsSpan has entries of one moment, whose positions end in
// every byte there is.
func TestFindKeepsWithinItsSpan(t *testing.T) {
	moment := newClock().Now()
	s := storetest.OpenAt(t, func() time.Time { return moment })
	write(t, s, someRecords(300)...)
	x := open(t, t.TempDir(), s)
	follow(t, x)
	log := positions(entries(t, s))
	for _, forward := range []bool{false, true} {
		for first := 0; first < len(log); first += 31 {
			for last := first; last < len(log); last += 17 {
				within := span{log[first], log[last]}
				got := findIn(t, x.segments[0], activity.Filter{}, within, forward)
				want := slices.Clone(log[first : last+1])
				if !forward {
					slices.Reverse(want)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("from %d to %d, forward %v: %v, want %v", first, last, forward, got, want)
				}
			}
		}
	}
}

// TestClasses checks that a string is in one of the classes that a term which
// covers it asks.
func TestClasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := activity.Fold(rapid.SampledFrom(words).Draw(t, "text"))
		from := rapid.IntRange(0, len(text)).Draw(t, "from")
		to := rapid.IntRange(from, len(text)).Draw(t, "to")
		parts := []string{text[:from], text[to:]}
		if !slices.Contains(fieldsContaining(parts), fieldOf(text)) {
			t.Fatalf("%q is in %s, %q asks %v", text, fieldOf(text), parts, fieldsContaining(parts))
		}
	})
	for text, want := range map[string]string{
		"": fieldText, "hana01": fieldPlain, "deadbeef": fieldID, "deadbee": fieldPlain, "deadbeefs": fieldPlain,
		"2026-03-02t08:11:05z": fieldID, "10.1.0.51": fieldID, "a b": fieldText, "é": fieldText, "x@y": fieldText,
	} {
		if got := fieldOf(text); got != want {
			t.Errorf("%q is in %s, want %s", text, got, want)
		}
	}
}

// TestLongValues finds strings of any length: none is cut.
func TestLongValues(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	long := strings.Repeat("0123456789abcdef", 10_000)
	write(t, s,
		record{activity.TypeResourceTagging, "admin", fmt.Sprintf(`{"a":"%s-end"}`, long)},
		record{activity.TypeResourceTagging, "admin", fmt.Sprintf(`{"a":"%s the end"}`, long)},
		record{activity.TypeResourceTagging, strings.Repeat("é", 300), `{"a":"short"}`})
	x := open(t, t.TempDir(), s)
	follow(t, x)
	for _, query := range []string{"0123*", "*-end", "*end", "*the*", "*f0*"} {
		expect(t, x, activity.Filter{Search: parse(t, query)}, Walk{Limit: 20})
	}
	actor := activity.Filter{Actors: []string{strings.Repeat("é", activity.MaxActor)}}
	if p, err := x.Activity(t.Context(), actor, Walk{Limit: 20}); err != nil || len(p.Entries) != 1 {
		t.Errorf("a long actor has %d entries (%v), want 1", len(p.Entries), err)
	}
}

// TestHostileSearches checks that hostile searches do not fail and take little
// time.
func TestHostileSearches(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	var records []record
	for i := range 200 {
		records = append(records, record{activity.TypeResourceTagging, "admin", fmt.Sprintf(`{"id":"%08x-0000-4000-8000-%012d","text":%q}`, i, i, strings.Repeat("ab", 50))})
	}
	write(t, s, records...)
	x := open(t, t.TempDir(), s)
	follow(t, x)
	for _, query := range []string{
		"*", "**", "*0*", "*-*", strings.Repeat("*a", 400) + "*", strings.Repeat("*a*b", 200), `\`, `"`, `"*`, "+a -b", "a~2", "a^5", "/a.*/", "[a TO b]", "(", "?",
		strings.Repeat("*a* AND ", 60) + "*b*", strings.Repeat("!=1 AND ", 60) + "!=2", "\x00", "\xff\xfe", "type:resource_tagging", "_id:*", "*:*",
		"==" + strings.Repeat("9", 900), "<-" + strings.Repeat("9", 900),
	} {
		expect(t, x, activity.Filter{Search: parse(t, query)}, Walk{Limit: 20})
	}
}
