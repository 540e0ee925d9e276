// Package daemon runs the server under the service manager of the machine:
// start and stop, the notifications that systemd expects from a service with
// Type=notify, and installing the service by hand.
package daemon

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/kardianos/service"
)

// Run calls serve and returns its error. It ends the context of serve when the
// process is told to stop (SIGTERM, SIGINT, or by the service manager) or ctx
// is done. A second signal ends the process at once.
//
// If serve returns by itself, Run returns as well. Otherwise the process would
// look alive but answer no requests.
func Run(ctx context.Context, serve func(context.Context) error) error {
	p := newProgram(ctx, serve)
	defer p.stop()
	s, err := service.New(p, &service.Config{
		Name:   serviceName,
		Option: service.KeyValue{"RunWait": p.wait},
	})
	if err != nil {
		return err
	}
	return s.Run()
}

// program is the interface of kardianos/service to serve.
type program struct {
	serve func(context.Context) error
	ctx   context.Context // context of serve; done at the first signal
	stop  func()          // ends ctx, and restores the default handling of signals
	ended chan struct{}   // closed when serve has returned
	err   error           // result of serve; only valid after ended is closed
}

func newProgram(ctx context.Context, serve func(context.Context) error) *program {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	return &program{serve: serve, ctx: ctx, stop: stop, ended: make(chan struct{})}
}

func (p *program) Start(service.Service) error {
	go func() {
		defer close(p.ended)
		p.err = p.serve(p.ctx)
	}()
	return nil
}

// wait returns when the process is told to stop or serve has returned. Without
// it, kardianos/service would wait for a signal even after serve has returned.
func (p *program) wait() {
	select {
	case <-p.ctx.Done():
	case <-p.ended:
	}
}

func (p *program) Stop(service.Service) error {
	p.stop()
	<-p.ended
	return p.err
}
