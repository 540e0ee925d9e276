package alert

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"trento/store/outbox"
)

// Policy is how alerts become deliveries.
type Policy struct {
	Mail, Webhook bool // the channels that are on
	// Delay is how long alerts are held back to gather those that belong
	// together. With 0, each alert is sent at once and by itself.
	Delay time.Duration
	// Repeat is how long nothing is said again about the same trouble of the
	// same thing.
	Repeat time.Duration
	// NotifyRecovery is true if people want to know that trouble has ended.
	NotifyRecovery bool
}

const (
	// maxSingleAlerts is the largest number of alerts that are due at once and are
	// still sent one by one.
	maxSingleAlerts = 5
	// maxPerHour is the largest number of messages in an hour. Beyond it, there
	// is one digest per digestInterval.
	maxPerHour     = 30
	digestInterval = 10 * time.Minute
)

// Plan is what is to be done now.
type Plan struct {
	Changed    []*Alert    // as they will be
	Forgotten  []*Alert    // that need not be stored any more
	Deliveries []*Delivery // new ones, with their sequences
	Waiting    []Waiting   // what goes on waiting, soonest first
	// Next is the time at which there will be something to do; zero if there is
	// nothing until another alert begins.
	Next time.Time
}

// Empty reports whether there is nothing to do now.
func (p *Plan) Empty() bool { return len(p.Changed)+len(p.Forgotten)+len(p.Deliveries) == 0 }

// Waiting is an alert that waits, until when, and why.
type Waiting struct {
	Alert *Alert
	Until time.Time
	Why   string
}

// planner makes a plan.
type planner struct {
	Plan
	policy        Policy
	now           time.Time
	history       []*Delivery // newest first
	nextSequence  uint64      // the sequence of the next delivery
	changedAlerts map[*Alert]*Alert
}

// Decide returns the plan for the alerts. history holds the deliveries of the
// last day, newest first, and last is the sequence of the newest delivery ever.
// Decide modifies none of them.
func Decide(alerts []*Alert, history []*Delivery, last uint64, policy Policy, now time.Time) Plan {
	p := &planner{policy: policy, now: now, history: history, nextSequence: last + 1, changedAlerts: map[*Alert]*Alert{}}
	var waiting []*Alert
	var removed, unwanted []*Alert
	for _, a := range alerts {
		switch {
		case !a.Waits():
		case !policy.Mail && !policy.Webhook:
			unwanted = append(unwanted, a)
		case a.Removed:
			removed = append(removed, a)
		default:
			waiting = append(waiting, a)
		}
	}
	p.holdBack(unwanted, "Alerts were switched off.")
	p.holdBack(removed, "It was cleaned up before the alert was due.")
	p.send(p.takeDue(waiting))
	p.reportEnds(alerts)
	p.forget(alerts)
	p.finish(alerts)
	return p.Plan
}

// edit returns the copy of an alert that the plan changes.
func (p *planner) edit(a *Alert) *Alert {
	if p.changedAlerts[a] == nil {
		p.changedAlerts[a] = new(*a)
	}
	return p.changedAlerts[a]
}

// atMostNow returns a time that lies in the past. A time in the future means that the
// clock was set back; the plan then treats it as now.
func (p *planner) atMostNow(t time.Time) time.Time {
	if t.After(p.now) {
		return p.now
	}
	return t
}

// dueAt returns when an alert that waits is due, and why it waits until then.
func (p *planner) dueAt(a *Alert) (due time.Time, why string) {
	if a.Hurried {
		return p.now, ""
	}
	due, why = a.WaitingSince.Add(p.policy.Delay), "Alerts that belong together are gathered."
	if a.WaitingSince.After(p.now) { // the clock was set back
		due = p.now
	}
	if until := a.Told.Add(p.policy.Repeat); p.repeats(a) && until.After(due) {
		due, why = until, "An alert about this was sent at "+a.Told.UTC().Format("15:04")+" UTC."
		if a.Over() && p.atMostNow(a.Ended).Add(calmPeriod).Before(due) {
			due = p.atMostNow(a.Ended).Add(calmPeriod)
		}
	}
	return due, why
}

// repeats reports whether people were told about the same trouble so recently
// that they are not told again.
func (p *planner) repeats(a *Alert) bool {
	return a.Kind.changesQuickly() && !a.Told.IsZero() && !a.Told.After(p.now) && a.Told.Add(p.policy.Repeat).After(p.now)
}

