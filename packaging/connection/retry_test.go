package connection_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"trento/packaging/connection"
)

// exhausted fails as many times as it is told to, and then returns connections.
type exhausted struct {
	net.Listener
	errs []error
}

func (l *exhausted) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		if err != nil {
			return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
		}
	}
	a, _ := net.Pipe()
	return a, nil
}

func (*exhausted) Close() error { return nil }

func TestRetry(t *testing.T) {
	broken := errors.New("broken")
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		var reports []error
		// The call after each error has the reserved file. There is room again
		// for another one, so its connection is returned.
		inner := &exhausted{errs: []error{errno, nil, nil, broken}}
		l := connection.Retry(inner, func(net.Conn) { t.Error("refused in spite of room") }, func(err error) { reports = append(reports, err) })
		for range 2 {
			if _, err := l.Accept(); err != nil {
				t.Fatal(err)
			}
		}
		if len(reports) != 2 || !errors.Is(reports[0], errno) || reports[1] != nil {
			t.Errorf("%v: reported %v, want the error once, and once that it has ended", errno, reports)
		}
		if _, err := l.Accept(); !errors.Is(err, broken) {
			t.Errorf("another error: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
