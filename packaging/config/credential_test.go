package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCredentials(t *testing.T) {
	const name = "ADMIN_PASSWORD"
	tests := []struct {
		name        string
		credentials map[string]string // content by file name
		file        string
		environ     []string
		want        string // admin password
		origin      string
		notices     []string
		err         string
	}{
		{name: "none", err: "<nil>", origin: "default"},
		{name: "plain", credentials: map[string]string{name: "geheim-geheim"}, want: "geheim-geheim", origin: "credential", err: "<nil>"},
		{name: "line", credentials: map[string]string{name: "geheim # geheim \n"}, want: "geheim # geheim ", origin: "credential", err: "<nil>"},
		{name: "line of Windows", credentials: map[string]string{name: "geheim-geheim\r\n"}, want: "geheim-geheim", origin: "credential", err: "<nil>"},
		{name: "of others", credentials: map[string]string{"database.password": "x"}, origin: "default", err: "<nil>"},
		{name: "unset in the environment", credentials: map[string]string{name: "geheim-geheim"}, environ: []string{name + "="},
			want: "geheim-geheim", origin: "credential", err: "<nil>"},
		{name: "environment wins", credentials: map[string]string{name: "geheim-geheim"}, environ: []string{name + "=other-secret"}, want: "other-secret", origin: "environment",
			notices: []string{"ADMIN_PASSWORD is set both in the environment and as a credential; the environment wins"}, err: "<nil>"},
		{name: "file wins", credentials: map[string]string{name: "geheim-geheim"}, file: name + "=other-secret\n", want: "other-secret", origin: "file",
			notices: []string{"ADMIN_PASSWORD is set both in the file and as a credential; the file wins"}, err: "<nil>"},
		{name: "no secret", credentials: map[string]string{"PORT": "80"}, origin: "default",
			notices: []string{"the credential PORT is ignored: only secrets are read from credentials"}, err: "<nil>"},
		{name: "empty", credentials: map[string]string{name: "\n"}, origin: "default", err: "credential ADMIN_PASSWORD: it is empty"},
		{name: "lines", credentials: map[string]string{name: "geheim\ngeheim\n"}, origin: "default", err: "credential ADMIN_PASSWORD: it is not one line of UTF-8 text"},
		{name: "bytes", credentials: map[string]string{name: "geheim\xff"}, origin: "default", err: "credential ADMIN_PASSWORD: it is not one line of UTF-8 text"},
		{name: "against the rules", credentials: map[string]string{name: "weakpwd"}, want: "weakpwd", origin: "credential", err: "ADMIN_PASSWORD should be at least 8 character(s)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range test.credentials {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o400); err != nil {
					t.Fatal(err)
				}
			}
			got, notices, err := load(t, test.file, append(test.environ, credentialDir+"="+dir)...)
			if string(got.AdminPassword) != test.want || fmt.Sprint(err) != test.err {
				t.Errorf("password %q, error %v; want %q, %v", string(got.AdminPassword), err, test.want, test.err)
			}
			if diff := cmp.Diff(test.notices, textsOf(notices)); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			var printed bytes.Buffer
			if err := got.Print(&printed); err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`(?m)^ADMIN_PASSWORD .*  ` + test.origin + `$`).Match(printed.Bytes()) {
				t.Errorf("want the origin %s:\n%s", test.origin, printed.Bytes())
			}
		})
	}
}

// Every secret variable can be a credential.
func TestCredentialOfEverySecret(t *testing.T) {
	dir := t.TempDir()
	for _, v := range Variables() {
		if !v.Secret {
			continue
		}
		value := v.Name + "-" + key
		switch v.Name {
		case "SECRET_KEY_BASE":
			value = key
		case "AMQP_URL":
			value = "amqp://user:password@rabbitmq:5672/"
		case "FORWARD_OTLP_HEADERS":
			value = "Authorization=" + key
		}
		if err := os.WriteFile(filepath.Join(dir, v.Name), []byte(value+"\n"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := load(t, "", credentialDir+"="+dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range Variables() {
		if origin := got.assignedValues[v.Name].origin; v.Secret && origin != "credential" {
			t.Errorf("the origin of %s is %q", v.Name, origin)
		}
	}
	if string(got.SecretKeyBase) != key {
		t.Errorf("SECRET_KEY_BASE is %q", string(got.SecretKeyBase))
	}
}

// An administrator who starts the server by hand may not be allowed to read
// the credentials. Then no other secrets may be generated.
func TestUnreadableCredential(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "ADMIN_PASSWORD"), 0o700); err != nil { // root can read every file, but no directory
		t.Fatal(err)
	}
	if _, _, err := load(t, "", credentialDir+"="+dir); err == nil {
		t.Error("Load() = nil")
	}
}
