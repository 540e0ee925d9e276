// Package ssotest starts real identity providers for tests.
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

// User is a user who can sign in at a provider.
type User struct {
	Username, Password, FirstName, LastName, Email string
}

// SimpleSAML is a running SimpleSAMLphp as an identity provider. It signs
// responses and assertions, encrypts assertions, and requires signed requests.
type SimpleSAML struct {
	MetadataURL string
	LogoutURL   string // address at which people sign out of the provider

	dir string
}

// simpleSAMLDir is the directory in which distributions install SimpleSAMLphp.
const simpleSAMLDir = "/usr/share/simplesamlphp"

// startTimeout is how long a provider may take to start on a busy machine.
const startTimeout = 30 * time.Second

// StartSimpleSAML starts the provider for a test, on a free port of this
// machine. If SimpleSAMLphp is not installed, it skips the test, or fails it in
// CI.
func StartSimpleSAML(t *testing.T, users ...User) *SimpleSAML {
	t.Helper()
	php, err := exec.LookPath("php")
	if err != nil {
		skipOrFail(t, "php is not installed, which SimpleSAMLphp needs")
	}
	root := ""
	for _, name := range []string{"www", "public"} { // names in version 1 and 2
		if dir := filepath.Join(simpleSAMLDir, name); fileExists(dir) {
			root = dir
		}
	}
	if root == "" {
		skipOrFail(t, "SimpleSAMLphp is not installed in "+simpleSAMLDir)
	}
	address := freeAddress(t)
	idp := &SimpleSAML{MetadataURL: "http://" + address + "/saml2/idp/metadata.php", LogoutURL: "http://" + address + "/saml2/idp/SingleLogoutService.php?ReturnTo=" + url.QueryEscape("http://"+address+"/"), dir: t.TempDir()}
	idp.configure(t, address, users)
	idp.Trust(t, []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>`))

	cmd := exec.Command(php, "-d", "display_errors=stderr", "-S", address, "-t", root)
	cmd.Env = append(os.Environ(), "SIMPLESAMLPHP_CONFIG_DIR="+idp.dir)
	startProcess(t, cmd, "SimpleSAMLphp", idp.MetadataURL)
	return idp
}

// Trust registers a service provider with the identity provider, by its
// metadata.
func (idp *SimpleSAML) Trust(t *testing.T, metadata []byte) {
	t.Helper()
	writeFile(t, idp.dir, "sp.xml", metadata)
}

//go:embed simplesaml.tmpl
var simpleSAMLFiles string

// configure writes the configuration of the provider: key, certificate and the
// files that the template defines.
func (idp *SimpleSAML) configure(t *testing.T, address string, users []User) {
	t.Helper()
	certificate, key := newKeyPair(t)
	writeFile(t, idp.dir, "idp.crt", certificate)
	writeFile(t, idp.dir, "idp.key", key)
	files := template.Must(template.New("").Funcs(template.FuncMap{"php": quotePHP}).Parse(simpleSAMLFiles))
	for _, name := range []string{"config.php", "authsources.php", "saml20-idp-hosted.php"} {
		var text bytes.Buffer
		err := files.ExecuteTemplate(&text, name, map[string]any{"Dir": idp.dir, "Address": address, "Users": users})
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, idp.dir, name, text.Bytes())
	}
}

// quotePHP returns a text as a string literal of PHP.
func quotePHP(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

func writeFile(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// newKeyPair returns a new certificate and its key in PEM format.
func newKeyPair(t *testing.T) (certificate, key []byte) {
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

// freeAddress returns an address of this machine that no process listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// waitUntilReady waits until an address answers with status 200. It fails the test if
// the process ends or startTimeout has passed.
func waitUntilReady(t *testing.T, address string, ended <-chan struct{}) {
	t.Helper()
	status := ""
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
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

func fileExists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// skipOrFail skips a test because a tool is missing. In CI, which has all
// tools, it fails the test.
func skipOrFail(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}
