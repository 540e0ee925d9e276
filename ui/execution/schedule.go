package execution

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
)

// slot returns in which period of the schedule of a group a time is. The periods
// of the groups begin at different times, so that not all are run at once.
func slot(group string, at time.Time, interval time.Duration) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(group)) // never fails
	offset := time.Duration(h.Sum64() % uint64(interval))
	return at.Add(offset).UnixNano() / int64(interval)
}

// dueGroup is a cluster or host whose checks are to be run.
type dueGroup struct {
	kind check.SubjectKind
	id   string
}

// schedule starts the executions that are due. Groups whose last execution was
// in an earlier period are due, and those without any.
func (r *Runner) schedule(ctx context.Context) {
	if r.Interval <= 0 {
		return
	}
	groups, err := r.dueGroups()
	if err != nil {
		r.Log.Error("scheduled checks cannot be read", "error", err)
		return
	}
	for _, d := range groups {
		_, err := r.Start(ctx, store.System(), d.kind, d.id)
		kind, ofCaller := fault.KindOf(err)
		switch {
		case err == nil, errors.Is(err, store.ErrNotFound), ctx.Err() != nil:
		case ofCaller && kind == fault.Invalid:
			r.Log.Debug("scheduled checks cannot be run", "group", d.id, "reason", err)
		default:
			r.Log.Warn("scheduled checks were not run", "group", d.id, "error", err)
		}
	}
}

// dueGroups returns some groups whose checks are to be run now, and notes that
// they are tried.
func (r *Runner) dueGroups() (groups []dueGroup, err error) {
	now := r.Store.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.Store.View(func(tx *store.Tx) error {
		for c, err := range tx.Clusters() {
			if err != nil {
				return err
			}
			if len(groups) < maxStartsPerTick && len(c.SelectedChecks) > 0 && check.Checkable(c.Type) && r.isDue(tx, string(c.ID), now) && r.canBeAsked(now, membersOf(c)) {
				groups = append(groups, dueGroup{check.ClusterSubject, string(c.ID)})
			}
		}
		for h, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			if len(groups) < maxStartsPerTick && len(h.SelectedChecks) > 0 && r.isDue(tx, string(h.ID), now) && r.canBeAsked(now, []landscape.HostID{h.ID}) {
				groups = append(groups, dueGroup{check.HostSubject, string(h.ID)})
			}
		}
		return nil
	})
	for _, d := range groups {
		r.triedAt[d.id] = now
	}
	return groups, err
}

// canBeAsked reports whether all hosts are connected, or have had time to connect
// since the start of the server.
func (r *Runner) canBeAsked(now time.Time, hosts []landscape.HostID) bool {
	return r.settled(now) || !slices.ContainsFunc(hosts, func(id landscape.HostID) bool { return !r.Connected(string(id)) })
}

func membersOf(c *landscape.Cluster) (hosts []landscape.HostID) {
	for _, m := range c.Members {
		hosts = append(hosts, m.HostID)
	}
	return hosts
}

// isDue reports whether the checks of a group are to be run. The caller holds the
// lock.
func (r *Runner) isDue(tx *store.Tx, group string, now time.Time) bool {
	last := r.triedAt[group]
	g, err := tx.CheckedGroup(group)
	if err == nil {
		if g.Running != nil {
			return false
		}
		if g.Last != nil && g.Last.StartedAt.After(last) {
			last = g.Last.StartedAt
		}
	}
	// After the clock was set back, the last execution is in the future.
	return last.IsZero() || slot(group, last, r.Interval) != slot(group, now, r.Interval)
}
