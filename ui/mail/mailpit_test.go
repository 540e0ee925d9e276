package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"trento/packaging/servertest"
	"trento/ui/mail"
)

var alertMessage = mail.Message{
	ID: "alert-2@trento.example.com", References: []string{"alert-0@trento.example.com", "alert-1@trento.example.com"},
	From: netmail.Address{Name: "Trento Alerts", Address: "alerts@sap.example"}, To: []netmail.Address{{Name: "Trento Admin", Address: "basis@sap.example"}},
	Subject: "Trento Alert: Host hana01\r\nBcc: evil@sap.example needs attention. " + strings.Repeat("ä", 300),
	Text:    "Größe: 5 €\r\n.\r\n" + strings.Repeat("x", 2000), HTML: "<p>Größe &lt;script&gt;</p>",
	Date: time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC), ListID: "trento.trento.example.com",
}

// relayAt returns a relay that trusts an authority.
func relayAt(m *servertest.Mailpit, roots *x509.CertPool) *mail.Relay {
	return &mail.Relay{Host: "localhost", Port: m.Port, RootCAs: roots, Username: "trento", Password: "geheim"}
}

// certificate returns options with a certificate for a name, valid for an hour
// that began some time ago.
func certificate(authority *servertest.Authority, name string, began time.Duration) servertest.MailpitOptions {
	from := time.Now().Add(-began)
	o := servertest.MailpitOptions{Username: "trento", Password: "geheim"}
	o.Cert, o.Key = authority.Issue(name, from, from.Add(time.Hour))
	return o
}

