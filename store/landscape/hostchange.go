package landscape

import (
	"errors"
	"fmt"
	"time"

	"trento/store/activity"
)

// HeartbeatReceived returns the changes that follow from a heartbeat of a
// registered host.
func HeartbeatReceived(state State, id HostID, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	return cs, cs.complete(cs.heartbeatReceived(id))
}

func (cs *Changeset) heartbeatReceived(id HostID) error {
	host, err := cs.editRegisteredHost(id)
	if err != nil || host.Heartbeat == HeartbeatPassing {
		return err
	}
	host.Heartbeat, host.StaleSince = HeartbeatPassing, nil
	cs.addEvent(&activity.HeartbeatSucceeded{AboutHost: host.aboutHost()})
	return nil
}

// HeartbeatLost returns the changes that follow when the heartbeat of a
// registered host is lost: the host and the data from its agent become stale.
// No health value changes, because a lost heartbeat says nothing about the
// host's health.
func HeartbeatLost(state State, id HostID, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	return cs, cs.complete(cs.heartbeatLost(id))
}

func (cs *Changeset) heartbeatLost(id HostID) error {
	host, err := cs.editRegisteredHost(id)
	if err != nil || host.Heartbeat == HeartbeatCritical {
		return err
	}
	host.Heartbeat, host.StaleSince = HeartbeatCritical, &cs.now
	cs.addEvent(&activity.HeartbeatFailed{AboutHost: host.aboutHost()})
	if err := cs.markAllSAPStale(id); err != nil {
		return err
	}
	return cs.markClusterStale(id)
}

// editRegisteredHost returns a host that may be modified, or ErrNotRegistered.
func (cs *Changeset) editRegisteredHost(id HostID) (*Host, error) {
	host, err := cs.Hosts.get(id)
	if err != nil {
		return nil, err
	}
	if !host.Registered() {
		return nil, fmt.Errorf("host %s: %w", id, ErrNotRegistered)
	}
	return cs.Hosts.edit(id)
}

// aboutHost returns the fields that all events about the host have in common.
func (h *Host) aboutHost() activity.AboutHost {
	return activity.AboutHost{HostID: string(h.ID), Hostname: h.Hostname}
}

func (cs *Changeset) observeHost(o Observation) error {
	host, err := cs.Hosts.edit(o.Agent)
	if err != nil {
		return err
	}
	facts := o.Host.withUnreadFrom(host.HostFacts)
	switch {
	case host.Hostname == "": // unknown, or only known as a member of its cluster
		cs.registerHost(host, facts)
		return cs.evaluateNewHost(host.ID)
	case host.DeregisteredAt != nil:
		cs.restoreHost(host, facts)
		return cs.evaluateNewHost(host.ID)
	case !isEqual(&host.HostFacts, &facts) && !cs.observeMachine(host, facts):
		cs.changeFacts(host, facts)
	}
	return nil
}

// changeFacts replaces the facts of a host by reported ones.
func (cs *Changeset) changeFacts(host *Host, facts HostFacts) {
	formerFQDN := host.FQDN
	host.HostFacts = facts
	cs.addEvent(&activity.HostDetailsUpdated{AboutHost: host.aboutHost(), HostFacts: host.forLog()})
	cs.requestSoftwareUpdates(host, formerFQDN)
}

func (cs *Changeset) registerHost(host *Host, facts HostFacts) {
	host.HostFacts, host.RegisteredAt = facts, cs.now
	host.Heartbeat, host.Health, host.Inputs = HeartbeatUnknown, HealthUnknown, initialInputs
	cs.addEvent(&activity.HostRegistered{AboutHost: host.aboutHost(), HostFacts: host.forLog(), Heartbeat: string(host.Heartbeat)})
	cs.requestSoftwareUpdates(host, "")
}

func (cs *Changeset) restoreHost(host *Host, facts HostFacts) {
	before := host.HostFacts
	host.DeregisteredAt, host.HostFacts = nil, facts
	cs.addEvent(&activity.HostRestored{AboutHost: host.aboutHost()})
	rebooted := before
	rebooted.LastBoot = facts.LastBoot
	if isEqual(&rebooted, &facts) { // nothing but the time of the last boot has changed
		cs.requestSoftwareUpdates(host, "")
		return
	}
	cs.addEvent(&activity.HostDetailsUpdated{AboutHost: host.aboutHost(), HostFacts: host.forLog()})
	cs.requestSoftwareUpdates(host, before.FQDN)
}

// evaluateNewHost evaluates the tuning of a host that has just been registered,
// if SAP instances on it are already known. Instances that are reported later
// cause the evaluation themselves.
func (cs *Changeset) evaluateNewHost(id HostID) error {
	runs, err := cs.runsSAP(id)
	if err != nil || !runs {
		return err
	}
	return cs.evaluateSaptune(id, true)
}

