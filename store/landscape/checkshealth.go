package landscape

import (
	"time"

	"trento/store/activity"
)

// SetClusterChecksHealth returns what follows from the result of the checks of a
// registered cluster.
func SetClusterChecksHealth(state State, id ClusterID, health Health, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	c, err := cs.Clusters.edit(id)
	if err != nil {
		return cs, err
	}
	inputs := c.Inputs
	inputs.Checks = health
	cs.evaluateCluster(c, inputs)
	return cs, cs.finish()
}

// SetHostChecksHealth returns what follows from the result of the checks of a
// registered host.
func SetHostChecksHealth(state State, id HostID, health Health, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	host, err := cs.editRegisteredHost(id)
	if err != nil {
		return cs, err
	}
	checks, before := host.Inputs.Checks, host.Health
	host.Inputs.Checks = health
	host.Health = host.Inputs.Overall()
	if health != checks {
		cs.addEvent(&activity.HostChecksHealthChanged{AboutHost: host.aboutHost(), Health: string(health), Change: changeFrom(checks, "")})
	}
	if host.Health != before {
		cs.addEvent(&activity.HostHealthChanged{AboutHost: host.aboutHost(), Health: string(host.Health), Change: changeFrom(before, host.Reasons().Text())})
	}
	return cs, cs.finish()
}
