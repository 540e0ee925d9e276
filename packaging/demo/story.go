package demo

import (
	"math/rand/v2"
	"strings"
	"time"

	"trento/store"
	"trento/store/discovery/fleet"
	"trento/store/landscape"
)

// silenceDetectionDelay is how long after the end of its heartbeats a host is looked at again.
const silenceDetectionDelay = 30 * time.Second

// script collects the moments of the past.
type script struct {
	start, end time.Time
	random     *rand.Rand
	moments    []moment
}

// story returns what happens between two times.
func story(admin string, start, end time.Time) []moment {
	s := &script{start: start, end: end, random: rand.New(rand.NewPCG(fleet.DefaultSeed, 30))}
	s.at(start.Add(20*time.Minute), install)
	s.addPeople(admin)
	for day := 1; day < 4; day++ {
		s.on(day, "10:00", repair(day))
	}
	for day := 4; ; day++ {
		if s.timeOf(day, "00:00").After(end.AddDate(0, 0, -1)) {
			break
		}
		s.addOrdinaryDay(day)
	}
	s.addIncidents()
	s.addUnfinishedIncidents()
	return s.moments
}

// at adds a moment, unless it is in the future.
func (s *script) at(at time.Time, do func(*history) error) {
	if at.Before(s.end) {
		s.moments = append(s.moments, moment{at, do})
	}
}

// on is at with a day, counted from the first, and a time of the day.
func (s *script) on(day int, clock string, do func(*history) error) { s.at(s.timeOf(day, clock), do) }

func (s *script) timeOf(day int, clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err) // the story is wrong
	}
	return s.start.UTC().Truncate(24*time.Hour).AddDate(0, 0, day).Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
}

// addPeople adds the users, and what they do beside incidents.
func (s *script) addPeople(admin string) {
	s.on(1, "07:30", createUser(admin, keller))
	s.on(1, "08:05", signIn(keller))
	for n, x := range []person{nowak, raman, weber, santos, brandt} {
		s.at(s.timeOf(1, "08:20").Add(time.Duration(n)*4*time.Minute), createUser(keller.username, x))
	}
	s.on(2, "06:50", signIn(nowak))
	s.on(4, "07:25", signIn(brandt))
	s.on(2, "08:40", tagLandscape(nowak))
	s.on(3, "08:10", selectChecks(nowak))
	s.on(3, "09:15", saveView(admin, store.SavedView{Screen: "/hosts", Name: "Patch group A", Query: "tags=patch-a"}))
	s.on(3, "09:17", saveView(admin, store.SavedView{Screen: "/hosts", Name: "Needs somebody", Query: "health=critical&health=warning"}))
	s.on(3, "09:20", saveView(admin, store.SavedView{Screen: "/sap_systems", Name: "Production", Query: "tags=production"}))
	s.on(3, "09:24", saveView(nowak.username, store.SavedView{Screen: "/clusters", Name: "Production", Query: "tags=production"}))
	s.on(3, "10:05", shareView(keller.username, store.SavedView{Screen: "/sap_systems", Name: "Production in trouble", Query: "health=critical&health=warning&tags=production"}))
	s.on(3, "10:11", shareView(keller.username, store.SavedView{
		Screen: "/activity_log", Name: "Clusters and replication, 7 days",
		Query: "from_date=7d&type=cluster_health_changed&type=database_instance_system_replication_changed&type=database_health_changed",
	}))
	s.on(19, "13:02", failSignIn(santos))
	s.on(19, "13:03", failSignIn(santos))
	s.on(19, "13:05", signIn(santos))
	s.on(22, "15:30", disable(keller, brandt))
}

