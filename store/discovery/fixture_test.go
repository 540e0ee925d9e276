package discovery

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Reports of real agents, where they lie beside the project. Of those that
// are broken on purpose the names tell so; all others must be read as a whole.
func TestRealReports(t *testing.T) {
	const dir = "../../../shared/fixtures"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the collection of real reports does not lie beside the project")
	}
	broken := map[string][]string{
		"host_discovery_with_last_boot_timestamp_wrong.json": {"/last_boot_timestamp is not a time"},
		"saptune_discovery_empty_result.json":                {"/status/result is null"},
	}
	read := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		seen, err := decode(body)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		var left []string
		for _, o := range seen.Omissions {
			if o.Detail == noAddress { // names have been changed in them
				continue
			}
			left = append(left, o.Pointer+" "+o.Detail)
		}
		if diff := cmp.Diff(broken[d.Name()], left); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		delete(broken, d.Name())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 || len(broken) > 0 {
		t.Errorf("read %d reports, did not find %v", read, broken)
	}
}
