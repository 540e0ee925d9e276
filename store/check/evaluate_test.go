package check

import (
	"fmt"
	"strings"
	"testing"

	"trento/store/check/script"
)

func fact(v any) Answer { return Answer{Value: script.FromJSON(v)} }

func host(id string, token any, nodes int) Host {
	return Host{AgentID: id, Facts: map[string]Answer{"token": fact(token), "nodes": fact(make([]any, nodes))}}
}

// describe writes a result in one line.
func describe(r CheckResult) string {
	var b strings.Builder
	b.WriteString(string(r.Result))
	for _, x := range r.Expectations {
		fmt.Fprintf(&b, " %s=%v%s", x.Name, x.Good, x.Enum)
	}
	for _, h := range r.Hosts {
		fmt.Fprintf(&b, "; %s %s", h.AgentID, h.State)
		for _, e := range h.Evaluations {
			switch {
			case e.Error != nil:
				fmt.Fprintf(&b, " !%s", e.Error.Kind)
			case e.Failed != "":
				fmt.Fprintf(&b, " (%s)", e.Failed)
			default:
				fmt.Fprintf(&b, " %s", e.Value)
			}
		}
	}
	return b.String()
}

func TestEvaluate(t *testing.T) {
	silent := Host{AgentID: "b", TimedOut: true}
	failed := host("b", 5000.0, 2)
	failed.Facts["token"] = Answer{Error: &FactError{"corosync-conf-file-error", "no such file"}}
	incomplete := host("b", 5000.0, 2)
	delete(incomplete.Facts, "nodes")
	for name, c := range map[string]struct {
		hosts []Host
		want  string
	}{
		"all good":          {[]Host{host("a", 5000.0, 2), host("b", 5000.0, 2)}, "passing token_value=true same_everywhere=true node_count=truepassing; a executed true 5000 passing; b executed true 5000 passing"},
		"one bad":           {[]Host{host("a", 5000.0, 2), host("b", 1000.0, 2)}, "warning token_value=false same_everywhere=false node_count=truepassing; a executed true 5000 passing; b executed (token is 1000, wanted 5000) 1000 passing"},
		"enum warns":        {[]Host{host("a", 5000.0, 2), host("b", 5000.0, 3)}, "warning token_value=true same_everywhere=true node_count=falsewarning; a executed true 5000 passing; b executed true 5000 (more than two nodes)"},
		"enum is critical":  {[]Host{host("a", 5000.0, 1)}, "critical token_value=true same_everywhere=true node_count=falsecritical; a executed true 5000 (only 1 node)"},
		"not evaluated":     {[]Host{host("a", 5000.0, 2), {AgentID: "b", Facts: map[string]Answer{"token": fact(5000.0), "nodes": fact(nil)}}}, "warning token_value=true same_everywhere=true node_count=false; a executed true 5000 passing; b executed true 5000 !function_not_found"},
		"not gathered":      {[]Host{host("a", 5000.0, 2), failed}, "warning token_value=false same_everywhere=false node_count=false; a executed true 5000 passing; b fact_gathering_error"},
		"not delivered":     {[]Host{host("a", 5000.0, 2), incomplete}, "warning token_value=false same_everywhere=false node_count=false; a executed true 5000 passing; b fact_gathering_error"},
		"one timed out":     {[]Host{host("a", 5000.0, 2), silent}, "critical token_value=false same_everywhere=false node_count=false; a executed true 5000 passing; b timeout"},
		"all timed out":     {[]Host{silent}, "critical; b timeout"},
		"one excluded":      {[]Host{{AgentID: "z", Excluded: true}, host("a", 5000.0, 2)}, "passing token_value=true same_everywhere=true node_count=truepassing; a executed true 5000 passing; z excluded"},
		"all excluded":      {[]Host{{AgentID: "z", Excluded: true}}, "passing; z excluded"},
		"no hosts":          {nil, "passing"},
		"integer and float": {[]Host{host("a", 5000.0, 2), host("b", 5000.5, 2)}, "warning token_value=false same_everywhere=false node_count=truepassing; a executed true 5000 passing; b executed (token is 5000.5, wanted 5000) 5000.5 passing"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := describe(testCheck(t).Evaluate(t.Context(), Environment{"provider": "kvm"}, nil, c.hosts)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		environment Environment
		custom      map[string]script.Value
		want        string
		customized  bool
	}{
		"default":            {Environment{"provider": "kvm"}, nil, "5000", false},
		"second condition":   {Environment{"provider": "gcp"}, nil, "20000", false},
		"environment is bad": {Environment{}, nil, "5000", false},
		"customised":         {Environment{"provider": "gcp"}, map[string]script.Value{"wanted": script.NewInt(7), "former": script.NewInt(1)}, "7", true},
	} {
		r := testCheck(t).Evaluate(t.Context(), c.environment, c.custom, []Host{host("a", 1.0, 2)})
		if v := r.Hosts[0].Values[0]; v.Value.String() != c.want || v.Customized != c.customized || r.Customized != c.customized {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestExplanations looks at what explains results that are not good.
func TestExplanations(t *testing.T) {
	r := testCheck(t).Evaluate(t.Context(), Environment{"provider": "kvm"}, nil, []Host{host("a", 1000.0, 2)})
	evaluations := r.Hosts[0].Evaluations
	want := []script.Step{{Source: "facts.token", Value: "1000"}, {Source: "values.wanted", Value: "5000"}, {Source: "facts.token == values.wanted", Value: "false"}}
	if got := evaluations[0].Explanation; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
	if len(evaluations[2].Explanation) != 0 {
		t.Errorf("what is good is explained: %v", evaluations[2].Explanation)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	c, hosts := testCheck(b), []Host{host("a", 5000.0, 2), host("b", 5000.0, 2)}
	for b.Loop() {
		if r := c.Evaluate(b.Context(), Environment{"provider": "kvm"}, nil, hosts); r.Result != Passing {
			b.Fatal(r)
		}
	}
}

func BenchmarkCatalogue(b *testing.B) {
	file := testFile(b)
	files := make([]File, 500)
	for i := range files {
		id := fmt.Sprintf("%06X", i)
		files[i] = File{Path: id, Name: id + Extension, Content: []byte(strings.Replace(string(file.Content), "0A00F1", id, 1))}
	}
	for b.Loop() {
		if c := NewCatalogue(files); len(c.Checks) != len(files) {
			b.Fatal(c.Broken)
		}
	}
}
