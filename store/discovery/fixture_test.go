package discovery

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Reports of real agents, where they lie beside the project. Of those that
// are broken on purpose the names tell so; all others must be accepted.
func TestRealReports(t *testing.T) {
	const dir = "../../../shared/fixtures"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the collection of real reports does not lie beside the project")
	}
	broken := map[string][]Problem{
		"host_discovery_with_last_boot_timestamp_wrong.json": {problem("is invalid", "/last_boot_timestamp")},
		"saptune_discovery_empty_result.json":                {problem("can't be blank", "/result")},
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
		_, err = decode(body)
		want, isBroken := broken[d.Name()]
		if !isBroken {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		}
		delete(broken, d.Name())
		var refused *Error
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want a refusal", path, err)
		} else if diff := cmp.Diff(&Error{StagePayload, want}, refused); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 || len(broken) > 0 {
		t.Errorf("read %d reports, did not find %v", read, broken)
	}
}
