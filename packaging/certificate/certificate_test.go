package certificate

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"trento/packaging/servertest"
)

// test is the surroundings of a Keeper.
type test struct {
	*testing.T
	now       time.Time
	log       strings.Builder
	dir       string
	cert, key string // files
	authority *servertest.Authority
}

func newTest(t *testing.T) *test {
	dir := t.TempDir()
	return &test{
		T: t, now: time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC), dir: dir, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"),
		authority: servertest.NewAuthority(t),
	}
}

func (x *test) write(file string, content []byte) {
	x.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		x.Fatal(err)
	}
}

// install issues a certificate for 90 days and writes it to the files.
func (x *test) install(name string) {
	x.Helper()
	cert, key := x.authority.Issue(name, x.now.Add(-time.Hour), x.now.AddDate(0, 0, 90))
	x.write(x.cert, cert)
	x.write(x.key, key)
}

func (x *test) options() Options {
	return Options{
		CertFile: x.cert, KeyFile: x.key, Directory: filepath.Join(x.dir, "tls"), Now: func() time.Time { return x.now }, Log: slog.New(slog.NewTextHandler(&x.log, nil)),
		Names: func(context.Context) ([]string, []net.IP) {
			return []string{"trento.example.com", "localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
		},
	}
}

func (x *test) selfSigned() Options {
	o := x.options()
	o.CertFile, o.KeyFile, o.SelfSigned = "", "", true
	return o
}

func (x *test) load(o Options) *Keeper {
	x.Helper()
	k, err := New(o)
	if err == nil {
		err = k.Load(x.Context())
	}
	if err != nil {
		x.Fatal(err)
	}
	return k
}

// echo serves a listener with the certificate: each connection gets back what it
// sends.
func (x *test) echo(k *Keeper) (address string) {
	x.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", k.ServerConfig())
	if err != nil {
		x.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	x.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// dial connects as a client that trusts the authority, and knows the time of the
// test.
func (x *test) dial(address, name string) (*tls.Conn, error) {
	c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: x.authority.Roots, ServerName: name, Time: func() time.Time { return x.now }})
	if err == nil {
		x.Cleanup(func() { c.Close() })
	}
	return c, err
}

// ping sends something over a connection and waits for it to come back.
func ping(c net.Conn) error {
	if _, err := io.WriteString(c, "ping"); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 4))
	return err
}

// TestReplacedFiles replaces the files while a connection is open. It stays
// open, and later connections get the new certificate.
func TestReplacedFiles(t *testing.T) {
	x := newTest(t)
	x.install("old.example.com")
	k := x.load(x.options())
	address := x.echo(k)
	open, err := x.dial(address, "old.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := ping(open); err != nil {
		t.Fatal(err)
	}

	x.install("new.example.com")
	k.Renew(t.Context())
	if _, err := x.dial(address, "new.example.com"); err != nil {
		t.Error(err)
	}
	if _, err := x.dial(address, "old.example.com"); err == nil {
		t.Error("the old certificate is still given out")
	}
	if err := ping(open); err != nil {
		t.Errorf("the open connection: %v", err)
	}
	if !strings.Contains(x.log.String(), "a new TLS certificate is in use") || !strings.Contains(x.log.String(), "new.example.com") {
		t.Errorf("log:\n%s", &x.log)
	}
}

// TestReplacedLink replaces a symbolic link to a directory, as Kubernetes does.
func TestReplacedLink(t *testing.T) {
	x := newTest(t)
	link := filepath.Join(x.dir, "link")
	o := x.options()
	o.CertFile, o.KeyFile = filepath.Join(link, "cert.pem"), filepath.Join(link, "key.pem")
	var k *Keeper
	for _, name := range []string{"old.example.com", "new.example.com"} {
		dir := filepath.Join(x.dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		x.cert, x.key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		x.install(name)
		if err := os.Symlink(dir, link+"-new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+"-new", link); err != nil {
			t.Fatal(err)
		}
		if k == nil {
			k = x.load(o)
		}
		k.Renew(t.Context())
		if got := k.Status().Names; len(got) != 1 || got[0] != name {
			t.Errorf("names %v, want %s", got, name)
		}
	}
}

// TestUnusableReplacement checks that the present certificate stays in use if
// the new files cannot be used, that this is said once in the log, and that the
// fault ends when they can.
func TestUnusableReplacement(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*test)
		want  string
	}{
		{"no certificate", func(x *test) { os.Remove(x.cert) }, "TLS_CERT_FILE"},
		{"no key", func(x *test) { os.Remove(x.key) }, "TLS_KEY_FILE"},
		{"empty", func(x *test) { x.write(x.cert, nil) }, "cannot be used"},
		{"key of another certificate", func(x *test) {
			_, key := x.authority.Issue("new.example.com", x.now, x.now.AddDate(0, 0, 90))
			x.write(x.key, key)
		}, "private key does not match"},
		{"expired", func(x *test) {
			cert, key := x.authority.Issue("new.example.com", x.now.AddDate(0, 0, -90), x.now.AddDate(0, 0, -1))
			x.write(x.cert, cert)
			x.write(x.key, key)
		}, "has expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newTest(t)
			x.install("old.example.com")
			k := x.load(x.options())
			address := x.echo(k)
			tt.spoil(x)
			for range 3 {
				k.Renew(t.Context())
			}
			if _, err := x.dial(address, "old.example.com"); err != nil {
				t.Error(err)
			}
			if faults := strings.Join(k.Status().Faults, "\n"); !strings.Contains(faults, tt.want) {
				t.Errorf("faults %q, want %q", faults, tt.want)
			}
			if got := strings.Count(x.log.String(), "level=ERROR"); got != 1 || !strings.Contains(x.log.String(), tt.want) {
				t.Errorf("%d errors in the log:\n%s", got, &x.log)
			}
			x.install("new.example.com")
			k.Renew(t.Context())
			if s := k.Status(); len(s.Faults) > 0 || s.Names[0] != "new.example.com" {
				t.Errorf("at the end: %+v", s)
			}
		})
	}
}

