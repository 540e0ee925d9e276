package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
)

// availability is how long a thing was available, in answers of the API. Times
// are in seconds.
type availability struct {
	Percent       *float64 `json:"available_percent"` // null if no time counts
	Available     float64  `json:"available_seconds"`
	Unavailable   float64  `json:"unavailable_seconds"`
	Uncounted     float64  `json:"uncounted_seconds"`
	Interruptions int      `json:"interruptions"`
	Longest       float64  `json:"longest_interruption_seconds"`
}

// healthHistory is the health of a thing in a period.
type healthHistory struct {
	From         timestamp             `json:"from"`
	To           timestamp             `json:"to"`
	Availability availability          `json:"availability"`
	Omitted      int                   `json:"omitted"` // how many of the oldest intervals are left out
	Intervals    []healthIntervalEntry `json:"intervals"`
}

// healthIntervalEntry is a time in which a thing had one state.
type healthIntervalEntry struct {
	From  timestamp            `json:"from"`
	To    timestamp            `json:"to"`
	State landscape.ShownState `json:"state"`
}

// thingAvailability is the availability of a thing in a list.
type thingAvailability struct {
	Kind activity.ThingKind `json:"kind"`
	ID   string             `json:"id"`
	Name string             `json:"name"`
	From timestamp          `json:"from"`
	To   timestamp          `json:"to"`
	availability
}

const (
	// maxHistoryIntervals is the largest number of intervals in an answer.
	maxHistoryIntervals = 10_000
	// defaultHistoryPeriod is the period of an answer, unless the client asks
	// for another. It ends now.
	defaultHistoryPeriod = 24 * time.Hour
)

func newAvailability(a landscape.Availability) availability {
	answer := availability{
		Available: a.Available.Seconds(), Unavailable: a.Unavailable.Seconds(), Uncounted: a.Uncounted.Seconds(),
		Interruptions: a.Interruptions, Longest: a.Longest.Seconds(),
	}
	if hundredths, ok := a.Percent(); ok {
		answer.Percent = new(float64(hundredths) / 100)
	}
	return answer
}

// queryPeriod reads the parameters from and to. A period that does not begin
// before its end is empty.
func (in *input) queryPeriod(now time.Time) (from, to time.Time) {
	from, to = in.queryTimeOr("from", time.Time{}), in.queryTimeOr("to", now)
	if to.After(now) {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-defaultHistoryPeriod)
	}
	if from.After(to) {
		from = to
	}
	return from, to
}

func (in *input) queryTimeOr(name string, missing time.Time) time.Time {
	if t := in.queryTime(name); !t.IsZero() {
		return t
	}
	return missing
}

// showHealthHistory returns the handler of GET
// /api/v1/{hosts,clusters,databases,sap_systems}/{id}/health_history.
func (a *API) showHealthHistory(kind activity.ThingKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		id, _ := landscape.ParseID[string](pathText(r, "id")) // nothing has an id of another form
		from, to := in.queryPeriod(a.deps.Store.Now())
		if err := in.fault(); err != nil {
			return err
		}
		answer := healthHistory{To: timestamp(to), Intervals: []healthIntervalEntry{}}
		err := a.deps.Store.View(func(tx *store.Tx) error {
			if err := tx.CheckRegistered(kind, id); err != nil {
				return err
			}
			answer.From = timestamp(tx.HealthKnownFrom(from))
			all := tx.HealthIntervals(kind, id, from, to)
			answer.Availability = newAvailability(landscape.AvailabilityOf(all))
			answer.Omitted = max(len(all)-maxHistoryIntervals, 0)
			for _, i := range all[answer.Omitted:] {
				answer.Intervals = append(answer.Intervals, healthIntervalEntry{timestamp(i.From), timestamp(i.To), i.State})
			}
			return nil
		})
		if err != nil {
			return err
		}
		return sendValidated(w, r, answer)
	}
}

// listAvailability answers GET /api/v1/availability with the availability of
// everything in one period.
func (a *API) listAvailability(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	kinds := in.queryList("kind")
	for i, kind := range kinds {
		if !slices.Contains(store.HealthKinds(), activity.ThingKind(kind)) {
			in.refuse("kind/"+strconv.Itoa(i), "Invalid value for enum")
		}
	}
	from, to := in.queryPeriod(a.deps.Store.Now())
	if err := in.fault(); err != nil {
		return err
	}
	all := []thingAvailability{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		add := func(kind activity.ThingKind, id, name string) {
			if len(kinds) > 0 && !slices.Contains(kinds, string(kind)) {
				return
			}
			all = append(all, thingAvailability{
				kind, id, name, timestamp(tx.HealthKnownFrom(from)), timestamp(to),
				newAvailability(landscape.AvailabilityOf(tx.HealthIntervals(kind, id, from, to))),
			})
		}
		return eachThing(tx, add)
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(x, y thingAvailability) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	return sendValidated(w, r, all)
}

// eachThing calls a function with every registered thing that has a health.
func eachThing(tx *store.Tx, add func(kind activity.ThingKind, id, name string)) error {
	for h, err := range tx.Hosts() {
		if err != nil {
			return err
		}
		add(activity.HostThing, string(h.ID), h.Hostname)
	}
	for c, err := range tx.Clusters() {
		if err != nil {
			return err
		}
		name := string(c.ID)
		if c.Name != nil {
			name = *c.Name
		}
		add(activity.ClusterThing, string(c.ID), name)
	}
	for db, err := range tx.Databases() {
		if err != nil {
			return err
		}
		add(activity.DatabaseThing, string(db.ID), db.SID)
	}
	for s, err := range tx.SAPSystems() {
		if err != nil {
			return err
		}
		add(activity.SAPSystemThing, string(s.ID), s.SID)
	}
	return nil
}
