package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"trento/packaging/client"
)

// Times between two looks at what is watched.
const (
	pollInterval   = 5 * time.Second // without events
	followInterval = time.Minute     // beside events, for what changes without one
	retryInterval  = 2 * time.Second // before a stream of events is opened again
	minInterval    = 500 * time.Millisecond
)

// watch prints the objects of a kind, and then each that is added, changed or
// removed, until the context ends. While the server does not answer it waits.
func watch(ctx context.Context, s *client.Server, k *kind, names []string, query url.Values, p *printer, stderr io.Writer) error {
	s.KeepAnswers()
	before, err := listChosen(ctx, s, k, names, query)
	if err != nil {
		return watchError(ctx, err)
	}
	if err := p.print(before, ""); err != nil {
		return err
	}
	w := reconnectWaiter{stderr: stderr}
	for range changes(ctx, s, k.topics) {
		items, err := k.list(ctx, s, query)
		if w.shouldWait(err) {
			continue
		} else if err != nil {
			return watchError(ctx, err)
		}
		if len(names) > 0 {
			items = slices.DeleteFunc(items, func(i item) bool { return !slices.Contains(names, i.name) && !slices.Contains(names, i.id) })
		}
		if err := p.printChanges(before, items); err != nil {
			return err
		}
		before = items
	}
	return nil
}

// changes tells when to look again, until the context ends: when the server has
// sent an event that names one of these kinds of things, and now and then. A
// server that sends no events is polled.
func changes(ctx context.Context, s *client.Server, topics []client.EventResourceKind) <-chan time.Time {
	looks := make(chan time.Time)
	happened := make(chan struct{}, 1)
	following := new(atomic.Bool)
	if topics != nil {
		go follow(ctx, s, topics, following, happened)
	}
	go func() {
		defer close(looks)
		for {
			interval := pollInterval
			if following.Load() {
				interval = followInterval
			}
			select {
			case <-ctx.Done():
				return
			case <-happened:
			case <-time.After(interval):
			}
			select {
			case <-ctx.Done():
				return
			case looks <- time.Now():
			}
			if !pause(ctx, minInterval) { // events that come together are one look
				return
			}
		}
	}()
	return looks
}

// follow keeps a stream of events open, and notes each event, its beginning and
// its end in happened.
func follow(ctx context.Context, s *client.Server, topics []client.EventResourceKind, following *atomic.Bool, happened chan<- struct{}) {
	params := new(client.StreamEventsParams)
	if len(topics) > 0 {
		params.Kind = &topics
	}
	note := func(open bool) {
		following.Store(open)
		select {
		case happened <- struct{}{}:
		default: // one is noted already
		}
	}
	for {
		err := s.FollowEvents(ctx, params, func() { note(true) })
		note(false) // the next answer says why the stream has ended
		if refusal, ok := errors.AsType[*client.Refusal](err); ok && refusal.Status != 429 && refusal.Status < 500 {
			return // the server has no events for this token
		}
		if !pause(ctx, retryInterval) {
			return
		}
	}
}

// watchError returns the error with which watching ends: none if the user has
// ended it.
func watchError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// pause waits. It returns false if the context ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// printChanges prints the items that differ from those before.
func (p *printer) printChanges(before, items []item) error {
	var added, changed, removed []item
	old := make(map[string]item, len(before))
	for _, i := range before {
		old[i.id] = i
	}
	for _, i := range items {
		was, known := old[i.id]
		delete(old, i.id)
		if !known {
			added = append(added, i)
		} else if p.differ(was, i) {
			changed = append(changed, i)
		}
	}
	for _, i := range before {
		if _, gone := old[i.id]; gone {
			removed = append(removed, i)
		}
	}
	for _, part := range []struct {
		change string
		items  []item
	}{{"added", added}, {"changed", changed}, {"removed", removed}} {
		if len(part.items) > 0 {
			if err := p.print(part.items, part.change); err != nil {
				return err
			}
		}
	}
	return nil
}

// differ reports whether two states of an object differ in what is printed.
func (p *printer) differ(a, b item) bool {
	if p.output == jsonOutput || p.output == yamlOutput {
		return !bytes.Equal(a.answer, b.answer)
	}
	return slices.ContainsFunc(p.shownColumns(), func(i int) bool { return a.cells[i] != b.cells[i] })
}

// followLog prints entries of the activity log as they come, until the context
// ends. newest is the cursor of the newest entry that was printed, nil if there
// was none.
func followLog(ctx context.Context, s *client.Server, params *client.ReadActivityLogParams, newest *string, p *printer, stderr io.Writer) error {
	w := reconnectWaiter{stderr: stderr}
	for range changes(ctx, s, []client.EventResourceKind{}) {
		for {
			page, size := *params, pageSize
			page.Before, page.Last = newest, &size
			if newest == nil { // everything is new
				page.Last, page.First = nil, &size
			}
			items, at, err := readLogPage(ctx, s, &page)
			if w.shouldWait(err) {
				break
			} else if err != nil {
				return watchError(ctx, err)
			}
			slices.Reverse(items)
			if err := p.print(items, ""); err != nil {
				return err
			}
			if at.StartCursor != nil {
				newest = at.StartCursor
			}
			if !at.HasPreviousPage {
				break
			}
		}
	}
	return nil
}

// reconnectWaiter prints a message once when the server stops answering, and
// not again at each attempt.
type reconnectWaiter struct {
	stderr       io.Writer
	disconnected bool
}

// shouldWait reports whether an error means that the server does not answer at
// present.
func (w *reconnectWaiter) shouldWait(err error) bool {
	_, away := errors.AsType[*client.Unreachable](err)
	if away && !w.disconnected {
		fmt.Fprintln(w.stderr, "trento-web:", err, "- waiting for it")
	}
	w.disconnected = away
	return away
}