// takeDue returns the alerts that are sent or dropped now: those that are due,
// and younger ones that may belong to them.
func (p *planner) takeDue(waiting []*Alert) (taken []*Alert) {
	var rest []*Alert
	var anyDue, hurried bool
	for _, a := range waiting {
		due, _ := p.dueAt(a)
		anyDue = anyDue || !due.After(p.now)
		hurried = hurried || a.Hurried
	}
	for _, a := range waiting {
		due, _ := p.dueAt(a)
		joins := anyDue && !p.repeats(a) && p.now.Sub(p.atMostNow(a.WaitingSince)) >= p.policy.Delay/2
		if !due.After(p.now) || joins {
			taken = append(taken, a)
		} else {
			rest = append(rest, a)
		}
	}
	if until, full := p.hourlyLimit(); full && !hurried {
		p.wait(taken, until, "There were 30 messages within an hour, so the next one follows after 10 minutes.")
		taken = nil
	}
	for _, a := range rest {
		due, why := p.dueAt(a)
		p.wait([]*Alert{a}, due, why)
	}
	return taken
}

func (p *planner) wait(alerts []*Alert, until time.Time, why string) {
	for _, a := range alerts {
		p.Waiting = append(p.Waiting, Waiting{a, until, why})
	}
}

// deliveriesInLastHour returns how many messages there were in the last hour, and when the
// newest one was made.
func (p *planner) deliveriesInLastHour() (n int, newest time.Time) {
	for _, d := range p.history {
		if d.Form == HeldBack || d.At.After(p.now) || p.now.Sub(d.At) >= time.Hour {
			continue
		}
		if n++; n == 1 {
			newest = d.At
		}
	}
	return n, newest
}

// hourlyLimit reports whether there were so many messages that there may be none
// now, and until when.
func (p *planner) hourlyLimit() (until time.Time, full bool) {
	n, newest := p.deliveriesInLastHour()
	until = newest.Add(digestInterval)
	return until, n >= maxPerHour && until.After(p.now)
}

// send makes the messages about alerts that are due, and drops those that are
// over.
func (p *planner) send(due []*Alert) {
	var over, told []*Alert
	for _, a := range due {
		if p.settles(a) {
			over = append(over, a)
		} else {
			told = append(told, a)
		}
	}
	p.holdBack(over, overBeforeDue)
	for _, group := range p.group(told) {
		d := p.deliver(Single, group)
		for _, a := range group {
			e := p.edit(a)
			e.WaitingSince, e.Hurried, e.Told = time.Time{}, false, p.now
			e.FirstDelivery = cmp.Or(e.FirstDelivery, d.Sequence)
		}
	}
}

// settles reports whether an alert is dropped because the trouble is over: it
// was short and did not come again, or people know of it and it is over for good.
func (p *planner) settles(a *Alert) bool {
	known := !a.Told.IsZero() && p.now.Sub(a.Ended) >= calmPeriod
	return a.Over() && p.policy.Delay > 0 && !a.Hurried && (known || !p.isUnstable(a))
}

func (p *planner) isUnstable(a *Alert) bool {
	return a.Kind.changesQuickly() && p.policy.Delay > 0 && a.countOnsets(unstablePeriod, p.now) >= unstableOnsets
}

// group divides alerts into messages: one for those with the same cause, and
// one for all if there are many.
func (p *planner) group(alerts []*Alert) (groups [][]*Alert) {
	n, _ := p.deliveriesInLastHour()
	if p.policy.Delay == 0 {
		for _, a := range alerts {
			groups = append(groups, []*Alert{a})
		}
	} else if len(alerts) <= maxSingleAlerts {
		index := map[string]int{}
		for _, a := range alerts {
			cause := cmp.Or(a.Correlation, string(a.Key()))
			if _, ok := index[cause]; !ok {
				index[cause] = len(groups)
				groups = append(groups, nil)
			}
			groups[index[cause]] = append(groups[index[cause]], a)
		}
	}
	if len(alerts) > 0 && (groups == nil || n+len(groups) > maxPerHour) {
		groups = [][]*Alert{alerts}
	}
	return groups
}

// deliver adds a message about alerts to the plan.
func (p *planner) deliver(form Form, alerts []*Alert) *Delivery {
	d := &Delivery{Sequence: p.nextSequence, At: p.now, Form: form, Mail: outbox.NewChannel(p.policy.Mail, p.now), Webhook: outbox.NewChannel(p.policy.Webhook, p.now)}
	p.nextSequence++
	for _, a := range alerts {
		d.Items = append(d.Items, p.item(a))
	}
	if len(alerts) == 1 {
		d.Thread = alerts[0].FirstDelivery
	} else {
		sortItems(d.Items)
		if form == Single {
			d.Form, d.Interruptions = Digest, p.interruptions()
		}
	}
	d.Subject = d.subject()
	p.Deliveries = append(p.Deliveries, d)
	return d
}

func (p *planner) item(a *Alert) Item {
	i := Item{
		Kind: a.Kind, Thing: a.Thing, Since: a.Since, Ended: a.Ended, Removed: a.Removed, Health: a.Health, Detail: a.Detail, Before: a.Before,
		Deadline: a.Deadline, Entry: a.Entry,
	}
	if p.isUnstable(a) {
		i.Begins = a.countOnsets(unstablePeriod, p.now)
	}
	return i
}

