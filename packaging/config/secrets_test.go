package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWithSecrets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	config := Config{DataDir: dir}

	first, err := config.WithSecrets()
	if err != nil {
		t.Fatal(err)
	}
	if len(first.KeyBase()) != secretSize || len(first.AccessSecret) < 64 || first.AccessSecret == first.RefreshSecret ||
		first.SecretKeyBase == first.AccessSecret {
		t.Error("the generated secrets are not three different ones of full length")
	}
	file := filepath.Join(dir, "secrets")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v; want the one file", entries, err)
	}

	second, err := config.WithSecrets()
	if err != nil {
		t.Fatal(err)
	}
	if second.SecretKeyBase != first.SecretKeyBase || second.AccessSecret != first.AccessSecret || second.RefreshSecret != first.RefreshSecret {
		t.Error("the secrets are other ones at the next start")
	}

	// What is configured wins and is not written down.
	third, err := Config{DataDir: dir, AccessSecret: "configured"}.WithSecrets()
	if err != nil {
		t.Fatal(err)
	}
	if third.AccessSecret != "configured" || third.RefreshSecret != first.RefreshSecret {
		t.Error("a configured secret does not win")
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), "configured") {
		t.Errorf("the file holds the configured secret: %v", err)
	}
}

func TestWithSecretsAllConfigured(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, err := Config{DataDir: dir, SecretKeyBase: Secret(key), AccessSecret: "a", RefreshSecret: "b"}.WithSecrets()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data directory exists (%v), though nothing had to be kept", err)
	}
}

func TestWithSecretsRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		mode       os.FileMode
		config     Config
		want       string
	}{
		{"readable by the group", "SECRET_KEY_BASE=" + key + "\n", 0o640, Config{}, "mode 0640"},
		{"readable by all", "", 0o644, Config{}, "mode 0644"},
		{"damaged", "SECRET_KEY_BASE=AAAA\n", 0o600, Config{}, "damaged"},
		{"copied to the other variable", "ACCESS_TOKEN_ENC_SECRET=same\n", 0o600, Config{RefreshSecret: "same"}, "the same text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.config.DataDir = t.TempDir()
			file := filepath.Join(test.config.DataDir, "secrets")
			if err := os.WriteFile(file, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := test.config.WithSecrets()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("WithSecrets() = %v, want an error about %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), key) {
				t.Error("the error shows a secret")
			}
		})
	}
}

// TestSecretValues checks that all secrets are known that have to be masked.
func TestSecretValues(t *testing.T) {
	dir := t.TempDir()
	c, _, err := load(t, "", "TRENTO_DATA_DIR="+dir, "ADMIN_PASSWORD=correct-horse-8", "AMQP_URL=amqp://trento:p%40ss-word@rabbitmq:5672/", "SAML_METADATA_URL=https://me:of-the-metadata@idp.example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	full, err := c.WithSecrets()
	if err != nil {
		t.Fatal(err)
	}
	got := c.SecretValues()
	for _, want := range []string{"correct-horse-8", "amqp://trento:p%40ss-word@rabbitmq:5672/", "p@ss-word", "of-the-metadata", string(full.SecretKeyBase), string(full.AccessSecret), string(full.RefreshSecret)} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
}
