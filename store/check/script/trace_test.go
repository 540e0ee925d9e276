package script

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	scope := map[string]Value{
		"facts": FromJSON(map[string]any{
			"token": 1000.0, "nodes": []any{map[string]any{"id": "a", "ok": true}, map[string]any{"id": "b", "ok": false}}, "secret": "x",
		}),
		"values": FromJSON(map[string]any{"wanted": 5000.0}),
	}
	for name, c := range map[string]struct {
		source string
		want   []Step
	}{
		"comparison": {"facts.token == values.wanted", []Step{{"facts.token", "1000"}, {"values.wanted", "5000"}, {"facts.token == values.wanted", "false"}}},
		"what was not evaluated": {"facts.token > 2000 && facts.secret == 1", []Step{
			{"facts.token", "1000"}, {"facts.token > 2000", "false"}, {"facts.token > 2000 && facts.secret == 1", "false"},
		}},
		"last statement": {"let wanted = values.wanted; facts.token == wanted", []Step{
			{"facts.token", "1000"}, {"wanted", "5000"}, {"facts.token == wanted", "false"},
		}},
		"statement that returned": {`for n in facts.nodes { if !n.ok { return n.id; } } facts.secret`, []Step{
			{"facts.nodes", `[#{"id": "a", "ok": true}, #{"id": "b", "ok": false}]`}, {"n.ok", "false"}, {"!n.ok", "true"}, {"n.id", `"b"`},
		}},
		"item that decided": {`facts.nodes.all(|n| n.ok)`, []Step{{"n.ok", "false"}, {"facts.nodes.all(|n| n.ok)", "false"}}},
		"up to the failure": {`facts.token > 1 && facts.missing`, []Step{{"facts.token", "1000"}, {"facts.token > 1", "true"}, {"facts", scope["facts"].String()}}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(c.source)
			if err != nil {
				t.Fatal(err)
			}
			plain, plainErr := s.Run(t.Context(), scope)
			v, steps, err := s.Explain(t.Context(), scope)
			if !Equal(v, plain) || kindOf(err) != kindOf(plainErr) {
				t.Errorf("explained as %v, %v, but it is %v, %v", v, err, plain, plainErr)
			}
			if diff := cmp.Diff(c.want, steps); diff != "" {
				t.Error(diff)
			}
		})
	}
}
