// Package memory keeps the process within the memory it was given and returns
// what it no longer uses.
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

// The shares of the memory that the heap may grow to. A unit or container is ours
// alone. A machine has other uses, such as the cache of our own files.
const (
	cgroupShare  = 0.9
	machineShare = 0.6
	// minLimit keeps the collector from running all the time on a machine with
	// little memory.
	minLimit = 256 << 20
)

// Limit sets the limit of Go's memory from what the unit, container or machine
// allows, and returns it in bytes. GOMEMLIMIT goes before it.
func Limit() (int64, error) {
	limit, err := memlimit.Set(memlimit.WithRatio(1), memlimit.WithMin(minLimit), memlimit.WithProvider(availableMemory))
	if err != nil {
		return limit, fmt.Errorf("memory limit: %w", err)
	}
	return limit, nil
}

// availableMemory returns the smaller of what the unit and what the machine allow.
// A unit without a limit, or a system without units, leaves the machine's limit.
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
	// minReturned is the unused memory, in bytes, from which on it is returned.
	minReturned   = 64 << 20
	checkInterval = 30 * time.Second
)

// ReturnIdle returns memory to the system after a burst of work, until ctx is
// done. The collector itself would keep it for minutes, since it does not run
// while nothing allocates.
func ReturnIdle(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	var w watcher
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := readUse(); w.idle(now) {
			debug.FreeOSMemory()
			w.returned(readUse())
			log.Debug("idle memory returned", "before", now.held, "after", w.inUse)
		}
	}
}

// use is what the heap holds of the system's memory and what was allocated
// since the process started, in bytes.
type use struct{ held, allocated uint64 }

func readUse() use {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return use{held: value(0) + value(1) + value(2), allocated: value(3)}
}

// watcher compares the use of memory with the one before.
type watcher struct {
	inUse     uint64 // held after memory was returned last
	allocated uint64
}

// idle reports whether much more is held than was in use and was allocated since
// the last call. Memory that work has used meanwhile will be used again.
func (w *watcher) idle(now use) bool {
	worked := now.allocated - w.allocated
	w.allocated = now.allocated
	return now.held > w.inUse+w.inUse/2+worked+minReturned
}

func (w *watcher) returned(now use) { w.inUse, w.allocated = now.held, now.allocated }
