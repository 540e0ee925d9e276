package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const checkFile = `id: "0A00F1"
name: Token timeout
group: Corosync
description: The token timeout has the value that this platform needs.
remediation: Set totem.token.
metadata: {target_type: cluster}
facts:
  - {name: token, gatherer: corosync.conf@v1, argument: totem.token}
values:
  - name: wanted
    default: 5000
    conditions: [{value: 30000, when: env.provider == "azure"}]
expectations:
  - name: token_value
    expect: facts.token == values.wanted
    failure_message: token is ${facts.token}, wanted ${values.wanted}
  - name: same
    expect_same: facts.token
`

// runChecks runs a command, and returns what it printed and its exit status.
func runChecks(args ...string) (out string, status int) {
	root := newRoot(nil)
	var printed bytes.Buffer
	root.SetArgs(append([]string{"checks"}, args...))
	root.SetOut(&printed)
	root.SetErr(&printed)
	status = execute(root)
	return printed.String(), status
}

// writeFiles writes files into a new directory.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestChecksLint(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"0A00F1.yaml": checkFile, "0A00F2.yaml": strings.Replace(checkFile, "0A00F1", "0A00F2", 1) + "  - {name: none, expect: 'facts.token =='}\n", "notes.txt": "no check",
	})
	if out, status := runChecks("lint", filepath.Join(dir, "0A00F1.yaml")); status != 0 || out != "1 file: 0 cannot be used, 0 probable mistakes\n" {
		t.Errorf("%d %s", status, out)
	}
	want := filepath.Join(dir, "0A00F2.yaml") + ":19:41: expect: Script is incomplete (cannot be used)\n2 files: 1 cannot be used, 0 probable mistakes\n"
	if out, status := runChecks("lint", dir); status != 1 || out != want {
		t.Errorf("%d %s, want %s", status, out, want)
	}
	for _, args := range [][]string{{"lint"}, {"lint", filepath.Join(dir, "missing")}, {"lint", t.TempDir()}} {
		if out, status := runChecks(args...); status != 2 {
			t.Errorf("%q: %d %s", args, status, out)
		}
	}
}

func TestChecksRun(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"0A00F1.yaml": checkFile,
		"good.json":   `{"env": {"provider": "azure"}, "hosts": {"hana01": {"facts": {"token": 30000}}, "hana02": {"checks": {"0A00F1": {"token": 30000}}}}}`,
		"bad.yaml":    "hosts:\n  hana01: {facts: {token: 5000}}\n  hana02: {facts: {token: 1000}}\n",
		"errors.json": `{"hosts": {"hana01": {"errors": {"token": {"type": "corosync-conf-file-error", "message": "no such\u001bfile"}}}, "hana02": {}, "hana03": {"silent": true}}}`,
		"host.json":   `{"env": {"target_type": "host"}, "hosts": {"hana01": {}}}`,
		"wrong.json":  `{"hosts": {"hana01": {"fact": {"token": 5000}}}}`,
		"empty.json":  ``,
	})
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"good": {[]string{"good.json"}, 0, "0A00F1 Token timeout: passing\n1 passing, 0 warning, 0 critical\n"},
		"bad": {[]string{"bad.yaml"}, 1, `0A00F1 Token timeout: critical
  same: Expectation not met
  hana02, token_value: token is 1000, wanted 5000
    facts.token is 1000
    values.wanted is 5000
    facts.token == values.wanted is false
0 passing, 0 warning, 1 critical
`},
		"errors": {[]string{"errors.json"}, 1, `0A00F1 Token timeout: critical
  hana01: fact token: no such?file (corosync-conf-file-error)
  hana02: fact token: The agent did not deliver this fact; its version may not know the gatherer corosync.conf@v1 (fact-not-delivered)
  hana03: the agent did not answer
0 passing, 0 warning, 1 critical
`},
		"customised":     {[]string{"good.json", "--value", "0A00F1.wanted=7"}, 1, "token is 30000, wanted 7"},
		"does not apply": {[]string{"host.json"}, 0, "0A00F1 Token timeout: does not apply\n0 passing, 0 warning, 0 critical\n"},
		"unknown member": {[]string{"wrong.json"}, 2, "field fact not found"},
		"no hosts":       {[]string{"empty.json"}, 2, "names no hosts"},
		"no such file":   {[]string{"missing.json"}, 2, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"run", filepath.Join(dir, "0A00F1.yaml"), "--facts", filepath.Join(dir, c.args[0])}, c.args[1:]...)
			if out, status := runChecks(args...); status != c.status || !strings.Contains(out, c.want) {
				t.Errorf("%d %s\nwant %d %s", status, out, c.status, c.want)
			}
		})
	}
}
