package landscape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"trento/store/activity"
)

// Observe decides what one report changes. ErrNotRegistered means that its
// host, or the database it speaks of, is not part of the landscape.
func Observe(state State, seen Observation, now time.Time) (*Changeset, error) {
	cs := NewChangeset(state, now)
	if err := cs.observe(seen); err != nil {
		return cs, err
	}
	return cs, cs.judgeWaiting()
}

func (cs *Changeset) observe(seen Observation) error {
	switch seen.Kind {
	case HostDiscovery:
		return cs.observeHost(seen.Agent, *seen.Host)
	case ClusterDiscovery:
		return cs.observeCluster(seen.Agent, seen.Cluster)
	case SAPSystemDiscovery:
		return cs.observeSAP(seen.Agent, seen.SAP)
	}
	before, err := cs.registeredHost(seen.Agent)
	if err != nil || before.Shared() {
		return err // of which of the machines, nobody knows
	}
	switch seen.Kind {
	case CloudDiscovery:
		cs.observeCloud(before, seen.Cloud)
	case SubscriptionDiscovery:
		cs.observeSubscriptions(before, seen.Subscriptions)
	case SaptuneDiscovery:
		return cs.observeSaptune(before, *seen.Saptune)
	default:
		return fmt.Errorf("landscape: no rule for %s", seen.Kind)
	}
	return nil
}

// registeredHost is a host that is part of the landscape, or ErrNotRegistered.
func (cs *Changeset) registeredHost(id HostID) (*Host, error) {
	host, err := cs.host(id)
	if errors.Is(err, ErrUnknown) || err == nil && !host.Registered() {
		return nil, fmt.Errorf("host %s: %w", id, ErrNotRegistered)
	}
	return host, err
}

// changeHost begins a change of a host: the copy is the one to be stored.
func (cs *Changeset) changeHost(before *Host) *Host {
	after := *before
	after.UpdatedAt = cs.now
	cs.Hosts[after.ID] = &after
	return &after
}

func (cs *Changeset) hostEvent(h *Host, t activity.Type, metadata map[string]any) {
	if metadata == nil {
		metadata = make(map[string]any, 2)
	}
	metadata["host_id"], metadata["hostname"] = h.ID, h.Hostname
	cs.event(t, metadata)
}

func (cs *Changeset) observeHost(id HostID, facts HostFacts) error {
	before, err := cs.hostOrStub(id)
	if err != nil {
		return err
	}
	facts = facts.over(before.HostFacts)
	switch {
	case before.Hostname == "": // unknown, or known to a cluster only
		cs.registerHost(before, facts)
		return cs.judgeRunning(id)
	case before.DeregisteredAt != nil:
		cs.restoreHost(before, facts)
		return cs.judgeRunning(id)
	case !same(before.HostFacts, facts) && !cs.observeMachine(before, facts):
		cs.changeFacts(cs.changeHost(before), before, facts)
	}
	return nil
}

// changeFacts takes over what a host says about itself.
func (cs *Changeset) changeFacts(after, before *Host, facts HostFacts) {
	after.HostFacts = facts
	cs.hostEvent(after, activity.TypeHostDetailsUpdated, after.details())
	cs.softwareUpdates(after, before.FQDN)
}

func (cs *Changeset) registerHost(before *Host, facts HostFacts) {
	after := cs.changeHost(before)
	after.HostFacts, after.RegisteredAt = facts, cs.now
	after.Heartbeat, after.Health, after.Inputs = HeartbeatUnknown, HealthUnknown, initialInputs
	metadata := after.details()
	metadata["heartbeat"], metadata["health"] = HeartbeatUnknown, nil
	cs.hostEvent(after, activity.TypeHostRegistered, metadata)
	cs.softwareUpdates(after, "")
}

func (cs *Changeset) restoreHost(before *Host, facts HostFacts) {
	after := cs.changeHost(before)
	after.DeregisteredAt, after.HostFacts = nil, facts
	cs.hostEvent(after, activity.TypeHostRestored, nil)
	// A host that only rebooted meanwhile is the same host.
	rebooted := before.HostFacts
	rebooted.LastBoot = facts.LastBoot
	if same(rebooted, facts) {
		cs.softwareUpdates(after, "")
		return
	}
	cs.hostEvent(after, activity.TypeHostDetailsUpdated, after.details())
	cs.softwareUpdates(after, before.FQDN)
}

// judgeRunning judges the tuning of a host that has just become part of the
// landscape, where SAP instances on it were known before: had they come after
// it, they would have had it judged.
func (cs *Changeset) judgeRunning(id HostID) error {
	running, err := cs.sapRunning(id)
	if err != nil || !running {
		return err
	}
	return cs.judgeSaptune(id, true)
}

// softwareUpdates adds what a changed domain name means for the software
// updates: they are looked up by it.
func (cs *Changeset) softwareUpdates(h *Host, formerFQDN string) {
	switch {
	case h.FQDN == formerFQDN:
	case h.FQDN == "":
		cs.hostEvent(h, activity.TypeSoftwareUpdatesDiscoveryCleared, nil)
	default:
		cs.hostEvent(h, activity.TypeSoftwareUpdatesDiscoveryRequested, map[string]any{"fully_qualified_domain_name": h.FQDN})
	}
}

func (cs *Changeset) observeCloud(before *Host, cloud *Cloud) {
	if same(before.Cloud, cloud) {
		return
	}
	after := cs.changeHost(before)
	after.Cloud = cloud
	cs.hostEvent(after, activity.TypeProviderUpdated, map[string]any{"provider": cloud.Provider, "provider_data": cloud.Data()})
}