// TestMailRelay sends a message to a real mail relay over STARTTLS, and checks
// what arrives.
func TestMailRelay(t *testing.T) {
	t.Parallel()
	authority := servertest.NewAuthority(t)
	o := certificate(authority, "localhost", time.Minute)
	o.Recipients = "@sap[.]example$"
	m := servertest.StartMailpit(t, o)
	relay := relayAt(m, authority.Roots)
	message := alertMessage
	message.To = append(message.To, netmail.Address{Address: "other@elsewhere.example"})
	results, err := relay.Send(t.Context(), []mail.Message{message})
	if err != nil || len(results) != 1 || results[0].Err != nil || !strings.HasPrefix(results[0].Reply, "250 ") || results[0].TLS != tls.VersionName(tls.VersionTLS13) {
		t.Fatalf("got %+v, %v", results, err)
	}
	if refused := results[0].Refused; len(refused) != 1 || refused[0].Address != "other@elsewhere.example" || !refused[0].Err.Permanent {
		t.Errorf("refused %+v", refused)
	}
	mails := m.Mails()
	if len(mails) != 1 || mails[0].MessageID != message.ID || mails[0].From != (servertest.MailAddress{Name: "Trento Alerts", Address: "alerts@sap.example"}) || !strings.HasPrefix(mails[0].Subject, "Trento Alert: Host hana01 Bcc: evil@sap.example") {
		t.Fatalf("arrived %+v", mails)
	}
	source := m.Source(mails[0])
	parsed, err := netmail.ReadMessage(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Bcc": "", "List-Id": "<trento.trento.example.com>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Date": "Mon, 30 Nov 2026 14:00:00 +0000",
		"In-Reply-To": "<alert-1@trento.example.com>", "References": "<alert-0@trento.example.com> <alert-1@trento.example.com>", "User-Agent": "", "X-Mailer": "",
	} {
		if got := parsed.Header.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if plain, html := strings.Index(source, "text/plain"), strings.Index(source, "text/html"); plain < 0 || html < plain || !strings.Contains(source, "multipart/alternative") {
		t.Errorf("not plain text before HTML:\n%s", source)
	}
	if strings.Contains(source, "geheim") {
		t.Error("the password is in the message")
	}
}

// TestRefusedCertificates checks that nothing is sent to a relay that cannot
// prove who it is, not even over the connection without TLS.
func TestRefusedCertificates(t *testing.T) {
	t.Parallel()
	authority, stranger := servertest.NewAuthority(t), servertest.NewAuthority(t)
	for _, test := range []struct {
		name        string
		options     servertest.MailpitOptions
		implicitTLS bool
		want        string
	}{
		{"wrong name", certificate(authority, "elsewhere.example", time.Minute), false, "tls: tls: failed to verify certificate: x509: certificate is valid for elsewhere.example, not localhost"},
		{"unknown authority", certificate(stranger, "localhost", time.Minute), false, "tls: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{"expired", certificate(authority, "localhost", 2*time.Hour), false, "tls: tls: failed to verify certificate: x509: certificate has expired"},
		{"expired, TLS at once", certificate(authority, "localhost", 2*time.Hour), true, "tls: tls: failed to verify certificate: x509: certificate has expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.options.ImplicitTLS = test.implicitTLS
			m := servertest.StartMailpit(t, test.options)
			relay := relayAt(m, authority.Roots)
			relay.ImplicitTLS = test.implicitTLS
			_, err := relay.Send(t.Context(), []mail.Message{alertMessage})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if mails := m.Mails(); len(mails) > 0 {
				t.Errorf("arrived %+v", mails)
			}
		})
	}
}

// TestSelfSignedCertificate checks that a certificate without an authority is
// accepted exactly if it is trusted itself.
func TestSelfSignedCertificate(t *testing.T) {
	t.Parallel()
	o, raw := selfSigned(t)
	m := servertest.StartMailpit(t, o)
	if _, err := relayAt(m, nil).Send(t.Context(), []mail.Message{alertMessage}); err == nil || !strings.Contains(err.Error(), "x509: certificate signed by unknown authority") {
		t.Errorf("not trusted: %v", err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	if _, err := relayAt(m, trusted).Send(t.Context(), []mail.Message{alertMessage}); err != nil {
		t.Errorf("trusted: %v", err)
	}
}

// TestLogins tries the ways to sign in, and not to.
func TestLogins(t *testing.T) {
	t.Parallel()
	authority := servertest.NewAuthority(t)
	withTLS := certificate(authority, "localhost", time.Minute)
	atOnce := withTLS
	atOnce.ImplicitTLS = true
	for _, test := range []struct {
		name    string
		options servertest.MailpitOptions
		change  func(*mail.Relay)
		want    string // beginning of the error; "": the message is delivered
	}{
		{"TLS at once", atOnce, func(r *mail.Relay) { r.ImplicitTLS = true }, ""},
		{"wrong password", withTLS, func(r *mail.Relay) { r.Password = "falsch" }, "login: 535 "},
		{"no login where it is required", withTLS, func(r *mail.Relay) { r.Username = "" }, "sender: 530 "},
		{"no login needed", servertest.MailpitOptions{}, func(r *mail.Relay) { r.Username = "" }, ""},
		{"login where none is offered", servertest.MailpitOptions{}, func(r *mail.Relay) { r.InsecurePassword = true }, "login: the relay offers no login"},
		{"password without TLS", servertest.MailpitOptions{Username: "trento", Password: "geheim"}, func(*mail.Relay) {}, "login: the relay offers no TLS, and the password is not sent without it"},
		{"password without TLS, permitted", servertest.MailpitOptions{Username: "trento", Password: "geheim"}, func(r *mail.Relay) { r.InsecurePassword = true }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := servertest.StartMailpit(t, test.options)
			relay := relayAt(m, authority.Roots)
			test.change(relay)
			results, err := relay.Send(t.Context(), []mail.Message{alertMessage})
			if len(results) == 1 && results[0].Err != nil {
				err = results[0].Err
			}
			if test.want == "" && (err != nil || len(m.Mails()) != 1) {
				t.Errorf("got %v, %d mails", err, len(m.Mails()))
			}
			if test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want) || len(m.Mails()) > 0) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if failure, ok := errors.AsType[*mail.Error](err); ok && strings.Contains(failure.Error(), "geheim") {
				t.Errorf("the password is in the error: %v", failure)
			}
		})
	}
}

// selfSigned returns options with a certificate that is its own authority, and
// that certificate.
func selfSigned(t *testing.T) (o servertest.MailpitOptions, raw []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour)}
	if raw, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return servertest.MailpitOptions{
		Username: "trento", Password: "geheim",
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, raw
}
