package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trento/store/activity"
)

// TestActivitySearch asks for every example of the language, while the index
// holds nothing and when it holds everything.
func TestActivitySearch(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../store/activity/testdata/search.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples struct {
		Entries []struct {
			Name     string
			Type     activity.Type
			Metadata map[string]any
		}
		Searches []struct{ Query, Finds string }
	}
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	f.user("root", admin)
	before := len(f.entries())
	for _, e := range examples.Entries {
		f.logged("ben", e.Type, e.Metadata)
	}
	names := make(map[string]string) // of the entries, by id
	for i, e := range f.entries()[before:] {
		names[e.ID] = examples.Entries[i].Name
	}
	ask := func(t *testing.T) {
		f.t = t
		for i, example := range examples.Searches {
			var p struct{ Data []struct{ ID string } }
			got := f.get("root", logPath+"?"+url.Values{"search": {example.Query}}.Encode())
			got.expect(t, http.StatusOK, "*")
			got.decode(t, &p)
			var found []string
			for _, e := range p.Data {
				if names[e.ID] != "" { // the sign-ins are left out
					found = append(found, names[e.ID])
				}
			}
			slices.Sort(found)
			if got := strings.Join(found, " "); got != example.Finds {
				t.Errorf("row %d, %s finds %q, want %q", i+1, example.Query, got, example.Finds)
			}
		}
	}
	if len(examples.Searches) < 62 {
		t.Errorf("%d examples", len(examples.Searches))
	}
	t.Run("scanned", ask)
	f.indexed()
	t.Run("indexed", ask)
}

// TestActivityOddSearch: whatever is searched for is answered, by the index,
// too. Only what is no text, or is too long, is refused.
func TestActivityOddSearch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.tagged(3)
	f.indexed()
	words := rapid.SampledFrom([]string{"AND", "OR", `"`, `\`, "*", "**", "(", ")", "==", "==1", ">", "<=-0.5", "!=9", "tag1", "tag*", "*", "", " ", "\t", "é\u202e", "field:x", "~", "^2", "[a", "/.*/", "+", "-", "{", "%"})
	rapid.Check(t, func(rt *rapid.T) {
		query := strings.Join(rapid.SliceOfN(words, 0, 12).Draw(rt, "words"), rapid.SampledFrom([]string{"", " "}).Draw(rt, "between"))
		r := call{as: "root", method: http.MethodGet, path: logPath + "?" + url.Values{"search": {query}}.Encode()}
		if got := f.do(r); got.status != http.StatusOK {
			rt.Fatalf("%q: %d %s", query, got.status, got.body)
		}
	})
}
