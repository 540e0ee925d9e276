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
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	user := p.User()
	for len(user.Hosts()) < 50 {
		if ctx.Err() != nil {
			t.Fatalf("only %d hosts after half a minute:\n%s", len(user.Hosts()), p.Stderr)
		}
	}
	p.Stop(os.Interrupt)
}
