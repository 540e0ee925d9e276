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
func Observe(state State, seen Observation, now time.Time) (*Decision, error) {
	d := Decide(state, now)
	if err := d.observe(seen); err != nil {
		return d, err
	}
	return d, d.judgeWaiting()
}

func (d *Decision) observe(seen Observation) error {
	switch seen.Kind {
	case HostDiscovery:
		return d.observeHost(seen.Agent, *seen.Host)
	case ClusterDiscovery:
		return d.observeCluster(seen.Agent, seen.Cluster)
	case SAPSystemDiscovery:
		return d.observeSAP(seen.Agent, seen.SAP)
	}
	before, err := d.registeredHost(seen.Agent)
	if err != nil || before.Shared() {
		return err // of which of the machines, nobody knows
	}
	switch seen.Kind {
	case CloudDiscovery:
		d.observeCloud(before, seen.Cloud)
	case SubscriptionDiscovery:
		d.observeSubscriptions(before, seen.Subscriptions)
	case SaptuneDiscovery:
		return d.observeSaptune(before, *seen.Saptune)
	default:
		return fmt.Errorf("landscape: no rule for %s", seen.Kind)
	}
	return nil
}

// registeredHost is a host that is part of the landscape, or ErrNotRegistered.
func (d *Decision) registeredHost(id HostID) (*Host, error) {
	host, err := d.host(id)
	if errors.Is(err, ErrUnknown) || err == nil && !host.Registered() {
		return nil, fmt.Errorf("host %s: %w", id, ErrNotRegistered)
	}
	return host, err
}

// changeHost begins a change of a host: the copy is the one to be stored.
func (d *Decision) changeHost(before *Host) *Host {
	after := *before
	after.UpdatedAt = d.now
	d.Hosts[after.ID] = &after
	return &after
}

func (d *Decision) hostEvent(h *Host, t activity.Type, metadata map[string]any) {
	if metadata == nil {
		metadata = make(map[string]any, 2)
	}
	metadata["host_id"], metadata["hostname"] = h.ID, h.Hostname
	d.event(t, metadata)
}

func (d *Decision) observeHost(id HostID, facts HostFacts) error {
	before, err := d.hostOrStub(id)
	if err != nil {
		return err
	}
	facts = facts.over(before.HostFacts)
	switch {
	case before.Hostname == "": // unknown, or known to a cluster only
		d.registerHost(before, facts)
		return d.judgeRunning(id)
	case before.DeregisteredAt != nil:
		d.restoreHost(before, facts)
		return d.judgeRunning(id)
	case !same(before.HostFacts, facts) && !d.observeMachine(before, facts):
		d.changeFacts(d.changeHost(before), before, facts)
	}
	return nil
}

// changeFacts takes over what a host says about itself.
func (d *Decision) changeFacts(after, before *Host, facts HostFacts) {
	after.HostFacts = facts
	d.hostEvent(after, activity.TypeHostDetailsUpdated, after.details())
	d.softwareUpdates(after, before.FQDN)
}

func (d *Decision) registerHost(before *Host, facts HostFacts) {
	after := d.changeHost(before)
	after.HostFacts, after.RegisteredAt = facts, d.now
	after.Heartbeat, after.Health, after.Inputs = HeartbeatUnknown, HealthUnknown, initialInputs
	metadata := after.details()
	metadata["heartbeat"], metadata["health"] = HeartbeatUnknown, nil
	d.hostEvent(after, activity.TypeHostRegistered, metadata)
	d.softwareUpdates(after, "")
}

func (d *Decision) restoreHost(before *Host, facts HostFacts) {
	after := d.changeHost(before)
	after.DeregisteredAt, after.HostFacts = nil, facts
	d.hostEvent(after, activity.TypeHostRestored, nil)
	// A host that only rebooted meanwhile is the same host.
	rebooted := before.HostFacts
	rebooted.LastBoot = facts.LastBoot
	if same(rebooted, facts) {
		d.softwareUpdates(after, "")
		return
	}
	d.hostEvent(after, activity.TypeHostDetailsUpdated, after.details())
	d.softwareUpdates(after, before.FQDN)
}

