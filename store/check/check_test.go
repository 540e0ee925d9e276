package check

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/check/script"
)

func testFile(t testing.TB) File {
	t.Helper()
	content, err := os.ReadFile("testdata/0A00F1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return File{Path: "checks/0A00F1.yaml", Name: "0A00F1.yaml", Content: content}
}

func testCheck(t testing.TB) *Check {
	t.Helper()
	c, fault := Read(testFile(t))
	if fault != nil {
		t.Fatal(fault)
	}
	return c
}

func TestRead(t *testing.T) {
	c := testCheck(t)
	if c.ID != "0A00F1" || c.Severity != SeverityWarning || len(c.Facts) != 2 || len(c.Values) != 2 || len(c.Expectations) != 3 || c.CustomizationDisabled {
		t.Errorf("%+v", c)
	}
	want := map[string]any{"target_type": "cluster", "cluster_type": []any{"hana_scale_up", "ascs_ers"}, "nodes": int64(2)}
	if diff := cmp.Diff(want, c.Metadata); diff != "" {
		t.Error(diff)
	}
	if fact := c.Facts[1]; fact != (Fact{"nodes", "corosync.conf@v1", "nodelist.node"}) {
		t.Errorf("%+v", fact)
	}
}

// TestFaults breaks the file in one place each.
func TestFaults(t *testing.T) {
	whole := string(testFile(t).Content)
	for name, c := range map[string]struct{ from, to, want string }{
		"not YAML":                {"id:", "id: [", "checks/0A00F1.yaml:1: did not find expected"},
		"another id":              {`"0A00F1"`, `"0A00F2"`, "checks/0A00F1.yaml:1:5: the id is 0A00F2, but the name of the file is 0A00F1.yaml: both have to be the same"},
		"id that is a number":     {`"0A00F1"`, `156E64`, `checks/0A00F1.yaml:1:5: id has to be a text: write it in quotes, as in id: "156E64"`},
		"no name":                 {"name: Token timeout\n", "", "checks/0A00F1.yaml:1:1: a check needs name"},
		"null name":               {"name: Token timeout", "name: null", "a check needs name"},
		"empty group":             {"group: Corosync", `group: ""`, "group is empty"},
		"key twice":               {"severity: warning", "name: another", "checks/0A00F1.yaml:7:1: name is there twice"},
		"when that is no script":  {`env.provider != "unknown"`, `env.provider !`, "checks/0A00F1.yaml:12:20: when: Expecting ';' to terminate this statement"},
		"when that is no text":    {`when: env.provider != "unknown"`, `when: true`, "when has to be a text"},
		"fact without gatherer":   {"    gatherer: corosync.conf@v1\n    argument: totem.token\n", "", "checks/0A00F1.yaml:15:5: a fact needs gatherer"},
		"fact twice":              {"name: nodes", "name: token", "there are two facts with the name token"},
		"facts that are a map":    {"facts:\n", "facts: {}\nfact:\n", "facts has to be a list"},
		"value without default":   {"    default: 5000\n", "", "a value needs default"},
		"condition without when":  {`{value: 20000, when: env.provider == "gcp"}`, `{value: 20000}`, "a condition needs when"},
		"no expectation":          {"expectations:\n", "expectations: []\nother:\n", "there are no expectations"},
		"expectation of no kind":  {"    expect_same: facts.token\n", "", "expectation same_everywhere needs expect, expect_same or expect_enum"},
		"expectation of kinds":    {"    expect_same: facts.token\n", "    expect_same: facts.token\n    expect: \"true\"\n", "has both expect and expect_same"},
		"expectation twice":       {"name: same_everywhere", "name: token_value", "there are two expectations with the name token_value"},
		"fault in a block script": {"else { \"critical\" }", "else { \"critical }", "checks/0A00F1.yaml:41: expect_enum: Open string is not terminated"},
		"nested metadata":         {"nodes: 2", "nodes: {a: 1}", "metadata nodes has to be a text, a number, a boolean or a list of these"},
		"flag that is a text":     {"severity: warning", "customization_disabled: often", "customization_disabled has to be true or false"},
		"not UTF-8":               {"Token timeout", "Token \xff", "the file is not UTF-8"},
		"aliases that multiply": {"default: 5000", "default: &a [1]\n    b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n    c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
			"    e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n  - name: many\n    default: [*e,*e,*e,*e,*e,*e,*e,*e,*e]", "has too many parts"},
		"alias of what is around": {"default: 5000", "default: &a [*a]", ""},
		"too large":               {"Token timeout", strings.Repeat("x", MaxFileSize), "the file has more than 262144 bytes"},
		"long name":               {"Token timeout", strings.Repeat("x", 201), "name has more than 200 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(whole, c.from, c.to, 1)
			if changed == whole {
				t.Fatal("nothing was changed")
			}
			_, fault := Read(File{Path: "checks/0A00F1.yaml", Name: "0A00F1.yaml", Content: []byte(changed)})
			if fault == nil || !strings.Contains(fault.Error(), c.want) {
				t.Errorf("%v, want %s", fault, c.want)
			}
		})
	}
}

