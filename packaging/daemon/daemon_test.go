package daemon

import (
	"context"
	"errors"
	"syscall"
	"testing"
)

func TestRunEndsWithServe(t *testing.T) {
	failed := errors.New("listener died")
	for _, want := range []error{nil, failed} {
		got := Run(t.Context(), func(context.Context) error { return want })
		if !errors.Is(got, want) {
			t.Errorf("Run() = %v, want %v", got, want)
		}
	}
}

func TestRunStops(t *testing.T) {
	shutdown := errors.New("shutdown took too long")
	tests := []struct {
		name string
		stop func(cancel context.CancelFunc) error
	}{
		{"by its context", func(cancel context.CancelFunc) error { cancel(); return nil }},
		{"by SIGTERM", func(context.CancelFunc) error { return syscall.Kill(syscall.Getpid(), syscall.SIGTERM) }},
		{"by SIGINT", func(context.CancelFunc) error { return syscall.Kill(syscall.Getpid(), syscall.SIGINT) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := newProgram(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return shutdown
			})
			defer p.stop()
			if err := p.Start(nil); err != nil {
				t.Fatal(err)
			}
			if err := test.stop(cancel); err != nil {
				t.Fatal(err)
			}
			p.wait()
			if err := p.Stop(nil); !errors.Is(err, shutdown) {
				t.Errorf("Stop() = %v, want the error of serve", err)
			}
		})
	}
}
