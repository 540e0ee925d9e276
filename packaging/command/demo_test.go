package command_test

import (
	"context"
	"os"
	"testing"
	"time"

	"trento/packaging/servertest"
)

func TestDemo(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), []string{"demo"})
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
