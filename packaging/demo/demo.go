// Package demo gives a demo its past: thirty days of an invented landscape, and
// of the people who run it.
//
// The past is not written into the file. It happens: a store is opened whose
// clock stands at the beginning, the landscape reports to it, people sign in and
// change things, and the clock is moved on from one moment to the next. So every
// entry of the log, every tag and every alert is there for the reason for which
// it would be there on a real server. When the past has arrived at the present,
// the store is closed, and the server opens it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"trento/auth"
	"trento/packaging/config"
	"trento/store"
	"trento/store/discovery"
	"trento/store/discovery/fleet"
	"trento/store/landscape"
)

// Options are what MakePast needs.
type Options struct {
	Config  config.Config // with the data directory
	Program string        // version of the program that will open it
	Hosts   int           // number of hosts of the landscape
	Now     time.Time
}

// historyLength is how far the past goes back: about as far as the activity log is kept.
const historyLength = 30 * 24 * time.Hour

// history is the past while it happens.
type history struct {
	ctx       context.Context
	store     *store.Store
	auth      *auth.Auth
	fleet     *fleet.Fleet
	clock     clock
	end       time.Time
	admin     string                    // user name of the default admin
	installed map[landscape.HostID]bool // hosts with an agent
}

// clock is the clock of the store.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set moves the clock on. A clock never goes back.
func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.now) {
		c.now = now
	}
}

// MakePast creates the data directory of a demo with its past, and returns the
// landscape as it is at the end.
func MakePast(ctx context.Context, o Options) (f *fleet.Fleet, err error) {
	p := &history{ctx: ctx, fleet: fleet.New(fleet.DefaultSeed, o.Hosts), end: o.Now.Truncate(time.Second)}
	p.fleet.Still = true // run times mean nothing, and nobody has seen them
	p.clock.set(p.end.Add(-historyLength))
	// Nobody misses a demo after a power failure.
	p.store, err = store.Open(o.Config.DataDir, store.Options{Now: p.clock.Now, NoSync: true, Program: o.Program})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	if err := p.openAuth(o.Config); err != nil {
		return nil, err
	}
	if err := p.playMoments(story(p.admin, p.end.Add(-historyLength), p.end)); err != nil {
		return nil, err
	}
	p.clock.set(p.end)
	return p.fleet, errors.Join(p.sendHeartbeats(), p.store.PruneSessions(ctx))
}

// openAuth creates the default admin with the password that the server will
// print.
func (p *history) openAuth(c config.Config) (err error) {
	if c, err = c.WithSecrets(); err != nil {
		return err
	}
	p.auth, err = auth.New(auth.Options{
		Store: p.store, AdminUser: c.AdminUser, EnableAPIKey: c.EnableAPIKey, SessionLifetime: sessionLifetime,
		Secrets: auth.Secrets{Base: c.KeyBase(), Access: []byte(c.AccessSecret), Refresh: []byte(c.RefreshSecret)},
	})
	if err == nil {
		_, err = p.auth.EnsureAdmin(p.ctx, auth.Admin{Email: c.AdminEmail, Password: string(c.AdminPassword)}, c.DataDir)
	}
	p.admin = store.NormalUsername(c.AdminUser)
	return err
}

// moment is something that happens at a time.
type moment struct {
	at time.Time
	do func(*history) error
}

// playMoments lets all moments happen in the order of their times, with what follows
// from them in the landscape.
func (p *history) playMoments(moments []moment) error {
	slices.SortStableFunc(moments, func(a, b moment) int { return a.at.Compare(b.at) })
	for _, m := range moments {
		for next, ok := p.fleet.NextChange(); ok && next.Before(m.at); next, ok = p.fleet.NextChange() {
			if err := p.moveTo(next); err != nil {
				return err
			}
		}
		if err := p.moveTo(m.at); err != nil {
			return err
		}
		if err := m.do(p); err != nil {
			return fmt.Errorf("%s: %w", m.at.Format(time.DateTime), err)
		}
		if err := p.moveTo(m.at); err != nil {
			return err
		}
	}
	return nil
}

// moveTo moves the time on: agents send heartbeats, the silent ones are
// noticed, and what has changed is reported.
func (p *history) moveTo(at time.Time) error {
	p.clock.set(at)
	changed := p.fleet.Advance(p.clock.Now())
	if err := errors.Join(p.sendHeartbeats(), p.store.MarkLostHosts(p.ctx)); err != nil {
		return err
	}
	for _, h := range changed {
		if err := p.report(h); err != nil {
			return err
		}
	}
	return nil
}

// sendHeartbeats sends the heartbeats of all hosts that are registered and up.
func (p *history) sendHeartbeats() error {
	now := p.clock.Now()
	for _, h := range p.fleet.Hosts() {
		if beats, _ := p.fleet.Sends(h, now); !beats {
			continue
		}
		if err := p.store.Heartbeat(p.ctx, h.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// report sends the reports of a host that is registered and up, as the API would
// receive them.
func (p *history) report(h *fleet.Host) error {
	if _, reports := p.fleet.Sends(h, p.clock.Now()); !reports || !p.isInstalled(h) {
		return nil
	}
	for _, r := range h.Reports() {
		if p.store.Unchanged(r.Body) {
			continue
		}
		envelope, err := discovery.Open(r.Body)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", r.Kind, h.Name, err)
		}
		seen, err := discovery.Decode(envelope)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", r.Kind, h.Name, err)
		}
		// The thing that a report is about may be reported later.
		if err := p.store.Observe(p.ctx, store.Report{Observation: seen, Body: r.Body}); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s of %s: %w", r.Kind, h.Name, err)
		}
	}
	return nil
}
