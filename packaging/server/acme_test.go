package server_test

import (
	"crypto/tls"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trento/packaging/servertest"
)

// TestACME obtains a certificate from an authority that checks the domain over
// TLS or HTTP. After a restart it is still used, without asking again.
func TestACME(t *testing.T) {
	const domain = "trento.example.com"
	for _, way := range []string{"TLS", "HTTP"} {
		t.Run(way, func(t *testing.T) {
			dir, port, other := t.TempDir(), servertest.FreePort(t), servertest.FreePort(t)
			environ := []string{"TLS_ACME_DOMAIN=" + domain, "TLS_ACME_EMAIL=basis@example.com"}
			var authority *servertest.Pebble
			if way == "TLS" {
				authority = servertest.StartPebble(t, other, port)
				environ = append(environ, "PORT="+port)
			} else {
				authority = servertest.StartPebble(t, port, other)
				environ = append(environ, "HTTP_REDIRECT_PORT="+port)
			}
			environ = append(environ, "TLS_ACME_DIRECTORY="+authority.Directory, "TLS_ACME_CA_FILE="+authority.CAFile)
			p := servertest.Start(t, dir, nil, environ...)
			handshake := func(c *tls.Config) error {
				conn, err := tls.Dial("tcp", p.Address(), c)
				if err == nil {
					conn.Close()
				}
				return err
			}
			if err := handshake(&tls.Config{InsecureSkipVerify: true}); err != nil {
				t.Errorf("before the first certificate: %v", err)
			}
			trusting := &tls.Config{RootCAs: authority.Roots, ServerName: domain}
			servertest.Soon(t, "the server has a certificate of the authority", func() bool { return handshake(trusting) == nil })
			err := filepath.WalkDir(filepath.Join(dir, "tls"), func(path string, e fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				info, err := e.Info()
				if err == nil && info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has mode %v", path, info.Mode())
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			p.Stop(os.Interrupt)
			if log := p.Stderr.String(); !strings.Contains(log, "a new TLS certificate is in use") || strings.Contains(log, "level=ERROR") {
				t.Errorf("log:\n%s", log)
			}

			authority.Stop()
			p = servertest.Start(t, dir, nil, environ...)
			if err := handshake(trusting); err != nil {
				t.Errorf("after a restart: %v", err)
			}
		})
	}
}

// TestUnreachableAuthority checks that the server starts with a self-signed
// certificate if the authority gives none, and says why.
func TestUnreachableAuthority(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil, "TLS_ACME_DOMAIN=trento.example.com", "TLS_ACME_DIRECTORY=https://localhost:"+servertest.FreePort(t)+"/dir")
	p.HTTP = clientOf(t, nil)
	p.HTTP.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	servertest.Soon(t, "the server has asked the authority", func() bool {
		_, answer, err := p.Client().Do("GET", "/api/healthz", nil)
		return err == nil && strings.Contains(string(answer), `"certificate":"fail"`)
	})
	p.Stop(os.Interrupt)
	if log := p.Stderr.String(); strings.Count(log, "the authority gave no certificate for trento.example.com") != 1 || !strings.Contains(log, "connection refused") {
		t.Errorf("log:\n%s", log)
	}
}
