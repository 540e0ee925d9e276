package doctor

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// BundleFile is a file of a support bundle.
type BundleFile struct {
	Name    string
	Meaning string // for the file README.txt
	Text    []byte
}

// readmeName is the file of a bundle that says what the others are.
const readmeName = "README.txt"

const readmeEnd = `
It does not contain passwords, keys and tokens, users, what agents report, or the
texts of the activity log. What looks like a secret is replaced by ********.
Names and addresses of hosts are in it where a check names them. Look at it
before you send it.
`

// WriteBundle writes a support bundle: a tar archive, compressed with gzip. Every
// file is masked, although none is meant to contain a secret.
func WriteBundle(w io.Writer, at time.Time, files []BundleFile, m *Masker) error {
	var readme strings.Builder
	fmt.Fprintf(&readme, "Support bundle of Trento, made on %s.\n\n", formatTime(at))
	for _, f := range files {
		fmt.Fprintf(&readme, "%-20s %s\n", f.Name, f.Meaning)
	}
	readme.WriteString(readmeEnd)
	compressed := gzip.NewWriter(w)
	archive := tar.NewWriter(compressed)
	for _, f := range slices.Concat([]BundleFile{{Name: readmeName, Text: []byte(readme.String())}}, files) {
		text := m.Mask(f.Text)
		if err := archive.WriteHeader(&tar.Header{Name: "trento-support/" + f.Name, Size: int64(len(text)), Mode: 0o600, ModTime: at, Format: tar.FormatPAX}); err != nil {
			return err
		}
		if _, err := archive.Write(text); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

// maxBundle is the largest number of bytes of a bundle that ReadBundle unpacks.
const maxBundle = 256 << 20

// ReadBundle returns the files of a bundle without README.txt, and what they
// mean as that file says.
func ReadBundle(r io.Reader) (files []BundleFile, err error) {
	compressed, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	archive := tar.NewReader(io.LimitReader(compressed, maxBundle))
	meanings := map[string]string{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		_, name, _ := strings.Cut(header.Name, "/")
		if name != readmeName {
			files = append(files, BundleFile{Name: name, Text: text})
			continue
		}
		for line := range strings.Lines(string(text)) {
			if name, meaning, found := strings.Cut(strings.TrimSuffix(line, "\n"), " "); found {
				meanings[name] = strings.TrimSpace(meaning)
			}
		}
	}
	for i := range files {
		files[i].Meaning = meanings[files[i].Name]
	}
	return files, nil
}

// Masker replaces secrets in texts.
type Masker struct{ secretReplacer *strings.Replacer }

// shortestSecret is the smallest number of bytes of a secret that is replaced
// wherever it stands. A shorter one would be found in ordinary words.
const shortestSecret = 6

const mask = "********"

// NewMasker returns a Masker for secrets that are known, the longest first, and
// for what looks like one.
func NewMasker(secrets []string) *Masker {
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			pairs = append(pairs, s, mask)
		}
	}
	return &Masker{strings.NewReplacer(pairs...)}
}

// secretPatterns match texts that look like secrets: the password in an
// address, a JSON Web Token, the value of a name that says that it is secret,
// and a personal access token.
var secretPatterns = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(://[^/\s:@"]*:)[^/\s@"]+@`), "${1}" + mask + "@"},
	{regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`), mask},
	{regexp.MustCompile(`(?i)((?:password|passphrase|secret|token|api_?key|authorization|cookie)["']?\s*[=:]\s*["']?)[^\s"',;&]{4,}`), "${1}" + mask},
	{regexp.MustCompile(`trento_pat_[A-Za-z0-9_-]+`), mask},
}

// Mask returns a text with its secrets replaced.
func (m *Masker) Mask(text []byte) []byte {
	masked := m.secretReplacer.Replace(string(text))
	for _, p := range secretPatterns {
		masked = p.pattern.ReplaceAllString(masked, p.with)
	}
	return []byte(masked)
}
