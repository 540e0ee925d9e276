package landscape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"trento/store/activity"
)

// ErrNotRegistered says that a report speaks of a host that is not part of
// the landscape: no host_discovery has arrived yet, or it was cleaned up.
var ErrNotRegistered = errors.New("host is not registered")

// Observe decides what an observation changes about a host. before is nil
// where the host is unknown. sapRunning tells whether SAP instances are known
// on it. The host that comes back is to be stored if and only if changed.
func Observe(before *Host, seen Observation, sapRunning bool, now time.Time) (after Host, events []Event, changed bool, err error) {
	if seen.Kind == HostDiscovery {
		return observeHost(before, *seen.Host, seen.Agent, now)
	}
	if before == nil || !before.Registered() {
		return Host{}, nil, false, ErrNotRegistered
	}
	after = *before
	switch seen.Kind {
	case CloudDiscovery:
		if !same(before.Cloud, seen.Cloud) {
			after.Cloud = seen.Cloud
			events = append(events, after.event(activity.ProviderUpdated, map[string]any{
				"provider": seen.Cloud.Provider, "provider_data": seen.Cloud.Data(),
			}))
		}
	case SubscriptionDiscovery:
		if !same(before.Subscriptions, seen.Subscriptions) && len(before.Subscriptions)+len(seen.Subscriptions) > 0 {
			after.Subscriptions = seen.Subscriptions
			events = append(events, after.event(activity.SLESSubscriptionsUpdated, map[string]any{
				"subscriptions": after.SubscriptionData(),
			}))
		}
	case SaptuneDiscovery:
		after.Saptune = observeSaptune(before.Saptune, *seen.Saptune)
		if !same(before.Saptune, after.Saptune) {
			events = append(events, after.event(activity.SaptuneStatusUpdated, map[string]any{"status": after.Saptune}))
		}
		after.Inputs.Saptune = SaptuneHealth(after.Saptune, sapRunning)
		if after.Inputs.Saptune != before.Inputs.Saptune {
			events = append(events, after.event(activity.HostSaptuneHealthChanged, map[string]any{"saptune_health": after.Inputs.Saptune}))
		}
		events = after.judge(events)
	default:
		return Host{}, nil, false, fmt.Errorf("landscape: no rule for %s", seen.Kind)
	}
	if changed = len(events) > 0; changed {
		after.UpdatedAt = now
	}
	return after, events, changed, nil
}

func observeHost(before *Host, facts HostFacts, id HostID, now time.Time) (after Host, events []Event, changed bool, err error) {
	switch {
	case before == nil:
		after = Host{
			ID: id, HostFacts: facts, Heartbeat: HeartbeatUnknown,
			Health: HealthUnknown, Inputs: initialInputs, RegisteredAt: now, UpdatedAt: now,
		}
		registered := after.event(activity.HostRegistered, after.details())
		registered.Metadata["heartbeat"] = HeartbeatUnknown
		registered.Metadata["health"] = nil
		return after, after.softwareUpdates([]Event{registered}, ""), true, nil

	case before.DeregisteredAt != nil:
		after = *before
		after.DeregisteredAt, after.HostFacts, after.UpdatedAt = nil, facts, now
		events = append(events, after.event(activity.HostRestored, nil))
		// A host that only rebooted meanwhile is the same host.
		rebooted := before.HostFacts
		rebooted.LastBoot = facts.LastBoot
		if same(rebooted, facts) {
			return after, after.softwareUpdates(events, ""), true, nil
		}
		events = append(events, after.event(activity.HostDetailsUpdated, after.details()))
		return after, after.softwareUpdates(events, before.FQDN), true, nil

	case same(before.HostFacts, facts):
		return *before, nil, false, nil
	}
	after = *before
	after.HostFacts, after.UpdatedAt = facts, now
	events = append(events, after.event(activity.HostDetailsUpdated, after.details()))
	return after, after.softwareUpdates(events, before.FQDN), true, nil
}

// softwareUpdates adds what a changed domain name means for the software
// updates: they are looked up by it.
func (h *Host) softwareUpdates(events []Event, formerFQDN string) []Event {
	switch {
	case h.FQDN == formerFQDN:
		return events
	case h.FQDN == "":
		return append(events, h.event(activity.SoftwareUpdatesDiscoveryCleared, nil))
	}
	return append(events, h.event(activity.SoftwareUpdatesDiscoveryRequested, map[string]any{"fully_qualified_domain_name": h.FQDN}))
}

// observeSaptune is the state of saptune after a report. A report without a
// status says nothing new about the version it names: an earlier full status
// of that version survives.
func observeSaptune(before *Saptune, seen SaptuneReport) *Saptune {
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

// judge adds up the health of the host anew.
func (h *Host) judge(events []Event) []Event {
	if overall := h.Inputs.Overall(); overall != h.Health {
		h.Health = overall
		events = append(events, h.event(activity.HostHealthChanged, map[string]any{"health": overall}))
	}
	return events
}

// Heard decides what a heartbeat changes about a registered host.
func Heard(before *Host, now time.Time) (after Host, events []Event, changed bool) {
	if before.Heartbeat == HeartbeatPassing {
		return *before, nil, false
	}
	after = *before
	after.Heartbeat, after.StaleSince, after.UpdatedAt = HeartbeatPassing, nil, now
	return after, []Event{after.event(activity.HeartbeatSucceeded, nil)}, true
}

// Silent decides what the loss of the heartbeat, noticed now, changes about a
// registered host. The health stays what it was: silence says nothing about it.
func Silent(before *Host, now time.Time) (after Host, events []Event, changed bool) {
	if before.Heartbeat == HeartbeatCritical {
		return *before, nil, false
	}
	after = *before
	after.Heartbeat, after.StaleSince, after.UpdatedAt = HeartbeatCritical, &now, now
	return after, []Event{after.event(activity.HeartbeatFailed, nil)}, true
}

// event is a fact about the host; its id and name go with every one.
func (h *Host) event(t activity.Type, metadata map[string]any) Event {
	if metadata == nil {
		metadata = make(map[string]any, 2)
	}
	metadata["host_id"], metadata["hostname"] = h.ID, h.Hostname
	return Event{Type: t, Metadata: metadata}
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
