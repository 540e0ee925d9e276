package activity

import (
	"fmt"
	"strings"
	"time"
)

// HeartbeatFailed says that the heartbeat of a host was lost.
type HeartbeatFailed struct {
	Correlated
	AboutHost
}

func (*HeartbeatFailed) Type() Type { return TypeHeartbeatFailed }

// HeartbeatSucceeded says that a host whose heartbeat was lost, or a new host,
// has sent a heartbeat.
type HeartbeatSucceeded struct {
	Correlated
	AboutHost
}

func (*HeartbeatSucceeded) Type() Type { return TypeHeartbeatSucceeded }

// HostFacts are the facts that a host reports about itself. A member that is
// null was not reported.
type HostFacts struct {
	FQDN               *string           `json:"fully_qualified_domain_name"`
	Addresses          []string          `json:"ip_addresses"` // in CIDR notation, without a prefix if that is unknown
	AgentVersion       string            `json:"agent_version"`
	Arch               string            `json:"arch"`
	CPUCount           int               `json:"cpu_count"`
	SocketCount        int               `json:"socket_count"`
	MemoryMB           int               `json:"total_memory_mb"`
	OSVersion          string            `json:"os_version"`
	InstallationSource string            `json:"installation_source"`
	PrometheusTargets  map[string]string `json:"prometheus_targets"`
	PrometheusMode     string            `json:"prometheus_mode"`
	SystemdUnits       Document          `json:"systemd_units"` // as the API shows them
	LastBoot           *time.Time        `json:"last_boot_timestamp"`
}

// HostRegistered says that a new host was registered.
type HostRegistered struct {
	Correlated
	AboutHost
	HostFacts
	Heartbeat string  `json:"heartbeat"`
	Health    *string `json:"health"` // nil: not evaluated yet
}

func (*HostRegistered) Type() Type { return TypeHostRegistered }

// HostDetailsUpdated says that the facts of a host have changed.
type HostDetailsUpdated struct {
	Correlated
	AboutHost
	HostFacts
}

func (*HostDetailsUpdated) Type() Type { return TypeHostDetailsUpdated }

// HostHealthChanged says that the health of a host has changed.
type HostHealthChanged struct {
	Correlated
	AboutHost
	Health string `json:"health"`
	Change
}

