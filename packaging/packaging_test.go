// Package packaging_test tests what packaging/build makes.
package packaging_test

import (
	"bytes"
	"debug/elf"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/packaging/servertest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// run returns the output of a command. It fails the test if the command fails.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// commitTree returns a new repository whose only branch has the files of the
// working tree, committed as version v1.99.0.
func commitTree(t *testing.T) string {
	t.Helper()
	tree, source := filepath.Dir(workingDir(t)), filepath.Join(t.TempDir(), "source")
	run(t, tree, "git", "clone", "--quiet", "--no-checkout", ".", source)
	run(t, tree, "git", "--git-dir="+filepath.Join(source, ".git"), "--work-tree=.", "add", "-A")
	run(t, source, "git", "checkout-index", "-a", "-f")
	run(t, source, "git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--allow-empty", "-m", "test")
	run(t, source, "git", "tag", "v1.99.0")
	return source
}

func workingDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The names of the architecture of this machine in RPM and DEB.
var rpmArchitecture = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]

func rpmName() string { return "trento-web-1.99.0-1." + rpmArchitecture + ".rpm" }
func debName() string { return "trento-web_1.99.0-1_" + runtime.GOARCH + ".deb" }

func TestPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("building packages takes long")
	}
	for _, program := range []string{"git", "rpm", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			servertest.Need(t, err.Error())
		}
	}
	source, packages := commitTree(t), t.TempDir()
	run(t, source, "packaging/build", packages, rpmArchitecture)

	t.Run("RPM", func(t *testing.T) {
		checkRPM(t, filepath.Join(packages, rpmName()))
	})
	t.Run("DEB", func(t *testing.T) {
		checkDEB(t, source, filepath.Join(packages, debName()))
	})
	t.Run("again", func(t *testing.T) {
		// Another directory, and other modes of the files.
		clone, again := filepath.Join(t.TempDir(), "a", "b"), t.TempDir()
		run(t, source, "sh", "-c", "umask 077 && git clone --quiet . "+clone+" && "+clone+"/packaging/build "+again+" "+rpmArchitecture)
		for _, name := range []string{rpmName(), debName()} {
			if first, second := readFile(t, packages, name), readFile(t, again, name); !bytes.Equal(first, second) {
				t.Errorf("%s is another after a second build of the same commit", name)
			}
		}
	})
}

func checkRPM(t *testing.T, file string) {
	const format = `[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILENAMES}\n]`
	checkFiles(t, "testdata/rpm.golden", run(t, "", "rpm", "-qp", "--qf", format, file))
	head := run(t, "", "rpm", "-qp", "--qf", "%{EPOCH} %{VERSION} %{LICENSE} %{BUILDHOST}", file)
	if want := "1 1.99.0 Apache-2.0 localhost"; !strings.HasSuffix(head, want) {
		t.Errorf("epoch, version, license and host are %q, want %q", head, want)
	}
	scripts := run(t, "", "rpm", "-qp", "--scripts", file)
	for _, kind := range []string{"postinstall", "preuninstall", "postuninstall"} {
		if !strings.Contains(scripts, kind+" scriptlet") {
			t.Errorf("there is no %s scriptlet", kind)
		}
	}
}

func checkDEB(t *testing.T, source, file string) {
	lines := strings.Split(run(t, "", "dpkg-deb", "--contents", file), "\n")
	for i, line := range lines {
		if fields := strings.Fields(line); len(fields) == 6 && !strings.HasSuffix(fields[5], "/") {
			lines[i] = fmt.Sprintf("%s %s %s", fields[0], fields[1], fields[5])
		} else {
			lines[i] = ""
		}
	}
	checkFiles(t, "testdata/deb.golden", strings.Join(lines, "\n"))

	root := t.TempDir()
	run(t, "", "dpkg-deb", "--raw-extract", file, root)
	if got := string(readFile(t, root, "DEBIAN/conffiles")); got != "/etc/trento/trento-web\n" {
		t.Errorf("conffiles are %q", got)
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		run(t, root, "sh", "-n", "DEBIAN/"+script)
	}
	if !bytes.Equal(readFile(t, root, "etc/trento/trento-web"), readFile(t, source, "packaging/trento-web.example")) {
		t.Error("the configuration file is not the example")
	}
	program := filepath.Join(root, "usr/bin/trento-web")
	if got := run(t, "", program, "version"); !strings.HasPrefix(got, "trento-web 1.99.0\n") {
		t.Errorf("version is %q", got)
	}
	checkStatic(t, program)
	if page := run(t, root, "gzip", "-dc", "usr/share/man/man8/trento-web.8.gz"); !strings.Contains(page, `.TH "TRENTO-WEB" "8"`) {
		t.Errorf("the manual page begins with %.100q", page)
	}
}

