package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSelfSigned checks that a certificate is made once, kept, and made again
// before it expires.
func TestSelfSigned(t *testing.T) {
	x := newTest(t)
	first := x.load(x.selfSigned()).Status()
	if !first.SelfSigned || first.Issuer != "trento.example.com" || len(first.Faults) > 0 || len(first.Fingerprint) != 32*3-1 ||
		strings.Join(first.Names, " ") != "trento.example.com localhost 127.0.0.1 ::1" || !first.NotAfter.Equal(x.now.Add(selfSignedLife-clockSkew)) {
		t.Errorf("%+v", first)
	}
	k := x.load(x.selfSigned())
	k.Renew(t.Context())
	if got := k.Status().Fingerprint; got != first.Fingerprint {
		t.Errorf("another one after a restart: %s, before %s", got, first.Fingerprint)
	}
	for _, name := range []string{selfSignedFile, trustFile} {
		info, err := os.Stat(filepath.Join(x.dir, "tls", name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}

	x.now = first.NotAfter.Add(-selfSignedRenewal)
	k.Renew(t.Context())
	if got := k.Status().Fingerprint; got != first.Fingerprint {
		t.Error("made again too early")
	}
	x.now = x.now.Add(time.Second)
	k.Renew(t.Context())
	second := k.Status()
	if second.Fingerprint == first.Fingerprint || !second.NotAfter.After(x.now.Add(selfSignedLife-2*clockSkew)) {
		t.Errorf("not made again: %+v", second)
	}
	if !strings.Contains(x.log.String(), second.Fingerprint) {
		t.Errorf("the log does not tell the new fingerprint:\n%s", &x.log)
	}
	if got := x.load(x.selfSigned()).Status().Fingerprint; got != second.Fingerprint {
		t.Error("the second one is not kept")
	}
}

// TestSelfSignedForAnotherName checks that a new name of the server is in a new
// certificate, and that it is kept then.
func TestSelfSignedForAnotherName(t *testing.T) {
	x := newTest(t)
	o := x.selfSigned()
	first := x.load(o).Status()
	o.Host = "sap.example.com"
	o.Names = func(context.Context) ([]string, []net.IP) { return []string{o.Host, "localhost"}, nil }
	second := x.load(o).Status()
	if second.Fingerprint == first.Fingerprint || second.Names[0] != o.Host || len(second.Faults) > 0 {
		t.Errorf("%+v", second)
	}
	if got := x.load(o).Status(); got.Fingerprint != second.Fingerprint {
		t.Error("not kept")
	}
}

// TestSelfSignedAfterLongRest checks that an expired certificate is replaced at
// the start.
func TestSelfSignedAfterLongRest(t *testing.T) {
	x := newTest(t)
	first := x.load(x.selfSigned()).Status()
	x.now = first.NotAfter.AddDate(1, 0, 0)
	if second := x.load(x.selfSigned()).Status(); second.Fingerprint == first.Fingerprint || len(second.Faults) > 0 {
		t.Errorf("%+v", second)
	}
}

// TestTrustSelfSigned checks that a client that trusts the file for agents
// accepts the certificate, for its names only, and nothing else that its key
// signs.
func TestTrustSelfSigned(t *testing.T) {
	x := newTest(t)
	k := x.load(x.selfSigned())
	text, err := os.ReadFile(filepath.Join(x.dir, "tls", trustFile))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) || strings.Contains(string(text), "PRIVATE") {
		t.Fatalf("the file for agents:\n%s", text)
	}
	address := x.echo(k)
	for name, want := range map[string]bool{"trento.example.com": true, "localhost": true, "127.0.0.1": true, "other.example.com": false, "127.0.0.2": false} {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, ServerName: name, Time: func() time.Time { return x.now }})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			c.Close()
		}
	}

	pair := k.current.Load()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bank.example.com", "192.0.2.1"} {
		forged := &x509.Certificate{SerialNumber: newSerialNumber(), NotBefore: x.now, NotAfter: x.now.AddDate(0, 0, 1)}
		if name == "192.0.2.1" {
			forged.IPAddresses = append(forged.IPAddresses, []byte{192, 0, 2, 1})
		} else {
			forged.DNSNames = []string{name}
		}
		der, err := x509.CreateCertificate(rand.Reader, forged, pair.Leaf, key.Public(), pair.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: x.now.Add(time.Hour)}); err == nil {
			t.Errorf("a certificate for %s is accepted", name)
		}
	}
}

// TestDamagedSelfSigned: the error says what to do.
func TestDamagedSelfSigned(t *testing.T) {
	x := newTest(t)
	x.load(x.selfSigned())
	file := filepath.Join(x.dir, "tls", selfSignedFile)
	x.write(file, []byte("damaged"))
	k, err := New(x.selfSigned())
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Load(t.Context()); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "delete the file") {
		t.Errorf("%v", err)
	}
}

// TestSelfSignedWithoutDirectory checks that the present certificate stays in use if
// the next one cannot be kept.
func TestSelfSignedWithoutDirectory(t *testing.T) {
	x := newTest(t)
	k := x.load(x.selfSigned())
	first := k.Status()
	if err := os.RemoveAll(filepath.Join(x.dir, "tls")); err != nil {
		t.Fatal(err)
	}
	x.write(filepath.Join(x.dir, "tls"), nil) // a file where the directory was
	x.now = first.NotAfter.AddDate(0, 0, -20)
	k.Renew(t.Context())
	if s := k.Status(); s.Fingerprint != first.Fingerprint || len(s.Faults) != 1 {
		t.Errorf("%+v", s)
	}
}
