package kv

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"trento/store/failure"
	"trento/store/fault"
)

// A damaged page shows itself in three ways. bbolt panics if it finds a page
// that makes no sense. Reading the mapped file faults if the disk cannot read a
// page (SIGBUS), which would end the process. A page that is whole but holds
// wrong bytes makes documents that cannot be decoded. All three become faults of
// the kind fault.Damaged, so that what is not damaged can still be read.

// Damaged returns the fault of data that cannot be read.
func Damaged(cause error) error {
	return &fault.Error{Kind: fault.Damaged, Cause: fmt.Errorf("%w: %w", ErrDamaged, cause)}
}

// Guard runs fn and turns a panic about a damaged page into a fault of the kind
// fault.Damaged. Other panics go on. A goroutine that uses the transaction of
// another goroutine must use Guard itself.
func Guard(fn func() error) (err error) {
	defer catchDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return fn()
}

// catchDamage is deferred. It turns a panic about a damaged page into an error.
func catchDamage(err *error) {
	p := recover()
	if p == nil {
		return
	}
	if !isAboutDamage(p) {
		panic(p)
	}
	*err = Damaged(fmt.Errorf("%v", p))
}

// disorder is the panic of a scan that finds keys out of order. In a damaged file
// it might never end.
type disorder struct{ before, after []byte }

func (d disorder) String() string { return fmt.Sprintf("key %x after %x", d.after, d.before) }

// checkOrder panics if a key does not follow the key before it; nil if there is
// none.
func checkOrder(before, after []byte) {
	if before != nil && bytes.Compare(before, after) >= 0 {
		panic(disorder{before, after})
	}
}

// isAboutDamage reports whether the panic that was just recovered is about the
// file: a memory fault outside the program's own memory, or a panic in bbolt.
func isAboutDamage(p any) bool {
	switch p.(type) {
	case disorder, interface{ Addr() uintptr }:
		return true
	}
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers[:])])
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicked = true
		case panicked && !strings.HasPrefix(frame.Function, "runtime."):
			return strings.HasPrefix(frame.Function, "go.etcd.io/bbolt")
		}
		if !more {
			return false
		}
	}
}

// noteDamage adds damage that an error is about to the failures.
func (db *DB) noteDamage(err error) error {
	if kind, ok := fault.KindOf(err); ok && kind == fault.Damaged {
		db.failures.Begin(failure.Data, failure.Cause{}, err)
	}
	return err
}

// NoteDamage adds damage to the failures. It is for data that a caller skips.
func (tx *Tx) NoteDamage(err error) { _ = tx.db.noteDamage(err) }