func (cs *Changeset) observeSubscriptions(before *Host, subscriptions []Subscription) {
	if len(before.Subscriptions)+len(subscriptions) == 0 || same(before.Subscriptions, subscriptions) {
		return
	}
	after := cs.changeHost(before)
	after.Subscriptions = subscriptions
	cs.hostEvent(after, activity.TypeSLESSubscriptionsUpdated, map[string]any{"subscriptions": after.SubscriptionData()})
}

func (cs *Changeset) observeSaptune(before *Host, seen SaptuneReport) error {
	if status := reportedSaptune(before.Saptune, seen); !same(before.Saptune, status) {
		after := cs.changeHost(before)
		after.Saptune = status
		cs.hostEvent(after, activity.TypeSaptuneStatusUpdated, map[string]any{"status": status})
	}
	running, err := cs.sapRunning(before.ID)
	if err != nil {
		return err
	}
	return cs.judgeSaptune(before.ID, running)
}

// judgeSaptune judges the tuning of a host, and with it its health, anew. A
// host that is not registered is not judged.
func (cs *Changeset) judgeSaptune(id HostID, sapRunning bool) error {
	before, err := cs.registeredHost(id)
	if errors.Is(err, ErrNotRegistered) {
		return nil
	}
	if err != nil {
		return err
	}
	inputs := before.Inputs
	inputs.Saptune = SaptuneHealth(before.Saptune, sapRunning)
	if inputs == before.Inputs && inputs.Overall() == before.Health {
		return nil
	}
	after := cs.changeHost(before)
	after.Inputs, after.Health = inputs, inputs.Overall()
	if inputs.Saptune != before.Inputs.Saptune {
		cs.hostEvent(after, activity.TypeHostSaptuneHealthChanged, changeOf("saptune_health", before.Inputs.Saptune, inputs.Saptune, ""))
	}
	if after.Health != before.Health {
		cs.hostEvent(after, activity.TypeHostHealthChanged, changeOf("health", before.Health, after.Health, causeOf(after.Health, after.Inputs.parts())))
	}
	return nil
}

// reportedSaptune is the state of saptune after a report. A report without a
// status says nothing new about the version it names: an earlier full status
// of that version survives.
func reportedSaptune(before *Saptune, seen SaptuneReport) *Saptune {
	if seen.Unread {
		return before
	}
	if seen.Status != nil && seen.Status.TuningState == nil && before != nil {
		// What could not be read must not hide that the tuning is not compliant.
		status := *seen.Status
		status.TuningState = before.TuningState
		return &status
	}
	if !seen.Installed || seen.Status != nil {
		return seen.Status
	}
	var version *string
	if seen.PackageVersion != "" {
		version = &seen.PackageVersion
	}
	if before != nil && same(before.PackageVersion, version) {
		return before
	}
	return &Saptune{
		PackageVersion: version,
		Services:       []SaptuneService{}, EnabledNotes: []SaptuneNote{}, AppliedNotes: []SaptuneNote{},
	}
}

// HeartbeatReceived decides what a heartbeat changes about a registered host.
func HeartbeatReceived(state State, id HostID, now time.Time) (*Changeset, error) {
	cs := NewChangeset(state, now)
	before, err := cs.registeredHost(id)
	if err != nil || before.Heartbeat == HeartbeatPassing {
		return cs, err
	}
	after := cs.changeHost(before)
	after.Heartbeat, after.StaleSince = HeartbeatPassing, nil
	cs.hostEvent(after, activity.TypeHeartbeatSucceeded, nil)
	return cs, cs.judgeWaiting()
}

// HeartbeatLost decides what the loss of the heartbeat, noticed now, changes: the
// host and all that its agent reported turn stale. No health changes by it:
// silence says nothing about the host.
func HeartbeatLost(state State, id HostID, now time.Time) (*Changeset, error) {
	cs := NewChangeset(state, now)
	before, err := cs.registeredHost(id)
	if err != nil || before.Heartbeat == HeartbeatCritical {
		return cs, err
	}
	after := cs.changeHost(before)
	after.Heartbeat, after.StaleSince = HeartbeatCritical, &cs.now
	cs.hostEvent(after, activity.TypeHeartbeatFailed, nil)
	if err := cs.markAllSAPStale(id); err != nil {
		return cs, err
	}
	if err := cs.markClusterStale(id); err != nil {
		return cs, err
	}
	return cs, cs.judgeWaiting()
}

// details are the facts of the host in the words of the activity log.
func (h *Host) details() map[string]any {
	addresses := make([]string, len(h.Addresses))
	for i, a := range h.Addresses {
		addresses[i] = a.String()
	}
	return map[string]any{
		"ip_addresses": addresses, "agent_version": h.AgentVersion, "arch": h.Arch,
		"cpu_count": h.CPUCount, "total_memory_mb": h.MemoryMB, "socket_count": h.SocketCount,
		"os_version": h.OSVersion, "installation_source": h.InstallationSource,
		"fully_qualified_domain_name": orNull(h.FQDN),
		"prometheus_targets":          h.PrometheusTargets, "prometheus_mode": h.PrometheusMode,
		"systemd_units": h.SystemdUnits, "last_boot_timestamp": h.LastBoot,
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// same compares two values of the landscape by what would be stored of them,
// so that a value read back equals the one it was made from.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
