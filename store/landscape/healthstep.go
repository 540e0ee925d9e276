package landscape

import "trento/store/activity"

// HealthState is what the console shows about the health of a host, cluster,
// database or SAP system at some time. The zero value is the state of something
// that is not part of the landscape yet, except that its Health is "".
type HealthState struct {
	Health     Health // unknown: not evaluated, or something in it is unknown
	Stale      bool   // the thing, or something in it, does not report
	Registered bool   // the thing is part of the landscape
}

// HealthStep is what an event says about the health state of the thing that it
// is about. A nil field says nothing.
type HealthStep struct {
	Kind       activity.ThingKind
	ID         string
	Health     *Health
	OldHealth  *Health // the health before
	Stale      *bool
	Registered *bool
}

// HealthStepOf returns what an event says about the health state of a thing. ok
// is false if it says nothing.
func HealthStepOf(e activity.Event) (step HealthStep, ok bool) {
	switch e := e.(type) {
	case *activity.HostRegistered:
		return stepOfHost(e).withInitialHealth(reportedHealth(e.Health)).withStale(false), true
	case *activity.HostRestored:
		return stepOfHost(e).withRegistered(true), true
	case *activity.HostDeregistered:
		return stepOfHost(e).withRegistered(false), true
	case *activity.HostHealthChanged:
		return stepOfHost(e).withHealthChange(e.Old, e.Health), true
	case *activity.HeartbeatFailed:
		return stepOfHost(e).withStale(true), true
	case *activity.HeartbeatSucceeded:
		return stepOfHost(e).withStale(false), true

	case *activity.ClusterRegistered:
		return stepOfCluster(e).withInitialHealth(e.Health).withStale(false), true
	case *activity.ClusterRestored:
		return stepOfCluster(e).withRegistered(true), true
	case *activity.ClusterDeregistered:
		return stepOfCluster(e).withRegistered(false).withStale(false), true
	case *activity.ClusterHealthChanged:
		return stepOfCluster(e).withHealthChange(e.Old, e.Health), true
	case *activity.ClusterDataMarkedStale:
		return stepOfCluster(e).withStale(true), true
	case *activity.ClusterDataMarkedInSync:
		return stepOfCluster(e).withStale(false), true

	case *activity.DatabaseRegistered:
		return stepOfDatabase(e).withInitialHealth(e.Health).withStale(false), true
	case *activity.DatabaseRestored:
		return stepOfDatabase(e).withInitialHealth(e.Health), true
	case *activity.DatabaseDeregistered:
		return stepOfDatabase(e).withRegistered(false), true
	case *activity.DatabaseHealthChanged:
		return stepOfDatabase(e).withHealthChange(e.Old, e.Health), true
	case *activity.DatabaseDataMarkedStale:
		return stepOfDatabase(e).withStale(true), true
	case *activity.DatabaseDataMarkedInSync:
		return stepOfDatabase(e).withStale(false), true

	case *activity.SAPSystemRegistered:
		return stepOfSAPSystem(e).withInitialHealth(e.Health).withStale(e.DatabaseStaleAt != nil), true
	case *activity.SAPSystemRestored:
		return stepOfSAPSystem(e).withInitialHealth(e.Health), true
	case *activity.SAPSystemDeregistered:
		return stepOfSAPSystem(e).withRegistered(false), true
	case *activity.SAPSystemHealthChanged:
		return stepOfSAPSystem(e).withHealthChange(e.Old, e.Health), true
	case *activity.SAPSystemDataMarkedStale:
		return stepOfSAPSystem(e).withStale(true), true
	case *activity.SAPSystemDataMarkedInSync:
		return stepOfSAPSystem(e).withStale(false), true
	}
	return HealthStep{}, false
}

func stepOfHost(e activity.HostEvent) HealthStep {
	return HealthStep{Kind: activity.HostThing, ID: e.Host().HostID}
}

func stepOfCluster(e activity.ClusterEvent) HealthStep {
	return HealthStep{Kind: activity.ClusterThing, ID: e.Cluster().ClusterID}
}

func stepOfDatabase(e activity.DatabaseEvent) HealthStep {
	return HealthStep{Kind: activity.DatabaseThing, ID: e.Database().DatabaseID}
}

func stepOfSAPSystem(e activity.SAPSystemEvent) HealthStep {
	return HealthStep{Kind: activity.SAPSystemThing, ID: e.SAPSystem().SAPSystemID}
}

func (s HealthStep) withStale(stale bool) HealthStep {
	s.Stale = &stale
	return s
}

func (s HealthStep) withRegistered(registered bool) HealthStep {
	s.Registered = &registered
	return s
}

func (s HealthStep) withInitialHealth(health string) HealthStep {
	s.Health = new(EvaluatedHealth(health))
	return s.withRegistered(true)
}

func (s HealthStep) withHealthChange(old, now string) HealthStep {
	s.Health = new(EvaluatedHealth(now))
	if old != "" {
		s.OldHealth = new(EvaluatedHealth(old))
	}
	return s
}

// reportedHealth returns the health of a new host; "" if it is not evaluated
// yet.
func reportedHealth(health *string) string {
	if health == nil {
		return ""
	}
	return *health
}

// EvaluatedHealth returns the health with a name. Anything but passing, warning
// and critical is unknown.
func EvaluatedHealth(text string) Health {
	switch h := Health(text); h {
	case HealthPassing, HealthWarning, HealthCritical:
		return h
	}
	return HealthUnknown
}

// IsRegistration reports whether the step is the first of a thing.
func (s HealthStep) IsRegistration() bool {
	return s.Registered != nil && *s.Registered && s.Health != nil && s.Stale != nil
}

// After returns the state after the step, from the state before it.
func (s HealthStep) After(before HealthState) HealthState {
	after := before
	if s.Health != nil {
		after.Health = *s.Health
	}
	if s.Stale != nil {
		after.Stale = *s.Stale
	}
	if s.Registered != nil {
		after.Registered = *s.Registered
	}
	return after
}

// HealthState returns the present health state of the host.
func (h *Host) HealthState() HealthState {
	return HealthState{EvaluatedHealth(string(h.Health)), h.StaleSince != nil, h.Registered()}
}

// HealthState returns the present health state of the cluster.
func (c *Cluster) HealthState() HealthState {
	return HealthState{EvaluatedHealth(string(c.Health)), c.StaleSince != nil, c.Registered()}
}

// HealthState returns the present health state of the database.
func (db *Database) HealthState() HealthState {
	return HealthState{EvaluatedHealth(string(db.Health)), db.StaleSince != nil, db.Registered()}
}

// HealthState returns the present health state of the SAP system.
func (s *SAPSystem) HealthState() HealthState {
	return HealthState{EvaluatedHealth(string(s.Health)), s.StaleSince != nil, s.Registered()}
}
