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

// The parts of what there is that the garbage collector may let the heap grow
// to. A unit or container is ours alone; a machine has other uses, the cache
// of our own files among them.
const (
	partOfCgroup  = 0.9
	partOfMachine = 0.6
	// leastLimit keeps the collector from running all the time where there is
	// hardly any memory.
	leastLimit = 256 << 20
)

// Limit sets the limit of Go's memory from what the unit, container or machine
// allows, and returns it in bytes. GOMEMLIMIT goes before it.
func Limit() (int64, error) {
	limit, err := memlimit.Set(memlimit.WithRatio(1), memlimit.WithMin(leastLimit), memlimit.WithProvider(allowed))
	if err != nil {
		return limit, fmt.Errorf("memory limit: %w", err)
	}
	return limit, nil
}

// allowed is the smaller of what the unit and what the machine allow. A unit
// without a limit, or a system without units, is no reason to have none.
func allowed() (uint64, error) {
	machine, err := memlimit.ApplyRatio(memlimit.FromSystem, partOfMachine)()
	unit, none := memlimit.ApplyRatio(memlimit.FromCgroup, partOfCgroup)()
	switch {
	case none != nil:
		return machine, err
	case err != nil:
		return unit, nil
	}
	return min(machine, unit), nil
}

const (
	// worthReturning is how much unused memory is worth a collection.
	worthReturning = 64 << 20
	checkInterval  = 30 * time.Second
)

// ReturnIdle returns memory to the system that a burst of work has left
// behind, until ctx is done. The collector itself would keep it for minutes,
// since nothing allocates that would make it run.
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
			log.Debug("idle memory returned", "before", now.held, "after", w.floor)
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

// watcher remembers how the memory was when it was looked at last.
type watcher struct {
	floor     uint64 // held after the last return: what is really in use
	allocated uint64
}

// idle reports whether much more is held than was in use, and than the work
// since the last look has needed: where there is work, it will need the memory
// again.
func (w *watcher) idle(now use) bool {
	worked := now.allocated - w.allocated
	w.allocated = now.allocated
	return now.held > w.floor+w.floor/2+worked+worthReturning
}

func (w *watcher) returned(now use) { w.floor, w.allocated = now.held, now.allocated }
