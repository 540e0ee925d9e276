package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// credentialDir is the variable in which systemd passes the directory with the
// credentials of the service, one file for each (systemd.exec(5)).
const credentialDir = "CREDENTIALS_DIRECTORY"

// readCredentials sets secrets that are unset to the credentials with their
// names. A credential that cannot be used is an error: without it, the server
// would generate another secret.
func (l *loader) readCredentials() {
	dir := l.values[credentialDir]
	if dir == "" {
		return
	}
	for _, v := range l.variables {
		value, err := readCredential(filepath.Join(dir, v.Name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case !v.Secret:
			l.addNotice("Set "+v.Name+" in the configuration file, and take its LoadCredential= out of the unit: systemctl edit trento-web.", "the credential %s is ignored: only secrets are read from credentials", v.Name)
		case l.values[v.Name] != "":
			l.addNotice("Remove "+v.Name+" from one of the two.", "%s is set both in the %s and as a credential; the %[2]s wins", v.Name, l.origins[v.Name])
		case err != nil:
			l.errs = append(l.errs, fmt.Errorf("credential %s: %w", v.Name, err))
		default:
			l.values[v.Name], l.origins[v.Name] = value, "credential"
		}
	}
}

// readCredential returns a credential without the end of its line, which
// editors and echo add.
func readCredential(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case value == "":
		return "", errors.New("it is empty")
	case !utf8.ValidString(value) || strings.ContainsAny(value, "\x00\r\n"):
		return "", errors.New("it is not one line of UTF-8 text")
	}
	return value, nil
}