// TestUnusableFiles checks that a start says what is wrong with the files.
func TestUnusableFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*test)
		want  []string
	}{
		{"no certificate", func(x *test) { os.Remove(x.cert) }, []string{"TLS_CERT_FILE", "cert.pem", "no such file"}},
		{"no key", func(x *test) { os.Remove(x.key) }, []string{"TLS_KEY_FILE", "key.pem", "no such file"}},
		{"no PEM", func(x *test) { x.write(x.cert, []byte("hello")) }, []string{"TLS_CERT_FILE", "cert.pem", "failed to find any PEM data"}},
		{"exchanged", func(x *test) { os.Rename(x.cert, x.key) }, []string{"TLS_CERT_FILE"}},
		{"key of another certificate", func(x *test) {
			_, key := x.authority.Issue("x.example.com", x.now, x.now.AddDate(0, 0, 90))
			x.write(x.key, key)
		}, []string{"TLS_CERT_FILE", "TLS_KEY_FILE", "private key does not match"}},
		{"encrypted key", func(x *test) {
			x.write(x.key, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n"))
		}, []string{"TLS_KEY_FILE", "encrypted with a password", "openssl pkey"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newTest(t)
			x.install("trento.example.com")
			tt.spoil(x)
			k, err := New(x.options())
			if err == nil {
				err = k.Load(t.Context())
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
		})
	}
}

// TestFaults checks what is said about a certificate that can be used.
func TestFaults(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name             string
		since, remaining time.Duration
		host             string
		want             string
	}{
		{"valid", day, 90 * day, "trento.example.com", ""},
		{"no host known", day, 90 * day, "", ""},
		{"two weeks left", 76 * day, 14*day + 30*time.Hour, "", ""},
		{"less left", 76 * day, 14*day - time.Hour, "", "it expires on 3 Sep 2026 09:00 UTC"},
		{"short life", 2 * day, 4 * day, "", ""},
		{"end of a short life", 5 * day, day, "", "it expires on 21 Aug 2026 10:00 UTC"},
		{"expired", 90 * day, -day, "", "it has expired on 19 Aug 2026 10:00 UTC"},
		{"not valid yet", -day, 90 * day, "", "it is valid only from 21 Aug 2026 10:00 UTC on"},
		{"other host", day, 90 * day, "sap.example.com", "it is not for sap.example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newTest(t)
			cert, key := x.authority.Issue("trento.example.com", x.now.Add(-tt.since), x.now.Add(tt.remaining))
			x.write(x.cert, append(cert, key...))
			o := x.options()
			o.KeyFile, o.Host = x.cert, tt.host
			k := x.load(o)
			faults := k.Status().Faults
			if tt.want == "" && len(faults) > 0 || tt.want != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0], tt.want)) {
				t.Errorf("faults %q, want %q", faults, tt.want)
			}
			for range 25 { // hours
				k.Renew(t.Context())
				x.now = x.now.Add(time.Hour)
			}
			warnings := strings.Count(x.log.String(), "level=WARN")
			if tt.want == "" && warnings > 0 || tt.want != "" && (warnings > 2 || !strings.Contains(x.log.String(), tt.want)) {
				t.Errorf("%d warnings in 25 hours:\n%s", warnings, &x.log)
			}
			if strings.Contains(x.log.String(), "PRIVATE") {
				t.Error("the key is in the log")
			}
		})
	}
}

// TestName checks which host name is recommended to agents.
func TestName(t *testing.T) {
	x := newTest(t)
	for name, want := range map[string]string{
		"vmtrento": "vmtrento", "trento.example.com": "trento.example.com", "*.example.com": "vmtrento",
	} {
		x.install(name)
		if got := x.load(x.options()).Name("vmtrento"); got != want {
			t.Errorf("certificate for %s: %s, want %s", name, got, want)
		}
	}
}

// TestClientConfig checks that a client in this process accepts the present
// certificate and no other.
func TestClientConfig(t *testing.T) {
	x := newTest(t)
	x.install("trento.example.com")
	k := x.load(x.options())
	address := x.echo(k)
	connect := func(c *tls.Config) error {
		conn, err := tls.Dial("tcp", address, c)
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := connect(k.ClientConfig()); err != nil {
		t.Error(err)
	}
	x.install("trento.example.com")
	if err := connect(x.load(x.options()).ClientConfig()); err == nil {
		t.Error("another certificate for the same name is accepted")
	}
}

// TestVersions checks that clients need TLS 1.2 at least.
func TestVersions(t *testing.T) {
	x := newTest(t)
	x.install("trento.example.com")
	k := x.load(x.options())
	address := x.echo(k)
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c := k.ClientConfig()
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, version
		conn, err := tls.Dial("tcp", address, c)
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
}
