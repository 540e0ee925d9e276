package command_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trento/packaging/servertest"
)

// testCertificate is a certificate whose key was thrown away.
const testCertificate = "MIIBIjCByaADAgECAgEBMAoGCCqGSM49BAMCMBoxGDAWBgNVBAMTD2lkcC5leGFtcGxlLmNvbTAgFw0yNjAxMDEwMDAwMDBaGA8yMTI2MDEwMTAwMDAwMFowGjEYMBYGA1UEAxMPaWRwLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXSvAPzOQlXGRoTYjWULBgV85d3/g/NWWcidLMqeRHeXYPxeIVEWVeFZ6zOZoAh1D+bw4+3lgiE5T4J5JLi1C/TAKBggqhkjOPQQDAgNIADBFAiEA1iz1qdvBPT/Ari4NVDiBSQZwTgK16RVRF4vZl7nqx7QCIDVEDU1GuQhertJbcCHGoeSv7pMIWU+EEBUrhNeOvn80"

// identityProvider is the metadata of one. Nobody signs in there.
const identityProvider = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
	`<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>CERTIFICATE</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
	`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>`

// TestRenewCertificate checks that the first start makes a certificate for
// SAML, and that the command replaces it.
func TestRenewCertificate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	files := filepath.Join(t.TempDir(), "saml")
	metadata := strings.Replace(identityProvider, "CERTIFICATE", testCertificate, 1)
	environ := []string{"ENABLE_SAML=true", "TRENTO_WEB_ORIGIN=trento.example.com", "SAML_IDP_ID=corporate", "SAML_SP_ID=trento", "SAML_SP_DIR=" + files, "SAML_METADATA_CONTENT=" + metadata}
	renew := func(environ ...string) (string, error) {
		t.Helper()
		var out, log bytes.Buffer
		cmd := servertest.Command(t, dir, []string{"sso", "renew-certificate"}, environ...)
		cmd.Stdout, cmd.Stderr = &out, &log
		err := cmd.Run()
		if err != nil {
			return log.String(), err
		}
		return out.String(), nil
	}
	for want, environ := range map[string][]string{"ENABLE_SAML is not true": nil, "no server's data": environ} {
		if out, err := renew(environ...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %s; want %q", err, out, want)
		}
	}
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(files, "cert", "saml.pem"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}

	p := servertest.Start(t, dir, nil, environ...)
	first := read()
	if out, err := renew(environ...); err == nil || !strings.Contains(out, "in use by another trento-web") {
		t.Errorf("%v: %s", err, out)
	}
	p.Stop(syscall.SIGTERM)
	out, err := renew(environ...)
	if err != nil || out == first || out != read() {
		t.Fatalf("%v: %s", err, out)
	}
	block, _ := pem.Decode([]byte(out))
	if certificate, err := x509.ParseCertificate(block.Bytes); err != nil || certificate.Subject.CommonName != "Trento SAML SP" {
		t.Errorf("certificate %v, error %v", certificate, err)
	}
	servertest.Start(t, dir, nil, environ...).Stop(syscall.SIGTERM)
	if read() != out {
		t.Error("the next start has another certificate")
	}
	// A start with another SECRET_KEY_BASE says what is wrong.
	refused := servertest.Command(t, dir, nil, append(environ, "SECRET_KEY_BASE="+strings.Repeat("QUJD", 16))...)
	if text, err := refused.CombinedOutput(); err == nil || !strings.Contains(string(text), "Error decrypting the SSO certificates. Was SECRET_KEY_BASE changed?") {
		t.Errorf("%v: %s", err, text)
	}
}

// TestCheckProvider checks that the command prints the faults and fails if
// there are any.
func TestCheckProvider(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	check := func(environ ...string) (string, error) {
		out, err := servertest.Command(t, dir, []string{"sso", "check"}, environ...).CombinedOutput()
		return string(out), err
	}
	oidc := []string{"ENABLE_OIDC=true", "TRENTO_WEB_ORIGIN=trento.example.com", "OIDC_CLIENT_ID=trento", "OIDC_CLIENT_SECRET=hidden-secret", "OIDC_BASE_URL=http://127.0.0.1:1"}
	saml := []string{"ENABLE_SAML=true", "TRENTO_WEB_ORIGIN=trento.example.com", "SAML_IDP_ID=corporate", "SAML_SP_ID=trento",
		"SAML_METADATA_CONTENT=" + strings.Replace(identityProvider, "CERTIFICATE", testCertificate, 1)}
	for _, tt := range []struct {
		environ []string
		want    string
		fails   bool
	}{
		{nil, "none of ENABLE_OIDC, ENABLE_OAUTH2 and ENABLE_SAML is true", true},
		{oidc, "WRONG  http://127.0.0.1:1/.well-known/openid-configuration cannot be reached", true},
		{saml, "ok     the metadata is that of https://idp.example.com", false},
		{saml, "ok     register https://trento.example.com/sso/sp/metadata/corporate with the provider", false},
	} {
		out, err := check(tt.environ...)
		if (err != nil) != tt.fails || !strings.Contains(out, tt.want) || strings.Contains(out, "hidden-secret") {
			t.Errorf("%v: %s\nwant %q", err, out, tt.want)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data directory was touched: %v", err)
	}
}
