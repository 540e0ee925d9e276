package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The code of the messages is that of their .proto files.
func TestCodeIsUpToDate(t *testing.T) {
	code, err := generate(t.Context(), "..")
	if err != nil {
		t.Fatal(err)
	}
	written, err := filepath.Glob(filepath.Join("..", wireDirectory, "*.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range written {
		if code[filepath.Base(path)] == nil {
			t.Errorf("%s is the code of no .proto file", path)
		}
	}
	for name, text := range code {
		if got, err := os.ReadFile(filepath.Join("..", wireDirectory, name)); err != nil || string(got) != string(text) {
			t.Errorf("%s differs from its .proto file (%v); run go generate ./store/message", name, err)
		}
	}
	if len(code) != 4 {
		t.Errorf("%d files were generated", len(code))
	}
}

func TestFaultsOfFilesAreTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "wrong.proto"), []byte("syntax = \"proto3\";\nmessage M { string a = 1; string b = 1; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, err := generate(t.Context(), dir); err == nil {
		t.Errorf("generated %v of a message with two members of one number", code)
	}
}
