package activity

import (
	"os"
	"strings"
	"testing"
)

// TestMetadataIsStable compares the structs of the events with stored entries:
// each line is an entry that a former version has written. No test writes the
// file: a new event or field adds a line, and no line may ever change.
func TestMetadataIsStable(t *testing.T) {
	golden, err := os.ReadFile("testdata/metadata.golden")
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[Type]bool{}
	for line := range strings.Lines(string(golden)) {
		name, metadata, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		event := Decode(Type(name), []byte(metadata))
		if got, err := Encode(event); err != nil || string(got) != metadata {
			t.Errorf("%s %s: what was read of it is written as\n%s (%v)", name, metadata, got, err)
		}
		if _, foreign := event.(*Foreign); foreign {
			t.Errorf("%s has no struct", name)
		}
		pinned[Type(name)] = true
	}
	waiting := map[Type]bool{}
	for _, types := range awaited {
		for _, name := range types {
			waiting[name] = true
		}
	}
	for _, name := range Types() {
		if !pinned[name] && !waiting[name] {
			t.Errorf("%s is not in testdata/metadata.golden", name)
		}
	}
}

// TestCatalogueAsksEvents checks that an event has a message, resource or
// severity method exactly if the catalogue leaves that to the event.
func TestCatalogueAsksEvents(t *testing.T) {
	for i := range catalogue {
		d := &catalogue[i]
		event := d.event()
		_, speaks := event.(eventWithMessage)
		_, holds := event.(eventWithResource)
		_, judges := event.(eventWithSeverity)
		if speaks != (d.message == textByEvent) || holds != (d.resource == textByEvent) || judges != (d.severity == severityByEvent) {
			t.Errorf("%s: the catalogue and %T do not agree on who gives message, resource and severity", d.eventType(), event)
		}
		if found := definitionByType[d.eventType()]; found != d {
			t.Errorf("%s is in the catalogue twice", d.eventType())
		}
	}
}

func TestForeignEvents(t *testing.T) {
	const metadata = `{"a":[1,{"b":null}],"z":"text"}`
	for _, name := range []Type{TypeSavingSUMASettings, TypeHostTombstoned, "moon_landed"} {
		event := Decode(name, []byte(metadata))
		if event.Type() != name {
			t.Errorf("%s is read as %s", name, event.Type())
		}
		if got, err := Encode(event); err != nil || string(got) != metadata {
			t.Errorf("%s: %s (%v)", name, got, err)
		}
	}
	if got, err := Encode(&Foreign{Of: "moon_landed"}); err != nil || string(got) != "{}" {
		t.Errorf("without metadata: %s (%v)", got, err)
	}
}

// TestDecodeDamage checks that the readable fields of a damaged entry are read.
func TestDecodeDamage(t *testing.T) {
	for _, metadata := range []string{``, `[]`, `null`, `no JSON`, `{"health":7}`, `{"health":"critical","old":{}}`} {
		if _, ok := Decode(TypeHostHealthChanged, []byte(metadata)).(*HostHealthChanged); !ok {
			t.Errorf("%s is read as something else", metadata)
		}
	}
	if e := Decode(TypeHostHealthChanged, []byte(`{"hostname":7,"health":"critical"}`)).(*HostHealthChanged); e.Health != "critical" {
		t.Errorf("behind a damaged member: %+v", e)
	}
}