// interruptions counts the short troubles that were held back since the last
// digest.
func (p *planner) interruptions() (n int) {
	for _, d := range p.Deliveries {
		n += d.interruptions()
	}
	for _, d := range p.history {
		if d.Form == Digest {
			break
		}
		n += d.interruptions()
	}
	return n
}

// overBeforeDue is the reason why alerts about short troubles are held back.
const overBeforeDue = "It was over before the alert was due."

// interruptions returns how many short troubles the delivery holds back.
func (d *Delivery) interruptions() int {
	if d.Form == HeldBack && d.Reason == overBeforeDue {
		return len(d.Items)
	}
	return 0
}

// holdBack records that alerts are not sent.
func (p *planner) holdBack(alerts []*Alert, reason string) {
	if len(alerts) == 0 {
		return
	}
	d := &Delivery{Sequence: p.nextSequence, At: p.now, Form: HeldBack, Reason: reason}
	p.nextSequence++
	for _, a := range alerts {
		d.Items = append(d.Items, p.item(a))
		e := p.edit(a)
		e.WaitingSince, e.Hurried = time.Time{}, false
	}
	sortItems(d.Items)
	d.Subject = d.subject()
	p.Deliveries = append(p.Deliveries, d)
}

// reportEnds makes the messages that troubles have ended, for people who were told
// about them. Trouble that begins again soon has not ended.
func (p *planner) reportEnds(alerts []*Alert) {
	var ended []*Alert
	for _, a := range alerts {
		if !p.mustReportEnd(a) {
			continue
		}
		if due := p.atMostNow(a.Ended).Add(calmPeriod); due.After(p.now) {
			p.wake(due)
		} else {
			ended = append(ended, a)
		}
	}
	if until, full := p.hourlyLimit(); full {
		if len(ended) > 0 {
			p.wake(until)
		}
		return
	}
	for _, group := range p.group(ended) {
		p.deliver(Recovery, group)
		for _, a := range group {
			p.edit(a).EndTold = true
		}
	}
}

// mustReportEnd reports whether people are to be told that the trouble has ended.
func (p *planner) mustReportEnd(a *Alert) bool {
	tells := p.policy.NotifyRecovery && (p.policy.Mail || p.policy.Webhook) && (a.Kind.changesQuickly() || a.Kind == BackupFailed)
	return tells && a.Over() && !a.Waits() && !a.Told.IsZero() && !a.EndTold && !a.Removed
}

// forget finds the alerts that need not be stored any more. Others stay until
// their thing would no longer count as unstable.
func (p *planner) forget(alerts []*Alert) {
	for _, a := range alerts {
		latest := cmp.Or(p.changedAlerts[a], a)
		if latest.Waits() || !latest.Over() || p.mustReportEnd(latest) {
			continue
		}
		if until := p.atMostNow(latest.Ended).Add(unstablePeriod); !latest.Removed && until.After(p.now) {
			p.wake(until)
			continue
		}
		delete(p.changedAlerts, a)
		p.Forgotten = append(p.Forgotten, a)
	}
}

// wake makes Next at most t.
func (p *planner) wake(t time.Time) {
	if p.Next.IsZero() || t.Before(p.Next) {
		p.Next = t
	}
}

func (p *planner) finish(alerts []*Alert) {
	for _, a := range alerts {
		if after := p.changedAlerts[a]; after != nil {
			p.Changed = append(p.Changed, after)
		}
	}
	slices.SortStableFunc(p.Waiting, func(a, b Waiting) int { return a.Until.Compare(b.Until) })
	for _, w := range p.Waiting {
		p.wake(w.Until)
	}
}

// sortItems orders the items of a digest: hosts that stopped reporting first,
// and all that is wrong with one thing together.
func sortItems(items []Item) {
	first := map[Thing]int{}
	for _, i := range items {
		rank := slices.Index(kinds, i.Kind)
		if before, ok := first[i.Thing]; !ok || rank < before {
			first[i.Thing] = rank
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(first[a.Thing], first[b.Thing]), strings.Compare(a.Thing.Name, b.Thing.Name),
			strings.Compare(a.Thing.ID, b.Thing.ID), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)))
	})
}

// Discard returns the plan that discards alerts that wait. last is the sequence
// of the newest delivery ever, and user the one who wants it.
func Discard(waiting []*Alert, last uint64, user string, now time.Time) Plan {
	p := &planner{now: now, nextSequence: last + 1, changedAlerts: map[*Alert]*Alert{}}
	p.holdBack(waiting, "It was discarded by "+user+".")
	p.finish(waiting)
	return p.Plan
}
