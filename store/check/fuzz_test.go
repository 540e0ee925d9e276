package check

import "testing"

// FuzzRead reads any file. Nothing may panic or hang, and a file that can be
// used can be looked at by Lint and evaluated.
func FuzzRead(f *testing.F) {
	f.Add(string(testFile(f).Content))
	f.Add("id: X\nfacts: &a [*a]")
	f.Fuzz(func(t *testing.T, content string) {
		file := File{Path: "X.yaml", Name: "X.yaml", Content: []byte(content)}
		c, fault := Read(file)
		broken, _ := Lint(file)
		if (fault == nil) != (broken == nil) {
			t.Errorf("read: %v, linted: %v", fault, broken)
		}
		if c != nil {
			c.Evaluate(t.Context(), Environment{"provider": "kvm"}, nil, []Host{host("a", 1.0, 2)})
		}
	})
}
