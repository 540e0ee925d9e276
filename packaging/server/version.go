package server

import (
	"runtime/debug"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// release is the version of the latest release. packaging/release sets it.
const release = "0.9.0"

// Version returns the version of the program. It comes from the tag of the
// commit that the program was built from, such as 0.9.0. After a tag it is a
// version before the next one, with the time and the name of the commit:
// 0.9.1-dev.20261130141906.gf3c6208abcde. A build without git has the version of
// the latest release.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	return formatVersion(info.Main.Version)
}

// formatVersion returns the version for the one that Go gives to a program.
func formatVersion(stamp string) string {
	if !semver.IsValid(stamp) {
		return release
	}
	if !module.IsPseudoVersion(stamp) {
		return strings.TrimPrefix(stamp, "v")
	}
	base, _ := module.PseudoVersionBase(stamp) // no error: it is a pseudo-version
	commit, _ := module.PseudoVersionRev(stamp)
	time, _ := module.PseudoVersionTime(stamp)
	prefix := "v" + release + "-dev" // no tag precedes
	switch {
	case semver.Prerelease(base) != "":
		prefix = base + ".dev"
	case base != "":
		next, _, _ := strings.Cut(stamp, "-")
		prefix = next + "-dev"
	}
	// A commit of digits alone would be a number, which must not begin with 0.
	return strings.TrimPrefix(prefix, "v") + "." + time.Format("20060102150405") + ".g" + commit + semver.Build(stamp)
}
