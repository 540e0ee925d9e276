package discovery

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"trento/store/fault"
	"trento/store/landscape"
)

// refusal checks that an error is a fault of the caller.
func refusal(t *testing.T, err error, kinds ...fault.Kind) {
	t.Helper()
	faults := fault.Of(err)
	if len(faults) == 0 || len(faults) > 5 {
		t.Fatalf("%T %v is %d faults", err, err, len(faults))
	}
	for _, f := range faults {
		if f.Detail == "" || !slices.Contains(kinds, f.Kind) {
			t.Fatalf("%s fault %+v", f.Kind, f)
		}
	}
	if text := faults.Error(); text == "" || !utf8.ValidString(text) {
		t.Fatalf("error text %q", text)
	}
}

func FuzzOpen(f *testing.F) {
	for _, body := range reports(f) {
		f.Add(body)
	}
	f.Add([]byte(` {"agent_id":"` + someAgent + `","discovery_type":"host_discovery","payload":[{},{"a":[1,"\"]"]}]} `))
	f.Add([]byte(`{"agent_id":5,"discovery_type":null,"payload":[1]}`))
	f.Add([]byte(`{"\u0061":"\ud800"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Open(body)
		if err != nil {
			refusal(t, err, fault.Malformed, fault.Invalid)
			return
		}
		var plain struct {
			Agent   string          `json:"agent_id"`
			Type    string          `json:"discovery_type"`
			Payload json.RawMessage `json:"payload"`
		}
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("opened, but %v", err)
		}
		if id, ok := landscape.ParseID[landscape.HostID](plain.Agent); !ok || id != e.Agent {
			t.Fatalf("agent %q, want %q", e.Agent, plain.Agent)
		}
		if string(plain.Payload) != string(e.Payload) {
			t.Fatalf("payload %q, want %q", e.Payload, plain.Payload)
		}
		if _, err := Decode(e); err != nil {
			refusal(t, err, fault.Invalid)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, body := range reports(f) {
		e, err := Open(body)
		if err != nil {
			f.Fatal(err)
		}
		for i, kind := range landscape.Kinds {
			if string(kind) == e.Type {
				f.Add(uint8(i), []byte(e.Payload))
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte) {
		e := Envelope{Agent: someAgent, Type: string(landscape.Kinds[int(kind)%len(landscape.Kinds)]), Payload: payload}
		seen, err := Decode(e)
		if err != nil {
			refusal(t, err, fault.Invalid)
			if diff := cmp.Diff(landscape.Observation{}, seen); diff != "" {
				t.Fatalf("refused, but understood something:\n%s", diff)
			}
			return
		}
		stored := checkStored(t, seen)
		var texts any
		if err := json.Unmarshal(stored, &texts); err != nil {
			t.Fatal(err)
		}
		everyText(texts, func(text string) {
			if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r) }) {
				t.Fatalf("control character in %q", text)
			}
		})
	})
}

// everyText visits all strings and member names in decoded JSON.
func everyText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, element := range v {
			everyText(element, visit)
		}
	case map[string]any:
		for name, member := range v {
			visit(name)
			everyText(member, visit)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range reports(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
