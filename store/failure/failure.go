// Package failure lists what does not work at the moment: since when, why, and
// what to do about it. Whoever finds out that something fails, or works again,
// tells the [List] of the server. The log, the answer of /api/readyz, a banner
// of the console and the watchdog are about what it holds.
package failure

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Kind is a kind of failure, by what does not work.
type Kind uint8

// The kinds of failures.
const (
	Writing     Kind = iota // changes cannot be stored
	Data                    // part of the stored data cannot be read
	SlowDisk                // storing a change takes very long
	Index                   // the search index cannot be read or written
	Connections             // connections cannot be accepted
	Memory                  // the memory that the server may use is used up
	Syslog                  // the activity log cannot be forwarded to the syslog server
	OTLP                    // the activity log cannot be forwarded to the OpenTelemetry receiver
)

// definition says what a kind of failure means.
type definition struct {
	name     string // in answers of the API
	critical bool
	unready  bool // the server cannot do what it is for
	text     string
	advice   string // what to do about it, if the cause is not known better
}

var definitions = map[Kind]definition{
	Writing: {
		"writing", true, true, "Changes cannot be stored.",
		"What is stored can be read. Agents send their reports again.",
	},
	Data: {
		"data", true, true, "Part of the stored data cannot be read.",
		"Stop the server and restore a backup. The log names what is damaged.",
	},
	SlowDisk: {
		"slow_disk", false, false, "The disk of the server is very slow.",
		"Find out what else uses the disk of the data directory, or move the data directory to another disk.",
	},
	Index: {
		"index", false, false, "The search index cannot be used.",
		"Searches of the activity log are complete, but slower. The index is built again by itself.",
	},
	Connections: {
		"connections", true, true, "New connections cannot be accepted.",
		"Raise LimitNOFILE= of the service, and restart it when that is possible.",
	},
	Memory: {
		"memory", false, false, "The server uses nearly all of the memory that it may use.",
		"It becomes slow. Raise MemoryMax= of the service, or GOMEMLIMIT.",
	},
	Syslog: {
		"syslog", false, false, "The activity log cannot be forwarded to the syslog server.",
		"Nothing is lost: entries are sent as soon as that is possible. Look at the syslog server, and at FORWARD_SYSLOG_URL.",
	},
	OTLP: {
		"otlp", false, false, "The activity log cannot be forwarded to the OpenTelemetry receiver.",
		"Nothing is lost: entries are sent as soon as that is possible. Look at the receiver, and at FORWARD_OTLP_URL.",
	},
}

// Failure is something that does not work.
type Failure struct {
	Kind   Kind
	Since  time.Time
	Cause  Cause
	Detail error // for the log only: it can name files
}

// Cause says why something fails, for everybody.
type Cause struct {
	Text   string // a sentence; "" if it is not known
	Advice string // what to do about this cause; "" if it is not known
}

// Name returns the name of the kind in answers of the API.
func (f Failure) Name() string { return definitions[f.Kind].name }

// Critical reports whether people have to do something soon.
func (f Failure) Critical() bool { return definitions[f.Kind].critical }

// Text says what does not work, and why.
func (f Failure) Text() string {
	text := definitions[f.Kind].text
	if f.Cause.Text != "" {
		text += " " + f.Cause.Text
	}
	return text
}

// Advice says what to do.
func (f Failure) Advice() string {
	general := definitions[f.Kind].advice
	switch {
	case f.Cause.Advice == "":
		return general
	case f.Kind == Writing, f.Kind == Index:
		return f.Cause.Advice + " " + general
	}
	return f.Cause.Advice
}

// Names returns the names of all kinds, in their order.
func Names() []string {
	var names []string
	for _, kind := range slices.Sorted(maps.Keys(definitions)) {
		names = append(names, definitions[kind].name)
	}
	return names
}

// Past is a failure that has ended.
type Past struct {
	Failure
	Until time.Time
}

// maxPast limits the failures that have ended and were not taken.
const maxPast = 100

// List is the list of all failures of a server. Its methods can be used by
// several goroutines.
type List struct {
	log *slog.Logger
	now func() time.Time

	mu        sync.Mutex
	present   map[Kind]Failure
	past      []Past
	changes   int
	listeners []func()
}

// NewList returns a list without failures.
func NewList(log *slog.Logger, now func() time.Time) *List {
	return &List{log: log, now: now, present: make(map[Kind]Failure)}
}

// Begin says that something fails. It does nothing if that is known with the
// same cause.
func (l *List) Begin(kind Kind, cause Cause, detail error) {
	l.mu.Lock()
	defer l.notify(l.changes)
	defer l.mu.Unlock()
	f, known := l.present[kind]
	if known && f.Cause == cause {
		return
	}
	if !known {
		f = Failure{Kind: kind, Since: l.now()}
	}
	f.Cause, f.Detail = cause, detail
	l.present[kind] = f
	l.changes++
	level := slog.LevelWarn
	if f.Critical() {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, f.Text(), "failure", f.Name(), "advice", f.Advice(), "error", detail)
}

// End says that something works. It does nothing if it did not fail.
func (l *List) End(kind Kind) {
	l.mu.Lock()
	defer l.notify(l.changes)
	defer l.mu.Unlock()
	f, known := l.present[kind]
	if !known {
		return
	}
	delete(l.present, kind)
	l.changes++
	now := l.now()
	if len(l.past) == maxPast {
		l.past = l.past[1:]
	}
	l.past = append(l.past, Past{f, now})
	l.log.Warn("This has ended: "+f.Text(), "failure", f.Name(), "since", f.Since, "lasted", now.Sub(f.Since).Round(time.Millisecond))
}

// OnChange makes the list call fn after every change.
func (l *List) OnChange(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners = append(l.listeners, fn)
}

// notify calls the listeners if the list has changed since before.
func (l *List) notify(before int) {
	l.mu.Lock()
	changed, listeners := l.changes != before, l.listeners
	l.mu.Unlock()
	if changed {
		for _, fn := range listeners {
			fn()
		}
	}
}

// Changes returns how often the list has changed.
func (l *List) Changes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// Has reports whether something fails.
func (l *List) Has(kind Kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.present[kind]
	return known
}

// Present returns what fails now, in the order of the kinds.
func (l *List) Present() []Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Failure, 0, len(l.present))
	for _, f := range l.present {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Failure) int { return cmp.Compare(a.Kind, b.Kind) })
	return all
}

// Past returns the failures of a kind that have ended, until Forget.
func (l *List) Past(kind Kind) (past []Past) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.past {
		if p.Kind == kind {
			past = append(past, p)
		}
	}
	return past
}

// Forget removes the failures of a kind that began at a time or before and have
// ended.
func (l *List) Forget(kind Kind, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past = slices.DeleteFunc(l.past, func(p Past) bool { return p.Kind == kind && !p.Since.After(since) })
}

// Ready reports whether the server can do what it is for.
func (l *List) Ready() bool {
	return !slices.ContainsFunc(l.Present(), func(f Failure) bool { return definitions[f.Kind].unready })
}
