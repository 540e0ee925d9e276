// Package ssotest starts identity providers that others have written, for tests.
package ssotest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"
)

// User can sign in at a provider.
type User struct {
	Username, Password, FirstName, LastName, Email string
}

// SimpleSAML is SimpleSAMLphp of the distribution, as an identity provider that
// signs responses and assertions, encrypts assertions, and wants requests to be
// signed.
type SimpleSAML struct {
	MetadataURL string
	LogoutURL   string // of people who sign out there

	dir string
}

// simpleSAMLDir is where distributions install it.
const simpleSAMLDir = "/usr/share/simplesamlphp"

// patience is how long a provider may take to start on a machine that does other
// things, too.
const patience = 30 * time.Second

// StartSimpleSAML starts it for a test, on a free port of this machine. It skips
// the test where it is not installed, and fails it on machines that check every
// change.
func StartSimpleSAML(t *testing.T, users ...User) *SimpleSAML {
	t.Helper()
	php, err := exec.LookPath("php")
	if err != nil {
		need(t, "php is not installed, which SimpleSAMLphp needs")
	}
	root := ""
	for _, name := range []string{"www", "public"} { // of version 1 and 2
		if dir := filepath.Join(simpleSAMLDir, name); exists(dir) {
			root = dir
		}
	}
	if root == "" {
		need(t, "SimpleSAMLphp is not installed in "+simpleSAMLDir)
	}
	address := freeAddress(t)
	idp := &SimpleSAML{MetadataURL: "http://" + address + "/saml2/idp/metadata.php", LogoutURL: "http://" + address + "/saml2/idp/SingleLogoutService.php?ReturnTo=" + url.QueryEscape("http://"+address+"/"), dir: t.TempDir()}
	idp.configure(t, address, users)
	idp.Trust(t, []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`))

	cmd := exec.Command(php, "-d", "display_errors=stderr", "-S", address, "-t", root)
	cmd.Env = append(os.Environ(), "SIMPLESAMLPHP_CONFIG_DIR="+idp.dir)
	start(t, cmd, "SimpleSAMLphp", idp.MetadataURL)
	return idp
}

// Trust makes the provider know a service provider by its metadata.
func (idp *SimpleSAML) Trust(t *testing.T, metadata []byte) {
	t.Helper()
	write(t, idp.dir, "sp.xml", metadata)
}

//go:embed simplesaml.tmpl
var simpleSAMLFiles string

// configure writes what the template defines, one file each.
func (idp *SimpleSAML) configure(t *testing.T, address string, users []User) {
	t.Helper()
	certificate, key := newPair(t)
	write(t, idp.dir, "idp.crt", certificate)
	write(t, idp.dir, "idp.key", key)
	files := template.Must(template.New("").Funcs(template.FuncMap{"php": quotePHP}).Parse(simpleSAMLFiles))
	for _, name := range []string{"config.php", "authsources.php", "saml20-idp-hosted.php"} {
		var text bytes.Buffer
		err := files.ExecuteTemplate(&text, name, map[string]any{"Dir": idp.dir, "Address": address, "Users": users})
		if err != nil {
			t.Fatal(err)
		}
		write(t, idp.dir, name, text.Bytes())
	}
}

// quotePHP is a text as a literal of PHP.
func quotePHP(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// newPair makes a certificate and its key in PEM.
func newPair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SimpleSAMLphp"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return encode("CERTIFICATE", der), encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// waitFor waits until an address answers well.
func waitFor(t *testing.T, address string, ended <-chan struct{}) {
	t.Helper()
	status := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		answer, err := http.Get(address)
		if err == nil {
			answer.Body.Close()
			if status = answer.Status; answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ended:
			t.Fatal("the provider has ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer: %s", address, status)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// need skips a test that lacks a tool, and says which; the machines that check
// every change have them all, so there it fails.
func need(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}
