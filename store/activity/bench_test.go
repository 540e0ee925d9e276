package activity

import (
	"os"
	"strings"
	"testing"
)

// BenchmarkRow measures a row of the log or a line of an export: the message
// and the resource of an entry, of each type in turn.
func BenchmarkRow(b *testing.B) {
	entries := goldenEntries(b)
	for i := 0; b.Loop(); i++ {
		e := &entries[i%len(entries)]
		_, _ = e.Message(), e.Resource()
	}
}

// BenchmarkEncode measures the encoding of an event's metadata.
func BenchmarkEncode(b *testing.B) {
	var events []Event
	for _, e := range goldenEntries(b) {
		events = append(events, e.Event())
	}
	for i := 0; b.Loop(); i++ {
		if _, err := Encode(events[i%len(events)]); err != nil {
			b.Fatal(err)
		}
	}
}

func goldenEntries(tb testing.TB) (entries []Entry) {
	golden, err := os.ReadFile("testdata/metadata.golden")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(golden)) {
		name, metadata, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		entries = append(entries, Entry{Type: Type(name), Metadata: []byte(metadata)})
	}
	return entries
}