// requestSoftwareUpdates requests the software updates of a host if its domain
// name has changed, because they are looked up by it.
func (cs *Changeset) requestSoftwareUpdates(host *Host, formerFQDN string) {
	switch {
	case host.FQDN == formerFQDN:
	case host.FQDN == "":
		cs.addEvent(&activity.SoftwareUpdatesDiscoveryCleared{AboutHost: host.aboutHost()})
	default:
		cs.addEvent(&activity.SoftwareUpdatesDiscoveryRequested{AboutHost: host.aboutHost(), FQDN: host.FQDN})
	}
}

func (cs *Changeset) observeCloud(host *Host, o Observation) error {
	if isEqual(host.Cloud, o.Cloud) {
		return nil
	}
	host.Cloud = o.Cloud
	cs.addEvent(&activity.ProviderUpdated{AboutHost: host.aboutHost(), Provider: host.Cloud.Provider, Data: activity.Document{Value: host.Cloud.Data()}})
	return nil
}

func (cs *Changeset) observeSubscriptions(host *Host, o Observation) error {
	if isEqual(host.Subscriptions, o.Subscriptions) {
		return nil
	}
	host.Subscriptions = o.Subscriptions
	cs.addEvent(&activity.SLESSubscriptionsUpdated{AboutHost: host.aboutHost(), Subscriptions: activity.Document{Value: host.SubscriptionData()}})
	return nil
}

func (cs *Changeset) observeSaptune(host *Host, o Observation) error {
	if status := o.Saptune.statusAfter(host.Saptune); !isEqual(host.Saptune, status) {
		host.Saptune = status
		cs.addEvent(&activity.SaptuneStatusUpdated{AboutHost: host.aboutHost(), Status: activity.Document{Value: status}})
	}
	runs, err := cs.runsSAP(host.ID)
	if err != nil {
		return err
	}
	return cs.evaluateSaptune(host.ID, runs)
}

// evaluateSaptune evaluates the health of the tuning of a host, and with it the
// health of the host. It ignores a host that is not registered.
func (cs *Changeset) evaluateSaptune(id HostID, runsSAP bool) error {
	host, err := cs.editRegisteredHost(id)
	if errors.Is(err, ErrNotRegistered) {
		return nil
	}
	if err != nil {
		return err
	}
	tuning, health := host.Inputs.Saptune, host.Health
	host.Inputs.Saptune = SaptuneHealth(host.Saptune, runsSAP)
	host.Health = host.Inputs.Overall()
	if now := host.Inputs.Saptune; now != tuning {
		cs.addEvent(&activity.HostSaptuneHealthChanged{AboutHost: host.aboutHost(), Health: string(now), Change: changeFrom(tuning, "")})
	}
	if host.Health != health {
		cs.addEvent(&activity.HostHealthChanged{AboutHost: host.aboutHost(), Health: string(host.Health), Change: changeFrom(health, host.Reasons().Text())})
	}
	return nil
}

// statusAfter returns the status of saptune after a report. If the report has no
// status and the version is the known one, the known status stays.
func (r *SaptuneReport) statusAfter(known *Saptune) *Saptune {
	if r.Unread {
		return known
	}
	if r.Status != nil && r.Status.TuningState == nil && known != nil {
		// An unread tuning state must not hide that the host is not compliant.
		status := *r.Status
		status.TuningState = known.TuningState
		return &status
	}
	if !r.Installed || r.Status != nil {
		return r.Status
	}
	version := nilIfEmpty(r.PackageVersion)
	if known != nil && isEqual(known.PackageVersion, version) {
		return known
	}
	return &Saptune{
		PackageVersion: version,
		Services:       []SaptuneService{}, EnabledNotes: []SaptuneNote{}, AppliedNotes: []SaptuneNote{},
	}
}

// forLog returns the facts as the activity log shows them.
func (f *HostFacts) forLog() activity.HostFacts {
	return activity.HostFacts{
		FQDN: nilIfEmpty(f.FQDN), Addresses: addressTexts(f.Addresses), AgentVersion: f.AgentVersion, Arch: f.Arch,
		CPUCount: f.CPUCount, SocketCount: f.SocketCount, MemoryMB: f.MemoryMB, OSVersion: f.OSVersion,
		InstallationSource: f.InstallationSource, PrometheusTargets: f.PrometheusTargets, PrometheusMode: f.PrometheusMode,
		SystemdUnits: activity.Document{Value: f.SystemdUnits}, LastBoot: f.LastBoot,
	}
}

func nilIfEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
