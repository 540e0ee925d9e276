package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trento/store/durable"
)

// loginsFile is the name of the file with the logins, in the directory
// trento-web of the user's configuration.
const loginsFile = "logins.json"

// login is a server that the user has signed in to, with the token for it.
type login struct {
	Name    string    `json:"name"` // by which the user chooses it
	Address string    `json:"address"`
	CAFile  string    `json:"ca_file,omitempty"`
	Token   string    `json:"token"`
	User    string    `json:"user,omitempty"` // "" if the token may not read it
	Since   time.Time `json:"since"`
}

// logins are all logins of the user.
type logins struct {
	Current string  `json:"current"` // name of the login that is used if none is chosen; "" for none
	Logins  []login `json:"logins"`

	file string
}

// readLogins reads the logins of the user. There are none if there is no file.
func readLogins(environ []string) (*logins, error) {
	dir := getenv(environ, "XDG_CONFIG_HOME")
	if dir == "" {
		home := getenv(environ, "HOME")
		if home == "" {
			return new(logins), nil // a service without a home has no logins
		}
		dir = filepath.Join(home, ".config")
	}
	l := &logins{file: filepath.Join(dir, "trento-web", loginsFile)}
	info, err := os.Stat(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	} else if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s contains tokens and others can read it: run \"chmod 600 %s\", and replace the tokens if anybody has", l.file, l.file)
	}
	text, err := os.ReadFile(l.file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("%s: %w", l.file, err)
	}
	return l, nil
}

// save writes the logins. Only the user can read them.
func (l *logins) save() error {
	if l.file == "" {
		return errors.New("there is no place for the token: HOME and XDG_CONFIG_HOME are not set")
	}
	if err := os.MkdirAll(filepath.Dir(l.file), 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(l.file, append(text, '\n'), 0o600)
}

// find returns the login with a name or address, or nil.
func (l *logins) find(text string) *login {
	for i := range l.Logins {
		if l.Logins[i].Name == text {
			return &l.Logins[i]
		}
	}
	address := strings.TrimRight(strings.ToLower(text), "/")
	for i := range l.Logins {
		if l.Logins[i].Address == address {
			return &l.Logins[i]
		}
	}
	return nil
}

// put adds a login, in place of one with the same name, and makes it the
// current one.
func (l *logins) put(added login) {
	l.delete(added.Name)
	l.Logins = append(l.Logins, added)
	slices.SortFunc(l.Logins, func(a, b login) int { return strings.Compare(a.Name, b.Name) })
	l.Current = added.Name
}

// delete removes the login with a name.
func (l *logins) delete(name string) {
	l.Logins = slices.DeleteFunc(l.Logins, func(present login) bool { return present.Name == name })
	if l.Current == name {
		l.Current = ""
	}
}

// names returns the names of all logins.
func (l *logins) names() []string {
	names := make([]string, len(l.Logins))
	for i := range l.Logins {
		names[i] = l.Logins[i].Name
	}
	return names
}

// getenv returns the value of a variable in NAME=value texts. The last one
// counts.
func getenv(environ []string, name string) (value string) {
	for _, assignment := range environ {
		if text, ok := strings.CutPrefix(assignment, name+"="); ok {
			value = text
		}
	}
	return value
}
