package server

import (
	"os"
	"regexp"
	"testing"

	"golang.org/x/mod/semver"
)

func TestFormatVersion(t *testing.T) {
	for _, test := range []struct{ name, stamp, want string }{
		{"tag", "v1.2.3", "1.2.3"},
		{"tag of a candidate", "v1.2.3-rc.4", "1.2.3-rc.4"},
		{"tag, with changes", "v1.2.3+dirty", "1.2.3+dirty"},
		{"after a tag", "v1.2.4-0.20261130141906-f3c6208abcde", "1.2.4-dev.20261130141906.gf3c6208abcde"},
		{"after a tag, with changes", "v1.2.4-0.20261130141906-012345678901+dirty", "1.2.4-dev.20261130141906.g012345678901+dirty"},
		{"after a candidate", "v1.2.3-rc.4.0.20261130141906-f3c6208abcde", "1.2.3-rc.4.dev.20261130141906.gf3c6208abcde"},
		{"before the first tag", "v0.0.0-20261130141906-f3c6208abcde", release + "-dev.20261130141906.gf3c6208abcde"},
		{"without git", "(devel)", release},
		{"in a test", "", release},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := formatVersion(test.stamp)
			if got != test.want {
				t.Errorf("formatVersion(%q) = %q, want %q", test.stamp, got, test.want)
			}
			if !semver.IsValid("v" + got) {
				t.Errorf("%q is no semantic version", got)
			}
		})
	}
}

// TestVersionOrder checks that a version between two tags sorts between them,
// and a later commit after an earlier one.
func TestVersionOrder(t *testing.T) {
	stamps := []string{
		"v1.2.3-rc.4", "v1.2.3-rc.4.0.20261130141906-f3c6208abcde", "v1.2.3-rc.5", "v1.2.3",
		"v1.2.4-0.20261130141906-f3c6208abcde", "v1.2.4-0.20261130141907-0123456789ab", "v1.2.4-rc.1", "v1.2.4",
	}
	for i := range len(stamps) - 1 {
		before, after := formatVersion(stamps[i]), formatVersion(stamps[i+1])
		if semver.Compare("v"+before, "v"+after) >= 0 {
			t.Errorf("%s does not sort before %s", before, after)
		}
	}
}

// TestReleaseIsInChangelog checks that the newest release in CHANGELOG.md is
// the version of a build without git.
func TestReleaseIsInChangelog(t *testing.T) {
	text, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	newest := regexp.MustCompile(`(?m)^## (\d\S*)`).FindSubmatch(text)
	if newest != nil && string(newest[1]) != release {
		t.Errorf("release is %s, and the newest one in CHANGELOG.md is %s", release, newest[1])
	}
}
