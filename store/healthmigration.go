package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/kv"
	"trento/store/landscape"
)

// indexHealthChanges fills the bucket health_change from the log. What a thing
// was when the log begins follows from the first entries that tell a change of
// it. What the log does not tell follows from the record. So the last change of
// each thing tells the state of its record.
func indexHealthChanges(tx *kv.Tx) error {
	changes := tx.Bucket("health_change")
	begin := activity.Position(tx.Bucket("activity").Sequence(tx))
	if key := tx.Bucket("activity").First(tx); key != nil {
		begin = activity.PositionOfKey(key)
	}
	present, err := presentHealth(tx)
	if err != nil {
		return err
	}
	last := make(map[healthThing]HealthChange)
	for thing, state := range initialHealth(tx, present) {
		last[thing] = HealthChange{Position: begin, HealthState: state}
	}
	for _, thing := range sortedThings(last) {
		if err := changes.Put(tx, thing.key(begin), last[thing].encode()); err != nil {
			return err
		}
	}
	newest := begin
	for e := range healthSteps(tx) {
		before, known := last[e.thing]
		if !known {
			before = unknownHealth
		}
		newest = e.at
		next, changed := before.applyStep(e.step, e.at)
		if !changed {
			continue
		}
		last[e.thing] = next
		if err := changes.Put(tx, e.thing.key(e.at), next.encode()); err != nil {
			return err
		}
	}
	for _, thing := range sortedThings(present) {
		c, state := last[thing], present[thing]
		if c.HealthState == state {
			continue
		}
		if c.Position, c.HealthState = newest, state; c.Health != state.Health {
			c.healthSince = 0
		}
		if err := changes.Put(tx, thing.key(newest), c.encode()); err != nil {
			return err
		}
	}
	return nil
}

func sortedThings[T any](of map[healthThing]T) []healthThing {
	return slices.SortedFunc(maps.Keys(of), func(a, b healthThing) int { return slices.Compare(a[:], b[:]) })
}

// loggedStep is a step that an entry of the log tells.
type loggedStep struct {
	at    activity.Position
	thing healthThing
	step  landscape.HealthStep
}

// healthSteps walks the steps that the log tells, oldest first. Damaged entries
// are skipped.
func healthSteps(tx *kv.Tx) iter.Seq[loggedStep] {
	dictionary := kv.NewDictionary(metadataDictionary1)
	return func(yield func(loggedStep) bool) {
		silent := make(map[uint64]bool) // codes of the types whose entries tell no step
		for key, value := range tx.Bucket("activity").Scan(tx, nil, nil) {
			if len(value) == 0 {
				continue
			}
			code, _ := binary.Uvarint(value[1:])
			if silent[code] {
				continue
			}
			e, err := decodeEntry(dictionary, key, value)
			if err != nil {
				continue
			}
			step, ok := landscape.HealthStepOf(e.Event())
			if !ok {
				silent[code] = true
				continue
			}
			if thing, ok := healthThingOf(step.Kind, step.ID); ok && !yield(loggedStep{e.Position, thing, step}) {
				return
			}
		}
	}
}

// initialHealth returns the state that each thing had when the log begins. Things
// that were not known then are left out.
func initialHealth(tx *kv.Tx, present map[healthThing]landscape.HealthState) map[healthThing]landscape.HealthState {
	type told struct{ health, stale, registered bool } // what an entry has told already
	states, seen := maps.Clone(present), make(map[healthThing]told)
	for e := range healthSteps(tx) {
		t, known := seen[e.thing]
		state := states[e.thing]
		if e.step.IsRegistration() && !known {
			delete(states, e.thing)
			seen[e.thing] = told{true, true, true}
			continue
		}
		if _, existed := states[e.thing]; !existed {
			continue
		}
		if e.step.Health != nil && !t.health {
			if t.health = true; e.step.OldHealth != nil {
				state.Health = *e.step.OldHealth
			}
		}
		if e.step.Stale != nil && !t.stale {
			t.stale, state.Stale = true, !*e.step.Stale
		}
		if e.step.Registered != nil && !t.registered {
			t.registered, state.Registered = true, !*e.step.Registered
		}
		states[e.thing], seen[e.thing] = state, t
	}
	return states
}

// presentHealth returns the state of each thing that was ever registered.
func presentHealth(tx *kv.Tx) (map[healthThing]landscape.HealthState, error) {
	states := make(map[healthThing]landscape.HealthState)
	for kind, bucket := range map[activity.ThingKind]string{
		activity.HostThing: "host", activity.ClusterThing: "cluster", activity.DatabaseThing: "database", activity.SAPSystemThing: "sap_system",
	} {
		for id, value := range tx.Bucket(bucket).Scan(tx, nil, nil) {
			var record struct {
				Health       landscape.Health `json:"health"`
				Hostname     string           `json:"hostname"` // "" if a host was never registered
				SID          string           `json:"sid"`      // "" if an SAP system was never registered
				StaleSince   *time.Time       `json:"stale_since"`
				Deregistered *time.Time       `json:"deregistered_at"`
			}
			if err := json.Unmarshal(value[kv.VersionSize:], &record); err != nil {
				return nil, fmt.Errorf("%s %q: %w", bucket, id, err)
			}
			if kind == activity.HostThing && record.Hostname == "" || kind == activity.SAPSystemThing && record.SID == "" {
				continue
			}
			thing, ok := healthThingOf(kind, string(id))
			if !ok {
				return nil, fmt.Errorf("%s %q: not a UUID", bucket, id)
			}
			states[thing] = landscape.HealthState{Health: landscape.EvaluatedHealth(string(record.Health)), Stale: record.StaleSince != nil, Registered: record.Deregistered == nil}
		}
	}
	return states, nil
}
