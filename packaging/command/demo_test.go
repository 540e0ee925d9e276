package command_test

import (
	"bytes"
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

// testDemo waits for the hosts of the demo, and checks that its pages say what it
// is.
func testDemo(t *testing.T, p *servertest.Program) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	user := p.User()
	for len(user.Hosts()) < 49 { // one was cleaned up
		if ctx.Err() != nil {
			p.Kill()
			t.Fatalf("not 49 hosts after a minute:\n%s", p.Stderr)
		}
	}
	if _, page, err := user.Do(http.MethodGet, "/session/new", nil); err != nil || !bytes.Contains(page, []byte("Demo: invented data")) {
		t.Errorf("the page does not say that it is a demo (%v): %s", err, page)
	}
	p.Stop(os.Interrupt)
}
