package command_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"testing"
	"time"

	"trento/packaging/servertest"
)

func TestDemo(t *testing.T) {
	testDemo(t, servertest.Start(t, t.TempDir(), []string{"demo"}))
}

// TestDemoWithTLS checks that the hosts of the demo accept the certificate of the
// server, whatever it is.
func TestDemoWithTLS(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), []string{"demo"}, "TLS_SELF_SIGNED=true")
	p.HTTP = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	testDemo(t, p)
}

// testDemo waits for the hosts of the demo.
func testDemo(t *testing.T, p *servertest.Program) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	user := p.User()
	for len(user.Hosts()) < 50 {
		if ctx.Err() != nil {
			p.Kill()
			t.Fatalf("not 50 hosts after a minute:\n%s", p.Stderr)
		}
	}
	p.Stop(os.Interrupt)
}