func TestCatalogue(t *testing.T) {
	file := testFile(t)
	broken := File{Path: "own/X.yaml", Name: "X.yaml", Content: []byte("id: X")}
	second := file
	second.Path = "later/0A00F1.yaml"
	c := NewCatalogue([]File{broken, file}, []File{second})
	if len(c.Checks) != 1 || c.Find("0A00F1") != c.Checks[0] || c.Find("X") != nil || len(c.Broken) != 1 || c.Broken[0].Path != "own/X.yaml" {
		t.Errorf("%+v", c)
	}
	if want := []Shadow{{"0A00F1", "checks/0A00F1.yaml", "later/0A00F1.yaml"}}; !cmp.Equal(c.Shadowed, want) {
		t.Errorf("%+v", c.Shadowed)
	}
}

func TestAppliesTo(t *testing.T) {
	c := testCheck(t)
	for name, tt := range map[string]struct {
		environment Environment
		want        bool
	}{
		"empty":                {nil, true},
		"all fits":             {Environment{"target_type": "cluster", "cluster_type": "ascs_ers", "provider": "aws", "nodes": int64(2)}, true},
		"other keys":           {Environment{"target_type": "cluster", "provider": "aws", "hana_scenario": "x"}, true},
		"another type":         {Environment{"target_type": "host", "provider": "aws"}, false},
		"not in the list":      {Environment{"cluster_type": "hana_scale_out", "provider": "aws"}, false},
		"number that is text":  {Environment{"nodes": "2", "provider": "aws"}, false},
		"when is false":        {Environment{"target_type": "cluster", "provider": "unknown"}, false},
		"when cannot be known": {Environment{"target_type": "cluster"}, false},
	} {
		if got := c.AppliesTo(t.Context(), tt.environment); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestExcludes(t *testing.T) {
	c := testCheck(t)
	for name, tt := range map[string]struct {
		attributes      map[string]script.Value
		excluded, fails bool
	}{
		"majority maker": {map[string]script.Value{"is_majority_maker": script.NewBool(true)}, true, false},
		"another node":   {map[string]script.Value{"is_majority_maker": script.NewBool(false)}, false, false},
		"not known":      {nil, false, true},
	} {
		if excluded, err := c.Excludes(t.Context(), tt.attributes); excluded != tt.excluded || (err != nil) != tt.fails {
			t.Errorf("%s: %v, %v", name, excluded, err)
		}
	}
}

func TestLint(t *testing.T) {
	if broken, mistakes := Lint(testFile(t)); broken != nil || len(mistakes) != 2 ||
		mistakes[0].Error() != "checks/0A00F1.yaml:11:3: no environment has a nodes; the names are target_type, cluster_type, provider, hana_scenario, architecture_type, ensa_version, filesystem_type, arch" ||
		mistakes[1].Error() != "checks/0A00F1.yaml:27:5: no expectation uses the value rings" {
		t.Errorf("%v %v", broken, mistakes)
	}
	whole := string(testFile(t).Content)
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":         {"when:", "wen:", "the key wen has no meaning"},
		"severity":            {"severity: warning", "severity: high", "the severity high is not known and counts as critical"},
		"no target":           {"  target_type: cluster\n", "", "the metadata do not say the target_type"},
		"gatherer":            {"gatherer: corosync.conf@v1\n    argument: totem", "gatherer: corosync\n    argument: totem", "agents have no gatherer corosync, unless"},
		"argument":            {"gatherer: corosync.conf@v1\n    argument: totem.token", "gatherer: sysctl@v1", "the gatherer sysctl needs an argument"},
		"back-tick":           {"token is ${facts", "token `is` ${facts", "the failure_message cannot be evaluated"},
		"warning_message":     {"expect_same: facts.token", "expect_same: facts.token\n    warning_message: x", "only expect_enum has a warning_message"},
		"fact that is unused": {"expect_same: facts.token", "expect_same: facts.other", ""},
		"broken":              {"id:", "ids:", ""},
	} {
		broken, mistakes := Lint(File{Path: "x", Name: "0A00F1.yaml", Content: []byte(strings.Replace(whole, c.from, c.to, 1))})
		var all strings.Builder
		for _, m := range mistakes {
			all.WriteString(m.Error() + "\n")
		}
		if (broken != nil) != (name == "broken") || !strings.Contains(all.String(), c.want) {
			t.Errorf("%s: %v\n%s", name, broken, &all)
		}
	}
}
