// Package memory keeps the process within the memory that it may use, and
// returns unused memory to the system.
package memory

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// The shares of the memory that the heap may use. The memory of a unit or
// container is for this process alone. The memory of a machine is also needed
// for other things, such as caching our files.
const (
	cgroupShare  = 0.9
	machineShare = 0.6
	// minMemoryLimit is the smallest limit, in bytes. With less, the garbage
	// collector would run all the time.
	minMemoryLimit = 256 << 20
)

// Limit sets the memory limit of the Go runtime from the limit of unit,
// container or machine, and returns it in bytes. GOMEMLIMIT takes precedence.
func Limit() (int64, error) {
	limit, err := memlimit.Set(memlimit.WithRatio(1), memlimit.WithMin(minMemoryLimit), memlimit.WithProvider(availableMemory))
	if err != nil {
		return limit, fmt.Errorf("memory limit: %w", err)
	}
	return limit, nil
}

// availableMemory returns the smaller of two sizes in bytes: the usable shares
// of the limit of the unit or container and of the memory of the machine. If
// one of them is unknown, it returns the other.
func availableMemory() (uint64, error) {
	machine, err := memlimit.ApplyRatio(memlimit.FromSystem, machineShare)()
	unit, none := memlimit.ApplyRatio(memlimit.FromCgroup, cgroupShare)()
	switch {
	case none != nil:
		return machine, err
	case err != nil:
		return unit, nil
	}
	return min(machine, unit), nil
}

const (
	// minReturned is the smallest amount of unused memory that is returned, in
	// bytes.
	minReturned   = 64 << 20
	checkInterval = 30 * time.Second
)

// Watch returns memory to the system after a burst of work, until ctx is done.
// The garbage collector would keep it for minutes, because it does not run while
// nothing is allocated. It calls report when the memory in use comes near the
// limit, and again when it no longer is.
func Watch(ctx context.Context, log *slog.Logger, report func(nearLimit bool)) error {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	var w idleDetector
	near := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := readUsage()
		if is := isNearLimit(now.live, uint64(debug.SetMemoryLimit(-1)), near); is != near {
			near = is
			report(near)
		}
		if w.hasIdleMemory(now) {
			debug.FreeOSMemory()
			w.recordReturn(readUsage())
			log.Debug("idle memory returned", "before", now.held, "after", w.inUse)
		}
	}
}

// isNearLimit reports whether the memory in use, as the last run of the garbage
// collector has found it, is more than nine tenths of the limit. Once it was, it
// is until it falls below eight tenths.
func isNearLimit(live, limit uint64, was bool) bool {
	if was {
		return live > limit/10*8
	}
	return live > limit/10*9
}

// memoryUsage is the memory that the heap holds, and the memory allocated since the
// start of the process, in bytes. live is what the last run of the garbage
// collector has found to be in use.
type memoryUsage struct{ held, allocated, live uint64 }

func readUsage() memoryUsage {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return memoryUsage{held: value(0) + value(1) + value(2), allocated: value(3), live: value(4)}
}

// idleDetector decides when the heap holds much unused memory.
type idleDetector struct {
	inUse         uint64 // bytes held after the last return of memory
	lastAllocated uint64 // bytes allocated until the last call of hasIdleMemory
}

// hasIdleMemory reports whether the heap holds much more memory than it needs. The
// need is the memory that was in use after the last return, and as much as was
// allocated since the last call, because memory that was just allocated will
// soon be needed again.
func (w *idleDetector) hasIdleMemory(now memoryUsage) bool {
	worked := now.allocated - w.lastAllocated
	w.lastAllocated = now.allocated
	return now.held > w.inUse+w.inUse/2+worked+minReturned
}

func (w *idleDetector) recordReturn(now memoryUsage) {
	w.inUse, w.lastAllocated = now.held, now.allocated
}
