package ui

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"testing"

	"trento/ui/page"
)

// TestEveryPartIsBundled checks that every style sheet and module is imported.
func TestEveryPartIsBundled(t *testing.T) {
	t.Parallel()
	a, files := mustLoadAssets(t)
	script := string(a.Files[page.ScriptFile].Body)
	imports, err := fs.ReadFile(files, page.StyleFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files.WithSuffix("") {
		if name == page.StyleFile {
			continue
		}
		source, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		switch path.Ext(name) {
		case ".html": // parseTemplates looks after them
		case ".css":
			if !bytes.Contains(imports, []byte(`@import "`+path.Base(name)+`"`)) {
				t.Errorf("%s is not in the style", name)
			}
		case ".js":
			if !strings.Contains(script, "// "+path.Base(name)+"\n") {
				t.Errorf("%s is not in the script", name)
			}
		case ".svg":
			if string(a.Icon) != string(source) {
				t.Errorf("%s is not the icon", name)
			}
		default:
			t.Errorf("%s: what is it for?", name)
		}
	}
}
