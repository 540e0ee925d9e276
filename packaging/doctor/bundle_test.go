package doctor

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMask checks that secrets are replaced, known ones and what looks like one,
// and ordinary words are not.
func TestMask(t *testing.T) {
	m := NewMasker([]string{"geheim-geheim", "geheim-geheim-longer", "", "admin"})
	for text, want := range map[string]string{
		"a geheim-geheim-longer b geheim-geheim": "a ******** b ********",
		"the user admin":                         "the user admin",
		"amqp://trento:s3cret@host/":             "amqp://trento:********@host/",
		"POST https://host/path":                 "POST https://host/path",
		`password="hunter22"`:                    `password="********"`,
		`"smtp_password": "hunter22",`:           `"smtp_password": "********",`,
		"Authorization: Bearer-abcdef":           "Authorization: ********",
		"eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abcdefgh": "********",
		"used trento_pat_abcdef-012":             "used ********",
		"the token of the API":                   "the token of the API",
	} {
		if got := string(m.Mask([]byte(text))); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestBundle writes a bundle and reads it.
func TestBundle(t *testing.T) {
	files := []BundleFile{{"checks.txt", "what was found", []byte("secret: geheim-geheim\n")}, {"a.txt", "a", nil}}
	var bundle bytes.Buffer
	if err := WriteBundle(&bundle, noon, files, NewMasker([]string{"geheim-geheim"})); err != nil {
		t.Fatal(err)
	}
	got, err := ReadBundle(bytes.NewReader(bundle.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	want := []BundleFile{{"checks.txt", "what was found", []byte("secret: ********\n")}, {"a.txt", "a", []byte{}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, damaged := range []string{"", "nonsense", bundle.String()[:bundle.Len()/2]} {
		if _, err := ReadBundle(strings.NewReader(damaged)); err == nil {
			t.Errorf("%d bytes were read as a bundle", len(damaged))
		}
	}
}
