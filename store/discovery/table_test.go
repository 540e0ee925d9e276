package discovery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/fault"
)

// The values that replace a part of a report, in the order of the table
// columns.
var replacements = []struct {
	name string
	of   func(was any) (instead any, removed bool)
}{
	{"null", func(any) (any, bool) { return nil, false }},
	{"absent", func(any) (any, bool) { return nil, true }},
	{"empty", func(was any) (any, bool) {
		switch was.(type) {
		case []any:
			return []any{}, false
		case map[string]any:
			return map[string]any{}, false
		}
		return "", false
	}},
	{"of another type", func(was any) (any, bool) {
		switch was.(type) {
		case []any, map[string]any:
			return 7, false
		}
		return []any{7}, false
	}},
	{"unknown", func(was any) (any, bool) {
		switch was.(type) {
		case []any:
			return []any{"strange"}, false
		case map[string]any:
			return map[string]any{"strange": 1}, false
		case bool:
			return "strange", false
		case float64:
			return -7, false
		}
		return "strange", false
	}},
}

// TestFields replaces every member of a report of every kind by null, nothing,
// an empty value, a value of another type and an unknown value, and writes down
// the effect. The tables in testdata/fields are made for people to read;
// -update writes them.
func TestFields(t *testing.T) {
	for _, name := range []string{
		"host", "cloud_azure", "cloud_aws", "cloud_gcp", "subscriptions", "saptune_compliant", "cluster_hana_scale_up",
		"cluster_hana_angi_scale_up", "cluster_ascs_ers", "sap_application_ascs_ensa2", "sap_database_primary", "sap_database_secondary",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			table := newFieldTable(t, body)
			table.walk("", table.payload, func(v any) { table.payload = v }, nil)
			got := table.markdown()
			golden := filepath.Join("testdata", "fields", name+".md")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

// fieldTable is the table for one report.
type fieldTable struct {
	t       *testing.T
	kind    string
	payload any
	before  map[string]any
	rows    [][]string
	seen    map[string]bool
	unread  []string // members whose replacement changes nothing
}

func newFieldTable(t *testing.T, body []byte) *fieldTable {
	t.Helper()
	e, err := Open(body)
	if err != nil {
		t.Fatal(err)
	}
	table := &fieldTable{t: t, kind: e.Type, seen: make(map[string]bool)}
	if err := json.Unmarshal(e.Payload, &table.payload); err != nil {
		t.Fatal(err)
	}
	before, refused := table.decode()
	if refused != nil || before["omissions"] != nil {
		t.Fatalf("the report is not whole: %v %v", refused, before["omissions"])
	}
	table.before = before
	return table
}

// decode decodes the payload in its present form.
func (f *fieldTable) decode() (map[string]any, error) {
	f.t.Helper()
	payload, err := json.Marshal(f.payload)
	if err != nil {
		f.t.Fatal(err)
	}
	seen, err := Decode(Envelope{Agent: someAgent, Type: f.kind, Payload: payload})
	if err != nil {
		refusal(f.t, err, fault.Invalid)
		return nil, err
	}
	text, err := json.Marshal(seen)
	if err != nil {
		f.t.Fatal(err)
	}
	var observation map[string]any
	if err := json.Unmarshal(text, &observation); err != nil {
		f.t.Fatal(err)
	}
	return observation, nil
}

// walk tries all replacements for v and for every value inside it. Of list
// elements without a name it tries only the first one.
func (f *fieldTable) walk(path string, v any, set func(any), remove func()) {
	if key := unnamed(path); path != "" && !f.seen[key] {
		f.seen[key] = true
		f.try(path, v, set, remove)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			f.walk(path+"/"+key, v[key], func(other any) { v[key] = other }, func() { delete(v, key) })
		}
	case []any:
		for i := range v {
			f.walk(path+"/"+elementName(v[i]), v[i], func(other any) { v[i] = other }, nil)
		}
	}
}

// unnamed returns a path without the name of the list element if the path is
// that of the member which contains this name. All elements of a list then
// share one row of the table.
func unnamed(path string) string {
	for _, member := range []string{"/Name", "/Id", "/property"} {
		if list, ok := strings.CutSuffix(path, "]"+member); ok {
			return list[:strings.LastIndexByte(list, '[')] + "[]" + member
		}
	}
	return path
}

// elementName returns the name of a list element, if the meaning of the element
// depends on a name.
func elementName(v any) string {
	object, _ := v.(map[string]any)
	if name, ok := object["property"].(string); ok {
		return "[" + name + "]"
	}
	if _, isPair := object["Value"]; isPair {
		name, _ := object["Name"].(string)
		return "[" + name + "]"
	}
	return "[]"
}

func (f *fieldTable) try(path string, v any, set func(any), remove func()) {
	row := []string{path}
	matters, last := false, ""
	for _, replacement := range replacements {
		instead, removed := replacement.of(v)
		if removed && remove == nil { // a list without the element is another list
			row = append(row, "")
			continue
		}
		if removed {
			remove()
		} else {
			set(instead)
		}
		cell := f.outcome()
		set(v)
		matters = matters || cell != same
		if len(row) > 1 && cell != same && cell == last {
			cell = "←"
		} else {
			last = cell
		}
		row = append(row, cell)
	}
	if !matters {
		f.unread = append(f.unread, path)
		return
	}
	f.rows = append(f.rows, row)
}

const same = "="

// outcome describes in a few words how the present payload is decoded.
func (f *fieldTable) outcome() string {
	after, refused := f.decode()
	if refused != nil {
		var words []string
		for _, f := range fault.Of(refused) {
			words = append(words, strings.TrimPrefix("/"+f.Field+" ", "/ ")+f.Detail)
		}
		return "**refused**: " + strings.Join(words, "; ")
	}
	told, _ := after["omissions"].([]any)
	delete(after, "omissions")
	var changes []string
	differences("", f.before, after, &changes)
	const shown = 3
	if more := len(changes) - shown; more > 0 {
		changes = append(changes[:shown], fmt.Sprintf("and %d more", more))
	}
	if len(told) > 0 {
		changes = append(changes, "*told*")
	}
	if len(changes) == 0 {
		return same
	}
	return strings.ReplaceAll(strings.Join(changes, "; "), "|", "\\|")
}

// inWords shortens the names of fields in an observation.
var inWords = strings.NewReplacer(
	".cluster.unread true", "in doubt", ".cluster.facts.ascs_ers.", "", ".cluster.facts.hana.", "", ".cluster.facts ", "facts ",
	".cluster.facts.", "", ".cluster.", "", ".host.", "", ".cloud.", "", ".saptune.", "", ".sap.", "", ".subscriptions", "subscriptions",
)

// differences lists the fields in which two observations differ.
func differences(path string, before, after any, changes *[]string) {
	add := func(text string) { *changes = append(*changes, inWords.Replace(path+" "+text)) }
	switch was := before.(type) {
	case map[string]any:
		is, ok := after.(map[string]any)
		if !ok {
			add("unknown")
			return
		}
		names := slices.Collect(maps.Keys(was))
		for name := range is {
			if _, known := was[name]; !known {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			differences(path+"."+name, was[name], is[name], changes)
		}
	case []any:
		is, ok := after.([]any)
		switch {
		case !ok:
			add("unknown")
		case len(is) != len(was):
			add(fmt.Sprintf("%d of %d", len(is), len(was)))
		default:
			for i := range was {
				differences(path+"."+strconv.Itoa(i), was[i], is[i], changes)
			}
		}
	default:
		if before == after {
			return
		}
		text, err := json.Marshal(after)
		if err != nil {
			panic(err)
		}
		add(truncate(string(text), 40))
	}
}

// markdown returns the table in Markdown.
func (f *fieldTable) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", f.kind)
	b.WriteString("What the observation then says otherwise, and what it is. `=`: nothing else; `←`: the same as to the left;\n")
	b.WriteString("told: among the omissions; in doubt: not taken to be well.\n\n| member |")
	for _, r := range replacements {
		b.WriteString(" " + r.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(replacements)+1) + "\n")
	for _, row := range f.rows {
		b.WriteString("| `" + row[0] + "` | " + strings.Join(row[1:], " | ") + " |\n")
	}
	if len(f.unread) > 0 {
		b.WriteString("\nMake no difference:\n\n")
		for _, path := range f.unread {
			b.WriteString("- `" + path + "`\n")
		}
	}
	return b.Bytes()
}
