package script

import (
	"context"
	"encoding/json"
	"testing"
	"time"
)

// FuzzScript parses and runs anything. Nothing may panic or hang, and a run
// must not change its scope.
func FuzzScript(f *testing.F) {
	for _, c := range goldenCases(f) {
		f.Add(c.source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		s, err := Parse(source)
		if err != nil {
			return
		}
		scope := map[string]Value{
			"facts":  FromJSON(map[string]any{"n": 5000.0, "t": "5000", "z": nil, "e": []any{}, "l": []any{map[string]any{"id": "a", "v": 1.0}}}),
			"values": FromJSON(map[string]any{"w": 5000.0}), "a": NewInt(1), "m": FromJSON(map[string]any{"a": 1.0}),
		}
		before := scope["facts"].String()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		v, err := s.Run(ctx, scope)
		if err == nil {
			if _, err := json.Marshal(v.JSON()); err != nil {
				t.Errorf("%q: the result cannot be encoded: %v", source, err)
			}
		}
		explained, _, explainedErr := s.Explain(ctx, scope)
		if ctx.Err() == nil && (kindOf(err) != kindOf(explainedErr) || v.String() != explained.String()) {
			t.Errorf("%q: %v, %v, explained as %v, %v", source, v, err, explained, explainedErr)
		}
		if after := scope["facts"].String(); after != before {
			t.Errorf("%q has changed its scope to %s", source, after)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	scope := map[string]Value{
		"facts": FromJSON(map[string]any{"token": 30000.0, "resources": []any{
			map[string]any{"id": "rsc_ip_HA1", "type": "IPaddr2"}, map[string]any{"id": "rsc_sap_HA1", "type": "SAPHana"}, map[string]any{"id": "stonith", "type": "external/sbd"},
		}}),
		"values": FromJSON(map[string]any{"wanted": 30000.0}),
	}
	for name, source := range map[string]string{
		"comparison": "facts.token == values.wanted",
		"closure":    `facts.resources.find(|r| r.type == "SAPHana").id.split("_")[2] == "HA1"`,
		"loop":       `for r in facts.resources { if r.type == "external/sbd" { return true; } } false`,
	} {
		b.Run(name, func(b *testing.B) {
			s, err := Parse(source)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if v, err := s.Run(b.Context(), scope); err != nil || !v.IsTrue() {
					b.Fatal(v, err)
				}
			}
		})
	}
}
