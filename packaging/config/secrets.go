package config

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"trento/store/durable"
)

// SecretsFile is the file in the data directory that keeps generated secrets,
// in the syntax of the configuration file.
const SecretsFile = "secrets"

// secretSize is the size of a generated secret in bytes.
const secretSize = 48

// WithSecrets returns the configuration with all secrets. Secrets that are not
// configured come from the data directory. Missing ones are generated and kept
// there. The caller must hold the store open. Otherwise two processes that
// start at the same time could keep different secrets.
//
// It fails if users other than the owner can read the file.
func (c Config) WithSecrets() (Config, error) {
	targets := map[string]*Secret{
		"SECRET_KEY_BASE":          &c.SecretKeyBase,
		"ACCESS_TOKEN_ENC_SECRET":  &c.AccessSecret,
		"REFRESH_TOKEN_ENC_SECRET": &c.RefreshSecret,
	}
	file := filepath.Join(c.DataDir, SecretsFile)
	kept, err := readSecrets(file)
	if err != nil {
		return c, fmt.Errorf("generated secrets: %w", err)
	}
	fresh := false
	for name, target := range targets {
		if *target != "" {
			continue
		}
		if kept[name] == "" {
			kept[name] = generateSecret()
			fresh = true
		}
		*target = Secret(kept[name])
	}
	if fresh {
		if err := writeSecrets(file, kept); err != nil {
			return c, fmt.Errorf("generated secrets: %w", err)
		}
	}
	if len(c.KeyBase()) < minSecretSize {
		return c, fmt.Errorf("generated secrets: SECRET_KEY_BASE in %s is damaged", file)
	}
	if c.AccessSecret == c.RefreshSecret {
		return c, fmt.Errorf("generated secrets: %s and the configuration give the same text for ACCESS_TOKEN_ENC_SECRET and REFRESH_TOKEN_ENC_SECRET", file)
	}
	return c, nil
}

// SecretValues returns all secrets that are configured or kept in the data
// directory, and the passwords in addresses, so that they can be masked. It
// creates nothing.
func (c Config) SecretValues() []string {
	var all []string
	value := reflect.ValueOf(c)
	for _, v := range Variables() {
		field := value.FieldByName(v.fieldName)
		if v.Secret && field.String() != "" {
			all = append(all, field.String())
		}
		if field.Kind() != reflect.String {
			continue
		}
		if u, err := url.Parse(field.String()); err == nil && u.User != nil {
			if password, set := u.User.Password(); set {
				all = append(all, password, url.QueryEscape(password), url.PathEscape(password))
			}
		}
	}
	if kept, err := readSecrets(filepath.Join(c.DataDir, SecretsFile)); err == nil {
		all = slices.AppendSeq(all, maps.Values(kept))
	}
	return all
}

func generateSecret() string {
	raw := make([]byte, secretSize)
	rand.Read(raw)
	return base64.StdEncoding.EncodeToString(raw)
}

func readSecrets(file string) (map[string]string, error) {
	kept := map[string]string{}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	} else if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, so others can read it; change it to 0600, and consider its secrets known", file, mode)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	assignments, _ := parseFile(string(text))
	for _, a := range assignments {
		kept[a.Name] = a.Value
	}
	return kept, nil
}

// writeSecrets replaces the file atomically. After a crash, the old or the new
// file is complete.
func writeSecrets(file string, secrets map[string]string) error {
	var text bytes.Buffer
	text.WriteString("# Generated at the first start. Whoever knows these can sign in as anybody.\n")
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		fmt.Fprintf(&text, "%s=%s\n", name, secrets[name])
	}

	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return durable.WriteFile(file, text.Bytes(), 0o600)
}