// judgeRunning judges the tuning of a host that has just become part of the
// landscape, where SAP instances on it were known before: had they come after
// it, they would have had it judged.
func (d *Decision) judgeRunning(id HostID) error {
	running, err := d.sapRunning(id)
	if err != nil || !running {
		return err
	}
	return d.judgeSaptune(id, true)
}

// softwareUpdates adds what a changed domain name means for the software
// updates: they are looked up by it.
func (d *Decision) softwareUpdates(h *Host, formerFQDN string) {
	switch {
	case h.FQDN == formerFQDN:
	case h.FQDN == "":
		d.hostEvent(h, activity.TypeSoftwareUpdatesDiscoveryCleared, nil)
	default:
		d.hostEvent(h, activity.TypeSoftwareUpdatesDiscoveryRequested, map[string]any{"fully_qualified_domain_name": h.FQDN})
	}
}

func (d *Decision) observeCloud(before *Host, cloud *Cloud) {
	if same(before.Cloud, cloud) {
		return
	}
	after := d.changeHost(before)
	after.Cloud = cloud
	d.hostEvent(after, activity.TypeProviderUpdated, map[string]any{"provider": cloud.Provider, "provider_data": cloud.Data()})
}

func (d *Decision) observeSubscriptions(before *Host, subscriptions []Subscription) {
	if len(before.Subscriptions)+len(subscriptions) == 0 || same(before.Subscriptions, subscriptions) {
		return
	}
	after := d.changeHost(before)
	after.Subscriptions = subscriptions
	d.hostEvent(after, activity.TypeSLESSubscriptionsUpdated, map[string]any{"subscriptions": after.SubscriptionData()})
}

func (d *Decision) observeSaptune(before *Host, seen SaptuneReport) error {
	if status := reportedSaptune(before.Saptune, seen); !same(before.Saptune, status) {
		after := d.changeHost(before)
		after.Saptune = status
		d.hostEvent(after, activity.TypeSaptuneStatusUpdated, map[string]any{"status": status})
	}
	running, err := d.sapRunning(before.ID)
	if err != nil {
		return err
	}
	return d.judgeSaptune(before.ID, running)
}

// judgeSaptune judges the tuning of a host, and with it its health, anew. A
// host that is not registered is not judged.
func (d *Decision) judgeSaptune(id HostID, sapRunning bool) error {
	before, err := d.registeredHost(id)
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
	after := d.changeHost(before)
	after.Inputs, after.Health = inputs, inputs.Overall()
	if inputs.Saptune != before.Inputs.Saptune {
		d.hostEvent(after, activity.TypeHostSaptuneHealthChanged, changeOf("saptune_health", before.Inputs.Saptune, inputs.Saptune, ""))
	}
	if after.Health != before.Health {
		d.hostEvent(after, activity.TypeHostHealthChanged, changeOf("health", before.Health, after.Health, causeOf(after.Health, after.Inputs.parts())))
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
func HeartbeatReceived(state State, id HostID, now time.Time) (*Decision, error) {
	d := Decide(state, now)
	before, err := d.registeredHost(id)
	if err != nil || before.Heartbeat == HeartbeatPassing {
		return d, err
	}
	after := d.changeHost(before)
	after.Heartbeat, after.StaleSince = HeartbeatPassing, nil
	d.hostEvent(after, activity.TypeHeartbeatSucceeded, nil)
	return d, d.judgeWaiting()
}

// HeartbeatLost decides what the loss of the heartbeat, noticed now, changes: the
// host and all that its agent reported turn stale. No health changes by it:
// silence says nothing about the host.
func HeartbeatLost(state State, id HostID, now time.Time) (*Decision, error) {
	d := Decide(state, now)
	before, err := d.registeredHost(id)
	if err != nil || before.Heartbeat == HeartbeatCritical {
		return d, err
	}
	after := d.changeHost(before)
	after.Heartbeat, after.StaleSince = HeartbeatCritical, &d.now
	d.hostEvent(after, activity.TypeHeartbeatFailed, nil)
	if err := d.markAllSAPStale(id); err != nil {
		return d, err
	}
	if err := d.markClusterStale(id); err != nil {
		return d, err
	}
	return d, d.judgeWaiting()
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
