package server

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/packaging/servertest"
	"trento/store/discovery/fleet"
)

// runningServer is a running program to which a small landscape reports, with a
// mail relay.
type runningServer struct {
	t       *testing.T
	relay   *testRelay
	dir     string
	program *servertest.Program
	agent   *servertest.Client
	reports []fleet.Report
}

func startRunningServer(t *testing.T, delay string) *runningServer {
	t.Helper()
	r := &runningServer{t: t, relay: startTestRelay(t, ""), dir: t.TempDir()}
	r.start(delay)
	for _, h := range fleet.New(1, 6).Hosts() {
		r.reports = append(r.reports, h.Reports()...)
	}
	for range 2 { // reports that depend on later ones are accepted in the second round
		for _, report := range r.reports {
			r.report(report.Body)
		}
	}
	return r
}

// start starts the program. delay is the time for which alerts are held back.
func (r *runningServer) start(delay string) {
	r.t.Helper()
	r.program = servertest.Start(r.t, r.dir, nil, "ENABLE_ALERTING=true", "ALERT_SENDER=trento@sap.example", "ALERT_RECIPIENT=basis@sap.example",
		"SMTP_SERVER="+r.relay.host(), fmt.Sprint("SMTP_PORT=", r.relay.port()), "ALERT_DELAY="+delay, "ALERT_REPEAT=0",
		"TRENTO_WEB_ORIGIN=trento.sap.example", "HOST_HEARTBEAT_INTERVAL=1")
	r.agent = r.program.Agent()
}

func (r *runningServer) report(body []byte) {
	r.t.Helper()
	if status, answer, err := r.agent.Do("POST", "/api/v1/collect", body); err != nil || status != 202 && status != 404 {
		r.t.Fatalf("status %d, %v: %s", status, err, answer)
	}
}

// change sends the first report of a kind that contains a text, with another
// text in its place, and returns the agent.
func (r *runningServer) change(kind, text, by string) string {
	r.t.Helper()
	i := slices.IndexFunc(r.reports, func(report fleet.Report) bool {
		return string(report.Kind) == kind && bytes.Contains(report.Body, []byte(text))
	})
	if i < 0 {
		r.t.Fatalf("no report of the kind %s contains %s", kind, text)
	}
	r.report(bytes.ReplaceAll(r.reports[i].Body, []byte(text), []byte(by)))
	return string(r.reports[i].Agent)
}

// expect waits for mails whose subjects begin with the given texts.
func (r *runningServer) expect(beginnings ...string) []receivedMail {
	r.t.Helper()
	var mails []receivedMail
	servertest.Soon(r.t, "mails arrive", func() bool {
		mails = append(mails, r.relay.takeMails()...)
		return len(mails) >= len(beginnings)
	})
	var got []string
	for i, m := range mails {
		got = append(got, m.Subject)
		if i < len(beginnings) && strings.HasPrefix(m.Subject, beginnings[i]) {
			got[i] = beginnings[i]
		}
	}
	if diff := cmp.Diff(beginnings, got); diff != "" {
		r.t.Error(diff)
	}
	return mails
}

// TestAlertsOfProcess checks that a running server sends a mail for each thing
// that becomes critical, as the existing Trento server does.
func TestAlertsOfProcess(t *testing.T) {
	t.Parallel()
	r := startRunningServer(t, "0")
	host := string(r.reports[0].Agent)
	if status, _, err := r.agent.Do("POST", "/api/v1/hosts/"+host+"/heartbeat", map[string]any{}); err != nil || status != 204 {
		t.Fatalf("heartbeat: status %d, %v", status, err)
	}
	r.change("saptune_discovery", `"compliant"`, `"not compliant"`)
	r.expect("Trento Alert: Host ")
	r.change("sap_system_discovery", `"SAPControl-GREEN"`, `"SAPControl-RED"`)
	mails := r.expect("Trento Alert: Database ", "Trento Alert: Sap System ") // the health of a system is at most that of its database
	if body := mailParts(t, mails[0]); !strings.Contains(body["text/plain"], "https://trento.sap.example/databases/") {
		t.Errorf("text %s", body["text/plain"])
	}
	mails = r.expect("Trento Alert: Host ") // ten seconds later at most
	if text := mailParts(t, mails[0])["text/plain"]; !strings.Contains(mails[0].Subject, "stopped reporting.") || !strings.Contains(text, "Silent since") || !strings.Contains(text, "https://trento.sap.example/hosts/"+host) {
		t.Errorf("%s: %s", mails[0].Subject, text)
	}
	if more := r.relay.takeMails(); len(more) > 0 {
		t.Errorf("more mails: %v", more)
	}
}

