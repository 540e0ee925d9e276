package discovery

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// refusal checks that an error is one the caller can answer with.
func refusal(t *testing.T, err error, stages ...Stage) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) {
		t.Fatalf("%T %v is no refusal", err, err)
	}
	known := false
	for _, stage := range stages {
		known = known || refused.Stage == stage
	}
	if !known || len(refused.Problems) == 0 || len(refused.Problems) > 5 {
		t.Fatalf("refusal of stage %d with %d problems", refused.Stage, len(refused.Problems))
	}
	for _, p := range refused.Problems {
		if p.Title == "" || p.Detail == "" || (p.Title == titleInvalid) != strings.HasPrefix(p.Pointer, "/") {
			t.Fatalf("problem %+v", p)
		}
	}
	if text := refused.Error(); text == "" || !utf8.ValidString(text) {
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
			refusal(t, err, StageSyntax, StageEnvelope)
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
			refusal(t, err, StagePayload)
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
			refusal(t, err, StagePayload)
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

// everyText visits all strings and names inside decoded JSON.
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
