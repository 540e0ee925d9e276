package store

import (
	"os"
	"strings"
	"testing"
)

// TestDrawing checks that the table in doc.go shows the declared buckets.
func TestDrawing(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	s := new(Store)
	s.declareBuckets()
	drawing := "//\t" + strings.ReplaceAll(strings.TrimSpace(s.schema.String()), "\n", "\n//\t") + "\n"
	if !strings.Contains(string(source), drawing) {
		t.Errorf("doc.go does not draw the buckets like this:\n%s", drawing)
	}
}
