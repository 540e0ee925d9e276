package packaging_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// releaseRepository returns a small repository in which packaging/release can
// run. Its packages and its list of components are one line each.
func releaseRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n- A new thing.\n- #2 works.\n\n## 0.8.0 (2026-01-01)\n\n- An old thing.\n",
		".gitignore":   "/dist/\n",
		// git describe says which commit is built.
		"packaging/build":             "#!/bin/sh\nmkdir -p \"$1\" && cd \"$(dirname \"$0\")\" && git describe >\"$1/package\"\n",
		"packaging/sbom":              "#!/bin/sh\ncd \"$(dirname \"$0\")\" && git describe >\"$1/components\"\n",
		"packaging/release":           string(readFile(t, "", "release")),
		"packaging/server/version.go": string(readFile(t, "", "server/version.go")),
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "git", "init", "--quiet", "--initial-branch=main")
	run(t, dir, "git", "config", "user.name", "test")
	run(t, dir, "git", "config", "user.email", "test@localhost")
	commit(t, dir)
	run(t, dir, "git", "tag", "v0.8.0")
	run(t, dir, "git", "commit", "--quiet", "--allow-empty", "-m", "after it")
	return dir
}

func commit(t *testing.T, dir string) {
	t.Helper()
	run(t, dir, "git", "add", "-A")
	run(t, dir, "git", "commit", "--quiet", "-m", "test")
}

func TestRelease(t *testing.T) {
	t.Parallel()
	dir := releaseRepository(t)
	out := run(t, dir, "packaging/release", "0.9.0")

	if got := run(t, dir, "git", "describe"); got != "v0.9.0\n" {
		t.Errorf("HEAD is %s", got)
	}
	if got := run(t, dir, "git", "status", "--porcelain"); got != "" {
		t.Errorf("changes are left:\n%s", got)
	}
	if got := run(t, dir, "git", "cat-file", "-t", "v0.9.0"); got != "tag\n" {
		t.Errorf("the tag is a %s", got)
	}
	if got := run(t, dir, "git", "tag", "-l", "--format=%(contents)", "v0.9.0"); !strings.Contains(got, "- A new thing.\n- #2 works.") || strings.Contains(got, "old") {
		t.Errorf("the tag says:\n%s", got)
	}
	if got := string(readFile(t, dir, "CHANGELOG.md")); !regexp.MustCompile(`^# Changelog\n\n## 0\.9\.0 \(20\d\d-\d\d-\d\d\)\n\n- A new`).MatchString(got) {
		t.Errorf("CHANGELOG.md is\n%s", got)
	}
	if got := string(readFile(t, dir, "packaging/server/version.go")); !strings.Contains(got, "const release = \"0.9.0\"\n") {
		t.Errorf("version.go is\n%s", got)
	}
	for _, want := range []string{"- A new thing.", "git push --atomic origin main v0.9.0", "SHA256SUMS"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
	files := filepath.Join(dir, "dist/0.9.0")
	for _, name := range []string{"package", "components"} {
		if got := string(readFile(t, files, name)); got != "v0.9.0\n" {
			t.Errorf("%s was made from %s", name, got)
		}
	}
	run(t, files, "sha256sum", "--check", "--strict", "SHA256SUMS")
}

func TestReleaseTrial(t *testing.T) {
	t.Parallel()
	dir := releaseRepository(t)
	before := run(t, dir, "git", "for-each-ref")
	files := filepath.Join(t.TempDir(), "files")
	run(t, dir, "packaging/release", "--dry-run", "0.9.0", files)
	if got := run(t, dir, "git", "for-each-ref"); got != before {
		t.Errorf("branches and tags are\n%sthey were\n%s", got, before)
	}
	if got := run(t, dir, "git", "status", "--porcelain", "--ignored"); got != "" {
		t.Errorf("it has changed:\n%s", got)
	}
	if got := string(readFile(t, files, "package")); got != "v0.9.0\n" {
		t.Errorf("the package was made from %s", got)
	}
}

func TestReleaseRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, version, before, want string }{
		{"no version", "v0.9", ":", "v0.9 is no version"},
		{"leading zero", "0.09.0", ":", "is no version"},
		{"changes", "0.9.0", "echo x >>CHANGELOG.md", "not committed"},
		{"a new file", "0.9.0", "echo x >x", "not committed"},
		{"no branch", "0.9.0", "git checkout --quiet --detach", "not on a branch"},
		{"a tag that exists", "0.8.0", ":", "the tag v0.8.0 exists"},
		{"an older version", "0.7.9", ":", "0.7.9 is older than 0.8.0"},
		{"a candidate of the latest release", "0.8.0-rc.1", ":", "0.8.0-rc.1 is older than 0.8.0"},
		{"nothing has changed", "0.9.0", "sed -i '/new thing/d;/#2/d' CHANGELOG.md && git commit -aqm x", "nothing under Unreleased"},
		{"a directory with files", "0.9.0", "mkdir -p dist/0.9.0 && touch dist/0.9.0/x", "is not empty"},
		{"a build that fails", "0.9.0", "printf '#!/bin/sh\\nexit 3\\n' >packaging/build && git commit -aqm x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := releaseRepository(t)
			run(t, dir, "sh", "-c", test.before)
			before := run(t, dir, "git", "for-each-ref")
			cmd := exec.Command("packaging/release", test.version)
			cmd.Dir = dir
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("it ends with %v and says %q, want %q", err, stderr.String(), test.want)
			}
			if got := run(t, dir, "git", "for-each-ref"); got != before {
				t.Errorf("branches and tags are\n%sthey were\n%s", got, before)
			}
		})
	}
}