// addOrdinaryDay adds what happens on any day: people sign in, parameters drift,
// servers are slow for a while, hosts restart at night.
func (s *script) addOrdinaryDay(day int) {
	minutes := func(least, most int) time.Duration {
		return time.Duration(least*60+s.random.IntN((most-least)*60)) * time.Second
	}
	within := func(from string, hours int) time.Time { return s.timeOf(day, from).Add(minutes(0, 60*hours)) }
	weekend := s.timeOf(day, "12:00").Weekday()%6 == 0
	if !weekend {
		s.at(within("06:40", 1), signIn(nowak))
		s.at(within("07:10", 2), signIn(raman))
		s.at(within("06:20", 1), s.cause(fleet.Drift, minutes(40, 900), anyHost))
		s.at(within("11:00", 5), s.cause(fleet.Drift, minutes(15, 180), anyHost))
	}
	for range 1 + s.random.IntN(2) {
		s.at(within("07:00", 12), s.cause(fleet.Slowness, minutes(4, 45), anyHost))
	}
	s.at(within("01:00", 3), s.cause(fleet.Restart, 0, anyHost))
	switch day % 5 {
	case 0:
		at := within("09:00", 9)
		s.at(at, s.cause(fleet.Crash, minutes(6, 35), anyHost))
		s.at(at.Add(4*time.Minute), signIn(weber))
	case 1:
		s.silenceHost(within("10:00", 10), minutes(3, 15), anyHost)
	case 2:
		s.at(within("20:00", 3), s.cause(fleet.Maintenance, minutes(30, 90), anyHost))
	case 3:
		s.at(within("02:00", 20), s.cause(fleet.FailOver, minutes(12, 200), anyHost))
	case 4:
		s.at(within("05:00", 15), s.cause(fleet.LoseDisk, minutes(5, 30), anyHost))
	}
}

// addIncidents adds what people would remember.
func (s *script) addIncidents() {
	s.update(7, "20:00", func(h *fleet.Host) bool { return h.System == nil || h.System.Stage != "production" })
	s.update(14, "20:00", func(h *fleet.Host) bool { return h.System != nil && h.System.Stage == "production" })
	s.on(10, "03:07", s.cause(fleet.TakeOver, 3*time.Minute, inSystem("S4P")))
	s.on(10, "03:15", signIn(weber))
	s.on(11, "21:00", s.cause(fleet.TakeOver, 2*time.Minute, inSystem("S4P")))
	s.on(16, "22:40", s.cause(fleet.LoseSync, 7*time.Hour+15*time.Minute, inSystem("CRP")))
	s.on(17, "05:31", signIn(nowak))
	s.on(18, "13:12", s.cause(fleet.FailOver, 25*time.Minute, inSystem("S4P")))
	s.silenceHost(s.timeOf(20, "14:12"), 20*time.Minute, inSystem("S4P"))
	s.retire(23)
}

// addUnfinishedIncidents adds what has not ended yet.
func (s *script) addUnfinishedIncidents() {
	s.at(s.end.Add(-26*time.Hour), s.cause(fleet.LoseDisk, fleet.Forever, inSystem("ECP")))
	s.at(s.end.Add(-22*time.Hour), s.cause(fleet.Expiry, fleet.Forever, inStage("quality")))
	s.at(s.end.Add(-19*time.Hour), s.cause(fleet.Drift, fleet.Forever, inStage("quality")))
	s.at(s.end.Add(-7*time.Hour), s.cause(fleet.Drift, fleet.Forever, inStage("development")))
	s.at(s.end.Add(-5*time.Hour-8*time.Minute), s.cause(fleet.LoseSync, fleet.Forever, inSystem("EWP")))
	s.silenceHost(s.end.Add(-3*time.Hour-12*time.Minute), fleet.Forever, func(h *fleet.Host) bool { return h.Role == fleet.Application && inStage("quality")(h) })
	s.at(s.end.Add(-38*time.Minute), s.cause(fleet.Slowness, fleet.Forever, inStage("production")))
	s.at(s.end.Add(-24*time.Minute), signIn(raman))
}

// The hosts to which something can happen.
func anyHost(*fleet.Host) bool { return true }

func inSystem(sid string) func(*fleet.Host) bool {
	return func(h *fleet.Host) bool { return h.System != nil && h.System.SID == sid }
}

