package page

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestBundleScript(t *testing.T) {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	script, err := bundleScript(fstest.MapFS{
		"app.js":  text("import './show.js';\nimport { day } from './time.js';\nday();\n"),
		"show.js": text("import { day, span } from './time.js';\nspan(day);\n"),
		"time.js": text("// What time it is.\n\nconst own = 1; // mine\nexport const day = own;\nexport async function span(x) {\n  return x + ' // ' + \"it's\"; // 'x'\n}\n"),
	}, "app")
	if err != nil {
		t.Fatal(err)
	}
	want := `// time.js
const $time = (() => {
const own = 1;
const day = own;
async function span(x) {
return x + ' // ' + "it's"; // 'x'
}
return { day, span };
})();
// show.js
const $show = (() => {
const { day, span } = $time;
span(day);
return {  };
})();
// app.js
const $app = (() => {
const { day } = $time;
day();
return {  };
})();
`
	if string(script) != want {
		t.Errorf("script:\n%s", script)
	}
	for name, tt := range map[string]struct{ source, fault string }{
		"a module there is not":    {"import './none.js';\n", "none.js"},
		"a name there is not":      {"import { night } from './time.js';\n", "does not export night"},
		"everything":               {"import * as time from './time.js';\n", "not understood"},
		"another name":             {"import { day as d } from './time.js';\n", "not understood"},
		"from elsewhere":           {"import { day } from 'https://example.com/time.js';\n", "not understood"},
		"later":                    {"const time = await import('./time.js');\n", "not understood"},
		"where it is":              {"fetch(import.meta.url);\n", "not understood"},
		"a default":                {"export default 1;\n", "not understood"},
		"what may change":          {"export let x = 1;\n", "not understood"},
		"a list":                   {"const x = 1;\nexport { x };\n", "not understood"},
		"an import over two lines": {"import {\n  day } from './time.js';\n", "not understood"},
		"a text over two lines":    {"const x = `a\n  b`;\n", "several lines"},
		"a circle":                 {"import './other.js';\n", "imports itself: app > other > app"},
	} {
		files := fstest.MapFS{"app.js": text(tt.source), "time.js": text("export const day = 1;\n"), "other.js": text("import './app.js';\n")}
		if _, err := bundleScript(files, "app"); err == nil || !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s: %v, want %q", name, err, tt.fault)
		}
	}
}

func TestBundleStyle(t *testing.T) {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	files := fstest.MapFS{"a.css": text("/* Links\n   and more */\n\na {\n  b: c; /* why */\n  content: \"/* not this */\";\n}\n"), "p.css": text("p { b: d; }\n"), "deep.css": text("@import \"a.css\";\n")}
	files["app.css"] = text("@import \"a.css\";\n@import \"p.css\" print;\n")
	style, err := bundleStyle(files, "app.css")
	if err != nil || string(style) != "a {\nb: c;\ncontent: \"/* not this */\";\n}\n@media print {\np { b: d; }\n}\n" {
		t.Errorf("%q, %v", style, err)
	}
	for name, source := range map[string]string{
		"a file there is not": "@import \"none.css\";\n", "something else": "a { b: c; }\n", "an import inside": "@import \"deep.css\";\n", "from elsewhere": "@import url(https://example.com/x.css);\n",
	} {
		files["app.css"] = text(source)
		if style, err := bundleStyle(files, "app.css"); err == nil {
			t.Errorf("%s: %q", name, style)
		}
	}
}