// checkFiles compares a list of files with a golden file. Manual pages are left
// out: each command has one.
func checkFiles(t *testing.T, golden, list string) {
	t.Helper()
	got := regexp.MustCompile(`(?m)^(.*/man8/.*|.*warning:.*|)\n`).ReplaceAllString(strings.TrimSpace(list)+"\n", "")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, "", golden)), got); diff != "" {
		t.Errorf("%s (-want +got); go test -update rewrites it:\n%s", golden, diff)
	}
	if !strings.Contains(list, "/usr/share/man/man8/trento-web.8.gz") {
		t.Error("there is no manual page")
	}
}

// checkStatic checks that a program needs no shared library.
func checkStatic(t *testing.T, program string) {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s is not static", program)
		}
	}
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A scriptlet tells systemd the right thing for each of its arguments, and
// cannot make the installation fail.
func TestScriptlets(t *testing.T) {
	_, err := os.Stat("/run/systemd/system")
	systemdRuns := err == nil
	const always, running = true, false // when a call is expected
	type call struct {
		text   string
		always bool
	}
	reload := call{"systemctl daemon-reload", running}
	users := call{"systemd-sysusers trento-web.conf", always}
	preset := call{"systemctl --no-reload preset trento-web.service", always}
	restart := call{"systemctl try-restart trento-web.service", running}
	disable := call{"systemctl --no-reload disable trento-web.service", always}
	stop := call{"systemctl stop trento-web.service", running}
	tests := []struct {
		name, script string
		args         []string
		want         []call
	}{
		{"RPM installation", "postinstall", []string{"1"}, []call{users, reload, preset}},
		{"RPM update", "postinstall", []string{"2"}, []call{users, reload, restart}},
		{"DEB installation", "postinstall", []string{"configure", ""}, []call{users, reload, preset}},
		{"DEB update", "postinstall", []string{"configure", "1:0.9.0-1"}, []call{users, reload, restart}},
		{"DEB failed update", "postinstall", []string{"abort-upgrade", "1:0.9.0-1"}, []call{users, reload}},
		{"RPM removal", "preremove", []string{"0"}, []call{disable, stop}},
		{"RPM update", "preremove", []string{"1"}, nil},
		{"DEB removal", "preremove", []string{"remove"}, []call{disable, stop}},
		{"DEB update", "preremove", []string{"upgrade", "1:0.9.1-1"}, nil},
		{"RPM removed", "postremove", []string{"0"}, []call{reload}},
		{"RPM updated", "postremove", []string{"1"}, []call{reload}},
		{"DEB purged", "postremove", []string{"purge"}, []call{reload}},
	}
	for _, test := range tests {
		for _, status := range []string{"0", "1"} { // what systemctl returns
			t.Run(fmt.Sprintf("%s %s, status %s", test.name, test.script, status), func(t *testing.T) {
				dir := t.TempDir()
				for _, program := range []string{"systemctl", "systemd-sysusers"} {
					script := "#!/bin/sh\necho " + program + " \"$@\" >>" + dir + "/calls\nexit " + status + "\n"
					if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
				run(t, "", "sh", append([]string{"scriptlet/" + test.script + ".sh"}, test.args...)...)
				var want string
				for _, c := range test.want {
					if c.always || systemdRuns {
						want += c.text + "\n"
					}
				}
				got, err := os.ReadFile(filepath.Join(dir, "calls"))
				if err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		}
	}
}