func inStage(name string) func(*fleet.Host) bool {
	return func(h *fleet.Host) bool { return h.System != nil && h.System.Stage == name }
}

// cause returns an incident that happens to one of the hosts that match, if it
// can happen to any.
func (s *script) cause(what fleet.Incident, lasts time.Duration, match func(*fleet.Host) bool) func(*history) error {
	start := s.random.Uint32()
	return func(p *history) error {
		hosts := p.fleet.Hosts()
		for n := range hosts {
			h := hosts[(n+int(start))%len(hosts)]
			if match(h) && p.isInstalled(h) && p.fleet.Cause(what, h, lasts, p.clock.Now()) {
				break
			}
		}
		return nil
	}
}

// silenceHost adds a host that is silent for a time, and the moment when that is
// noticed.
func (s *script) silenceHost(at time.Time, lasts time.Duration, match func(*fleet.Host) bool) {
	s.at(at, s.cause(fleet.Silence, lasts, match))
	s.at(at.Add(silenceDetectionDelay), doNothing)
}

func doNothing(*history) error { return nil }

// update adds a night in which hosts are updated one after the other.
func (s *script) update(day int, clock string, match func(*fleet.Host) bool) {
	s.on(day, clock, func(p *history) error {
		begin := p.clock.Now()
		for n, h := range p.fleet.Hosts() {
			if !match(h) || h.Role == fleet.Storage {
				continue
			}
			at := begin.Add(time.Duration(n) * 6 * time.Minute)
			for _, part := range []time.Time{at, at.Add(silenceDetectionDelay)} {
				if err := p.moveTo(part); err != nil {
					return err
				}
				if part == at {
					p.fleet.Cause(fleet.Update, h, 0, at)
				}
			}
			if err := p.moveTo(at.Add(3 * time.Minute)); err != nil {
				return err
			}
		}
		return nil
	})
}

// install lets the agents report for the first time, one after the other.
func install(p *history) error {
	begin := p.clock.Now()
	p.installed = make(map[landscape.HostID]bool)
	for n, h := range p.fleet.Hosts() {
		if err := p.moveTo(begin.Add(time.Duration(n) * 50 * time.Second)); err != nil {
			return err
		}
		p.installed[h.ID] = true
		if err := p.report(h); err != nil {
			return err
		}
	}
	// What waited for other hosts has arrived, and heartbeats begin.
	return p.moveTo(p.clock.Now().Add(silenceDetectionDelay))
}

// isInstalled reports whether a host has an agent already.
func (p *history) isInstalled(h *fleet.Host) bool { return p.installed[h.ID] }

// repair returns the work of one of the first days: every third host is put in
// order. A few are left.
func repair(day int) func(*history) error {
	return func(p *history) error {
		for n, h := range p.fleet.Hosts() {
			if n%3 != day%3 || n%17 == 8 {
				continue
			}
			p.fleet.Cause(fleet.Repair, h, 0, p.clock.Now())
			if err := p.moveTo(p.clock.Now().Add(9 * time.Minute)); err != nil {
				return err
			}
		}
		return nil
	}
}

// retire adds a host without SAP software that is switched off and cleaned up.
func (s *script) retire(day int) {
	var old *fleet.Host
	s.on(day, "09:40", func(p *history) error {
		for _, h := range p.fleet.Hosts() {
			if h.Role == fleet.Utility && strings.HasPrefix(h.Name, "bkp") {
				old = h
				p.fleet.Cause(fleet.Silence, h, fleet.Forever, p.clock.Now())
				break
			}
		}
		return nil
	})
	s.at(s.timeOf(day, "09:40").Add(silenceDetectionDelay), doNothing)
	s.on(day, "10:20", func(p *history) error {
		if old == nil {
			return nil
		}
		p.fleet.Remove(old)
		return p.store.CleanUp(p.ctx, nowak.actor(), nil, landscape.Target{Host: old.ID})
	})
}
