package certificate

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trento/packaging/servertest"
)

const domain = "trento.example.com"

func (x *test) acme(p *servertest.Pebble) Options {
	o := x.options()
	o.CertFile, o.KeyFile = "", ""
	o.ACME = &ACME{Domain: domain, Directory: p.Directory, CAFile: p.CAFile}
	return o
}

// listen serves a port with the certificate, as the authority expects it.
func (x *test) listen(k *Keeper, port string) {
	x.Helper()
	l, err := tls.Listen("tcp", net.JoinHostPort("127.0.0.1", port), k.ServerConfig())
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.(*tls.Conn).Handshake() // the client finds out
			}()
		}
	}()
}

// TestACMERenewal lets the life of a certificate pass. It is renewed thirty days
// before its end. If that fails, the present one stays in use, and the authority
// is asked again later.
func TestACMERenewal(t *testing.T) {
	x := newTest(t)
	x.now = time.Now().Add(time.Minute) // later than the certificate
	port := servertest.FreePort(t)
	p := servertest.StartPebble(t, servertest.FreePort(t), port)
	k := x.load(x.acme(p))
	x.listen(k, port)
	if !k.Status().SelfSigned {
		t.Error("at the start there is no self-signed certificate")
	}
	k.Renew(t.Context())
	first := k.Status()
	if first.SelfSigned || strings.Join(first.Names, " ") != domain || !strings.Contains(first.Issuer, "Pebble") || len(first.Faults) > 0 {
		t.Fatalf("%+v", first)
	}
	leaf := k.current.Load().Leaf
	x.now = leaf.NotAfter.AddDate(0, 0, -31)
	k.Renew(t.Context())
	if got := k.Status(); got.Fingerprint != first.Fingerprint {
		t.Error("renewed too early")
	}
	x.now = leaf.NotAfter.AddDate(0, 0, -29)
	k.Renew(t.Context())
	second := k.Status()
	if second.Fingerprint == first.Fingerprint {
		t.Fatal("not renewed")
	}
	if got := x.load(x.acme(p)).Status(); got.Fingerprint != second.Fingerprint {
		t.Errorf("after a restart: %+v", got)
	}

	p.Stop()
	x.now = k.current.Load().Leaf.NotAfter.AddDate(0, 0, -29)
	for range 20 {
		k.Renew(t.Context())
		x.now = x.now.Add(10 * time.Second)
	}
	if got := k.Status(); got.Fingerprint != second.Fingerprint || len(got.Faults) != 1 || !strings.Contains(got.Faults[0], "connection refused") {
		t.Errorf("without the authority: %+v", got)
	}
	if got := k.authority.pause; got != 2*minACMEPause {
		t.Errorf("after 200 seconds the pause is %v, want %v, which is that after two failures", got, 2*minACMEPause)
	}
}

// TestACMERefusal checks that a person is told why the authority gave no
// certificate.
func TestACMERefusal(t *testing.T) {
	x := newTest(t)
	x.now = time.Now().Add(time.Minute)                                            // later than the certificate
	p := servertest.StartPebble(t, servertest.FreePort(t), servertest.FreePort(t)) // where nobody listens
	k := x.load(x.acme(p))
	k.Renew(t.Context())
	s := k.Status()
	if faults := strings.Join(s.Faults, "\n"); !s.SelfSigned || !strings.Contains(faults, domain) || !strings.Contains(faults, "Failed to connect") {
		t.Errorf("%+v", s)
	}
	if log := x.log.String(); !strings.Contains(log, "Failed to connect") || strings.Contains(log, "PRIVATE") {
		t.Errorf("log:\n%s", log)
	}
}

// TestOtherAuthority checks that a certificate is not kept for another authority
// or domain.
func TestOtherAuthority(t *testing.T) {
	x := newTest(t)
	o := x.options()
	o.CertFile, o.KeyFile = "", ""
	o.ACME = &ACME{Domain: domain, Directory: "https://one.example.com/dir"}
	cert, key := x.authority.Issue(domain, x.now, x.now.AddDate(0, 0, 90))
	if err := os.MkdirAll(o.Directory, 0o700); err != nil {
		t.Fatal(err)
	}
	x.write(filepath.Join(o.Directory, "acme-one.example.com.pem"), append(cert, key...))
	for _, tt := range []struct {
		ACME
		selfSigned bool
	}{
		{ACME{Domain: domain, Directory: "https://one.example.com/dir"}, false},
		{ACME{Domain: domain, Directory: "https://two.example.com/dir"}, true},
		{ACME{Domain: "other.example.com", Directory: "https://one.example.com/dir"}, true},
	} {
		o.ACME = &tt.ACME
		if got := x.load(o).Status(); got.SelfSigned != tt.selfSigned {
			t.Errorf("%+v: %+v", tt.ACME, got)
		}
	}
}
