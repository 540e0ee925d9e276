package script

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func kindOf(err error) ErrorKind {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Kind
	}
	return ""
}

// TestLimits runs scripts that would take for ever, or all memory.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   ErrorKind
	}{
		"endless loop":             {"loop {}", TooManyOperations},
		"endless while":            {"while true { }", TooManyOperations},
		"huge range":               {"for i in 0..9223372036854775807 {}", TooManyOperations},
		"endless recursion":        {"fn f() { f() } f()", StackOverflow},
		"recursive closure":        {"let f = || 0; let g = |h| h.call(h); g.call(g)", StackOverflow},
		"text that doubles":        {`let s = "x"; loop { s += s; }`, DataTooLarge},
		"text in a template":       {"let s = `x`; loop { s = `${s}${s}`; }", DataTooLarge},
		"replaced text":            {`let s = "x"; loop { s.replace("x", "xx"); }`, DataTooLarge},
		"split text":               {`let s = "xx"; for i in 0..18 { s += s; } s.split("")`, DataTooLarge},
		"array that doubles":       {"let a = [1]; loop { a += a; }", DataTooLarge},
		"array that is added":      {"let a = [1]; loop { a = a + a; }", DataTooLarge},
		"array that grows":         {"let a = []; loop { a.push(1); }", DataTooLarge},
		"map that grows":           {"let m = #{}; let i = 0; loop { m.set(`${i}`, 1); i += 1; }", TooManyOperations},
		"value of values of …":     {"let a = [1]; for i in 0..60 { a = [a, a]; } a", DataTooLarge},
		"compared values":          {"let a = [1]; for i in 0..60 { a = [a, a]; } let b = [1]; for i in 0..60 { b = [b, b]; } a == b", TooManyOperations},
		"value that is deep":       {"let a = []; for i in 0..100000 { a = [a]; } a", DataTooLarge},
		"value that is deep as is": {"let a = []; for i in 0..100000 { a = [a]; } a.to_string()", DataTooLarge},
		"many comparisons":         {"let a = []; for i in 0..50000 { a.push(i); } for i in a { a.contains(-1); }", TooManyOperations},
		"sorted long texts":        {`let s = "x"; for i in 0..19 { s += s; } let a = []; for i in 0..50000 { a.push(s + i); if a.len() > 8 { break; } } loop { a.sort(); a.reverse(); }`, TooManyOperations},
		"source":                   {strings.Repeat(" ", maxSource+1), Parsing},
		"brackets":                 {strings.Repeat("(", 10_000), Parsing},
		"operators":                {strings.Repeat("!", 10_000) + "true", Parsing},
		"blocks":                   {strings.Repeat("{", 10_000), Parsing},
		"templates":                {strings.Repeat("`${", 10_000), Parsing},
		"closures":                 {strings.Repeat("||", 10_000), Parsing},
		"chain":                    {strings.Repeat("1+", 5000) + "1", Parsing},
		"properties":               {"a" + strings.Repeat(".b", 5000), Parsing},
		"comments":                 {strings.Repeat("/*", 10_000), Parsing},
		"conditions":               {strings.Repeat("if true {} else ", 3000) + "{}", Parsing},
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := runSource(t, c.source, nil); kindOf(err) != c.want {
				t.Errorf("%.80s: %.80s, %v, want %s", c.source, v.String(), err, c.want)
			}
		})
	}
}

func TestTime(t *testing.T) {
	s, err := Parse("loop {}")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err := s.Run(ctx, nil); kindOf(err) != Terminated {
		t.Errorf("%v", err)
	}
}

// TestUnavailable parses what could reach outside or hide errors.
func TestUnavailable(t *testing.T) {
	for _, source := range []string{
		`import "x" as y;`, "export x;", `eval("1")`, `print("x")`, `debug("x")`, "sleep(1)", "timestamp()", "try { 1 } catch { 2 }", "a::b", "private fn f() {}", `Fn("x")`,
	} {
		if _, err := Parse(source); kindOf(err) != Parsing {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// TestScopeStays changes everything in its scope, from many goroutines.
func TestScopeStays(t *testing.T) {
	scope := map[string]Value{"facts": FromJSON(map[string]any{"list": []any{3.0, 1.0}, "map": map[string]any{"a": "b"}})}
	before := scope["facts"].String()
	s, err := Parse(`facts.list.sort(); facts.list.push(4); facts.map.a.replace("b", "c"); facts.map.x = facts.list; facts.new = 1;
		let copy = facts; copy.list[0] = "changed"; facts.list.for_each(|| this += 1); facts.list`)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if v, err := s.Run(t.Context(), scope); err != nil || describe(v) != "[2, 4, 5]" {
				t.Errorf("%v %v", v, err)
			}
		})
	}
	group.Wait()
	if after := scope["facts"].String(); after != before {
		t.Errorf("the scope has changed from %s to %s", before, after)
	}
}

func TestErrorTexts(t *testing.T) {
	for source, want := range map[string]string{
		"facts.token":              "Property not found: token (line 1, position 7)",
		"\n  missing":              "Variable not found: missing (line 2, position 3)",
		`[1].first()`:              "Function not found: first (array) (line 1, position 5)",
		"let a = [1]; a[3]":        "Array index 3 out of bounds: only 1 elements in array (line 1, position 16)",
		"let n = 5; if n { true }": "Data type incorrect: i64 (expecting bool) (line 1, position 15)",
		`"é" + facts.x`:            "Property not found: x (line 1, position 13)",
		"let x = ;":                "Syntax error: Unexpected ';' (line 1, position 9)",
		"1 +":                      "Syntax error: Script is incomplete (line 1, position 4)",
	} {
		if _, err := runSource(t, source, map[string]Value{"facts": NewMap(nil)}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}

func TestMessage(t *testing.T) {
	scope := map[string]Value{"facts": FromJSON(map[string]any{"token": 1000.0, "list": []any{"a"}})}
	s, err := ParseMessage("token is ${facts.token}, \"list\" has ${facts.list.len()} \\n $5")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := s.Run(t.Context(), scope); err != nil || v.String() != `token is 1000, "list" has 1 \n $5` {
		t.Errorf("%v %v", v, err)
	}
	if _, err := ParseMessage("a ` b"); err == nil {
		t.Error("a message with a back-tick was compiled")
	}
}