// TestKillBeforeSending checks that an alert is stored before the report is
// acknowledged, and is sent after a kill and a restart.
func TestKillBeforeSending(t *testing.T) {
	t.Parallel()
	r := startRunningServer(t, "1h")
	r.change("saptune_discovery", `"compliant"`, `"not compliant"`)
	r.program.Kill()
	r.start("0")
	r.expect("Trento Alert: Host ")
	var alerts struct {
		Waiting  []any
		Messages []struct{ Mail struct{ State string } }
	}
	user := r.program.User()
	servertest.Soon(t, "the mail is recorded", func() bool {
		user.Must(200, "GET", "/api/v1/alerts", nil, &alerts)
		return len(alerts.Waiting) == 0 && len(alerts.Messages) == 1 && alerts.Messages[0].Mail.State == "sent"
	})
	r.program.Kill()
	r.start("0")
	if more := r.relay.takeMails(); len(more) > 0 {
		t.Errorf("after another restart: %v", more)
	}
}

// TestCertificateExpiry checks that a certificate that expires in ten days
// raises an alert when the server starts.
func TestCertificateExpiry(t *testing.T) {
	t.Parallel()
	r := &runningServer{t: t, relay: startTestRelay(t, "")}
	dir := t.TempDir()
	cert, key := servertest.NewAuthority(t).Issue("localhost", time.Now().Add(-time.Hour), time.Now().Add(10*24*time.Hour+time.Hour))
	for name, content := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	servertest.Start(t, t.TempDir(), nil, "ENABLE_ALERTING=true", "SMTP_SERVER="+r.relay.host(), fmt.Sprint("SMTP_PORT=", r.relay.port()), "ALERT_DELAY=0",
		"TLS_CERT_FILE="+filepath.Join(dir, "cert.pem"), "TLS_KEY_FILE="+filepath.Join(dir, "key.pem"))
	r.expect("Trento Alert: TLS certificate will expire in 10 days")
}

// TestSAMLCertificateExpiry checks the same for a certificate for SAML that was
// taken over from the existing server.
func TestSAMLCertificateExpiry(t *testing.T) {
	t.Parallel()
	r := &runningServer{t: t, relay: startTestRelay(t, "")}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10*24*time.Hour + time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	files := t.TempDir()
	if err := os.Mkdir(filepath.Join(files, "cert"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"saml.pem": {Type: "CERTIFICATE", Bytes: cert}, "saml_key.pem": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
	} {
		if err := os.WriteFile(filepath.Join(files, "cert", name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	provider := `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.sap.example">` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + base64.StdEncoding.EncodeToString(cert) +
		`</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.sap.example/sso"/></IDPSSODescriptor></EntityDescriptor>`
	servertest.Start(t, t.TempDir(), nil, "ENABLE_ALERTING=true", "SMTP_SERVER="+r.relay.host(), fmt.Sprint("SMTP_PORT=", r.relay.port()), "ALERT_DELAY=0",
		"ENABLE_SAML=true", "TRENTO_WEB_ORIGIN=trento.sap.example", "SAML_IDP_ID=corporate", "SAML_SP_ID=trento", "SAML_SP_DIR="+files, "SAML_METADATA_CONTENT="+provider)
	r.expect("Trento Alert: SAML certificate will expire in 10 days")
}
