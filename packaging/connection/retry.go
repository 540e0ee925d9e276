package connection

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// retryDelay is how long Accept waits before it tries again.
const retryDelay = 100 * time.Millisecond

// retryingListener is a listener that goes on when the process or the machine has no
// file descriptors or memory for another connection.
type retryingListener struct {
	net.Listener
	refuse func(net.Conn)
	report func(error)

	mu        sync.Mutex // several goroutines may accept
	spareFile *os.File   // given up to refuse a connection; nil if it could not be opened
	failing   bool
}

// Retry returns a listener whose Accept does not fail while the process has too
// many open files. It then accepts connections only to refuse them, so that
// clients do not wait in vain. refuse may say so to the client; the listener
// closes the connection. report is called with the error when that begins, and
// with nil when a connection could be accepted again.
func Retry(l net.Listener, refuse func(net.Conn), report func(error)) net.Listener {
	r := &retryingListener{Listener: l, refuse: refuse, report: report}
	r.reserve()
	return r
}

// reserve opens a spare file. Closing it gives back a descriptor when the process
// has none left to accept a connection.
func (l *retryingListener) reserve() {
	if l.spareFile == nil {
		l.spareFile, _ = os.Open(os.DevNull) // tried again after the next connection
	}
}

// Accept implements net.Listener.
func (l *retryingListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if isExhausted(err) {
			l.note(err)
			c, err = l.acceptWithSpareFile()
		}
		switch {
		case err != nil && !isExhausted(err):
			return nil, err
		case c != nil:
			l.note(nil)
			return c, nil
		}
	}
}

func isExhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// note reports if accepting begins to fail or works again.
func (l *retryingListener) note(err error) {
	l.mu.Lock()
	changed := l.failing != (err != nil)
	l.failing = err != nil
	if err == nil {
		l.reserve()
	}
	l.mu.Unlock()
	if changed {
		l.report(err)
	}
}

// acceptWithSpareFile gives up the reserved file for the next connection. If another
// file can be reserved by then, it returns the connection, else it refuses it.
func (l *retryingListener) acceptWithSpareFile() (net.Conn, error) {
	l.mu.Lock()
	if l.spareFile == nil {
		l.reserve()
		l.mu.Unlock()
		time.Sleep(retryDelay)
		return nil, nil
	}
	l.spareFile.Close()
	l.spareFile = nil
	l.mu.Unlock()
	c, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reserve(); err != nil || l.spareFile != nil {
		return c, err
	}
	l.refuse(c)
	c.Close()
	l.reserve()
	return nil, nil
}

// Close implements net.Listener. It also closes the reserved file
// descriptor.
func (l *retryingListener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spareFile != nil {
		l.spareFile.Close()
	}
	return err
}