func (*HostHealthChanged) Type() Type           { return TypeHostHealthChanged }
func (e *HostHealthChanged) message() string    { return e.Sentence("Host health", e.Health) }
func (e *HostHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// HostChecksHealthChanged says that the result of a host's checks has changed.
type HostChecksHealthChanged struct {
	Correlated
	AboutHost
	Health string `json:"checks_health"`
	Change
}

func (*HostChecksHealthChanged) Type() Type { return TypeHostChecksHealthChanged }
func (e *HostChecksHealthChanged) message() string {
	return e.Sentence("Checks health for host", e.Health)
}
func (e *HostChecksHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// HostSaptuneHealthChanged says that the health of a host's tuning has changed.
type HostSaptuneHealthChanged struct {
	Correlated
	AboutHost
	Health string `json:"saptune_health"`
	Change
}

func (*HostSaptuneHealthChanged) Type() Type { return TypeHostSaptuneHealthChanged }
func (e *HostSaptuneHealthChanged) message() string {
	return e.Sentence("Host saptune health", e.Health)
}
func (e *HostSaptuneHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// SoftwareUpdatesHealthChanged says that the health of a host's software
// updates has changed.
type SoftwareUpdatesHealthChanged struct {
	Correlated
	AboutHost
	Health string `json:"health"`
	Change
}

func (*SoftwareUpdatesHealthChanged) Type() Type { return TypeSoftwareUpdatesHealthChanged }
func (e *SoftwareUpdatesHealthChanged) message() string {
	return e.Sentence("Software updates health", e.Health)
}
func (e *SoftwareUpdatesHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// SoftwareUpdatesDiscoveryRequested says that the software updates of a host
// must be looked up by its domain name.
type SoftwareUpdatesDiscoveryRequested struct {
	Correlated
	AboutHost
	FQDN string `json:"fully_qualified_domain_name"`
}

func (*SoftwareUpdatesDiscoveryRequested) Type() Type { return TypeSoftwareUpdatesDiscoveryRequested }

// SoftwareUpdatesDiscoveryCleared says that the known software updates of a
// host are no longer valid.
type SoftwareUpdatesDiscoveryCleared struct {
	Correlated
	AboutHost
}

func (*SoftwareUpdatesDiscoveryCleared) Type() Type { return TypeSoftwareUpdatesDiscoveryCleared }

// ProviderUpdated says that the cloud data of a host has changed.
type ProviderUpdated struct {
	Correlated
	AboutHost
	Provider string   `json:"provider"`
	Data     Document `json:"provider_data"` // as the API shows it
}

func (*ProviderUpdated) Type() Type { return TypeProviderUpdated }

// SaptuneStatusUpdated says that the saptune status of a host has changed.
type SaptuneStatusUpdated struct {
	Correlated
	AboutHost
	Status Document `json:"status"` // as the API shows it
}

func (*SaptuneStatusUpdated) Type() Type { return TypeSaptuneStatusUpdated }

// SLESSubscriptionsUpdated says that the subscriptions of a host have changed.
type SLESSubscriptionsUpdated struct {
	Correlated
	AboutHost
	Subscriptions Document `json:"subscriptions"` // as the API shows them
}

func (*SLESSubscriptionsUpdated) Type() Type { return TypeSLESSubscriptionsUpdated }

// HostIDShared says that several machines report under one host id.
type HostIDShared struct {
	Correlated
	AboutHost
	Machines []Machine `json:"machines"`
}

// Machine is one of several machines with the same host id.
type Machine struct {
	Hostname  string   `json:"hostname"`
	Addresses []string `json:"ip_addresses"`
}

func (*HostIDShared) Type() Type { return TypeHostIDShared }
func (e *HostIDShared) message() string {
	names := make([]string, len(e.Machines))
	for i, m := range e.Machines {
		names[i] = m.Hostname
		if len(m.Addresses) > 0 {
			names[i] += fmt.Sprintf(" (%s)", m.Addresses[0])
		}
	}
	return fmt.Sprintf("%d machines report under one id: %s", len(names), strings.Join(names, ", "))
}

// HostIDUnshared says that only one machine reports under a host id again.
type HostIDUnshared struct {
	Correlated
	AboutHost
}

func (*HostIDUnshared) Type() Type { return TypeHostIDUnshared }

// HostDeregistrationRequested says that a host is about to be removed.
type HostDeregistrationRequested struct {
	Correlated
	AboutHost
	RequestedAt time.Time `json:"requested_at"`
}

func (*HostDeregistrationRequested) Type() Type { return TypeHostDeregistrationRequested }

// HostDeregistered says that a host was removed.
type HostDeregistered struct {
	Correlated
	AboutHost
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*HostDeregistered) Type() Type { return TypeHostDeregistered }

// HostRestored says that a removed host was registered again.
type HostRestored struct {
	Correlated
	AboutHost
}

func (*HostRestored) Type() Type { return TypeHostRestored }

// HostCleanupRequested says that a user has asked to remove a host.
type HostCleanupRequested struct {
	Correlated
	AboutHost
}

func (*HostCleanupRequested) Type() Type { return TypeHostCleanupRequested }

// HostChecksSelected says which checks were selected for a host.
type HostChecksSelected struct {
	AboutHost
	Checks []string `json:"checks"`
	// Added and Removed are the differences to the selection before.
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

func (*HostChecksSelected) Type() Type { return TypeHostChecksSelected }

// HostDiscoveryRequested says that a user has asked the agent of a host for
// reports.
type HostDiscoveryRequested struct {
	AboutHost
	Discoveries []string `json:"discovery_types"`
}

func (*HostDiscoveryRequested) Type() Type { return TypeHostDiscoveryRequested }

// AgentReportFaulty says that a report of an agent could not be used, or only
// in part.
type AgentReportFaulty struct {
	Correlated
	AboutHost
	Discovery    string          `json:"discovery_type"`
	Outcome      string          `json:"outcome"` // "refused" or "partly_used"
	Since        time.Time       `json:"since"`
	ProblemCount int             `json:"problem_count"`
	Problems     []ReportProblem `json:"problems"` // the first problems
}

func (*AgentReportFaulty) Type() Type { return TypeAgentReportFaulty }
func (e *AgentReportFaulty) message() string {
	report := ReportName(e.Discovery) + " of " + e.senderName()
	message := "The " + report + " could not be used"
	if e.Outcome == "partly_used" {
		message = PartlyUsed(e.ProblemCount, report)
	}
	if len(e.Problems) == 0 {
		return message
	}
	return message + ": " + e.Problems[0].String()
}

// AgentReportRecovered says that the reports of an agent can be used again.
type AgentReportRecovered struct {
	Correlated
	AboutHost
	Discovery string    `json:"discovery_type"`
	Since     time.Time `json:"since"`
}

func (*AgentReportRecovered) Type() Type { return TypeAgentReportRecovered }
func (e *AgentReportRecovered) message() string {
	if _, known := reportSubject(e.Discovery); !known {
		return "No more reports of an unknown type came from " + e.senderName()
	}
	return fmt.Sprintf("The %s of %s can be used again", ReportName(e.Discovery), e.senderName())
}
