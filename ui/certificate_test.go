package ui

import (
	"strings"
	"testing"
	"time"

	"trento/ui/page"
)

// TestUnencrypted checks that the sign-in page and About say that a connection is
// not encrypted, and how to change that, to those who can.
func TestUnencrypted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.user("setter", 14)
	const told = "connection is not encrypted"
	for scheme, want := range map[string]bool{"http": true, "https": false} {
		for _, tt := range []struct{ path, as string }{{"/session/new", ""}, {"/about", "setter"}} {
			body := f.do(call{target: scheme + "://trento.example.com" + tt.path, as: tt.as}).Body.String()
			if strings.Contains(body, told) != want {
				t.Errorf("%s: %s says that it is not encrypted: %v", scheme, tt.path, !want)
			}
		}
	}
	has("[aria-labelledby=readable-title]", "TLS_CERT_FILE").check(t, f.page(t, "/about", "setter"))
	hasNot("[aria-labelledby=readable-title] code").check(t, f.page(t, "/about", "ada"))
	has(".facts", "not encrypted (http)").check(t, f.page(t, "/about", "ada"))
}

// TestCertificate checks that About describes the certificate, to those who
// connect agents.
func TestCertificate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.user("setter", 14)
	c := page.Certificate{
		Names: []string{"trento.example.com", "10.0.0.5"}, Issuer: "Example Authority", NotAfter: time.Date(2026, 8, 30, 12, 0, 0, 0, time.UTC),
		Fingerprint: "0A:70:8E", Faults: []string{"it expires on 30 Aug 2026 12:00 UTC, and agents and browsers will refuse it then"},
	}
	f.options.Certificate = func() page.Certificate { return c }
	f.restart(f.options)
	shown := f.page(t, "/about", "setter")
	for _, want := range []string{"trento.example.com", "10.0.0.5", "Example Authority", "30 Aug 2026", "0A:70:8E"} {
		has("[aria-labelledby=certificate-title] .facts", want).check(t, shown)
	}
	has("[aria-labelledby=certificate-title] .banner", "it expires on 30 Aug 2026").check(t, shown)
	hasNot("[aria-labelledby=certificate-title]").check(t, f.page(t, "/about", "ada"))

	c.SelfSigned, c.Faults = true, nil
	shown = f.page(t, "/about", "setter")
	has("[aria-labelledby=certificate-title] .facts", "self-signed").check(t, shown)
	hasNot("[aria-labelledby=certificate-title] .banner").check(t, shown)
}
