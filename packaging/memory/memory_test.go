package memory

import (
	"context"
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "1GiB")
	if limit, err := Limit(); err != nil || limit != before {
		t.Errorf("with GOMEMLIMIT the limit is %d: %v; want %d", limit, err, before)
	}
}

// The smaller of the sizes of machine and unit is the limit, and a limit is
// always set.
func TestLimitOfTheMachine(t *testing.T) {
	limit, err := availableMemory()
	if err != nil || limit == 0 || limit > math.MaxInt64/2 {
		t.Errorf("allowed() = %d, %v", limit, err)
	}
}

// Memory that a burst leaves behind is idle when nothing needs it any more.
// Memory that is in use or will soon be needed is not idle.
func TestIdle(t *testing.T) {
	const MB = 1 << 20
	var w idleDetector
	for _, step := range []struct {
		name            string
		held, allocated uint64
		idle            bool
		after           uint64 // held after the return
	}{
		{"start", 20 * MB, 20 * MB, false, 0},
		{"a burst", 500 * MB, 600 * MB, false, 0},
		{"nothing after the burst", 500 * MB, 601 * MB, true, 30 * MB},
		{"still nothing", 30 * MB, 602 * MB, false, 0},
		{"some work", 100 * MB, 700 * MB, false, 0},
		{"more in use", 200 * MB, 701 * MB, true, 190 * MB},
		{"it stays in use", 230 * MB, 720 * MB, false, 0},
	} {
		now := memoryUsage{held: step.held, allocated: step.allocated}
		if got := w.hasIdleMemory(now); got != step.idle {
			t.Errorf("%s: idle is %v", step.name, got)
		}
		if step.idle {
			now.held = step.after
			w.recordReturn(now)
		}
	}
}

// The memory of a real burst is returned at the second check at the latest.
func TestWatchReturnsIdleMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		go Watch(ctx, slog.New(slog.DiscardHandler), func(bool) {})
		held := burst()
		time.Sleep(2*checkInterval + time.Second)
		synctest.Wait()
		if now := readUsage().held; now+3*minReturned > held {
			t.Errorf("%d bytes were held, and %d still are", held, now)
		}
		stop()
	})
}

// burst uses much memory for a moment and returns the usage at that moment.
func burst() uint64 {
	memory := make([]byte, 4*minReturned)
	for page := 0; page < len(memory); page += os.Getpagesize() {
		memory[page] = 1 // or the system would not give it
	}
	held := readUsage().held
	runtime.KeepAlive(memory)
	return held
}

func TestNearLimit(t *testing.T) {
	for _, test := range []struct {
		live uint64
		was  bool
		want bool
	}{{100, false, false}, {900, false, false}, {901, false, true}, {850, true, true}, {800, true, false}, {2000, false, true}} {
		if got := isNearLimit(test.live, 1000, test.was); got != test.want {
			t.Errorf("isNearLimit(%d of 1000, %t) = %t", test.live, test.was, got)
		}
	}
}
