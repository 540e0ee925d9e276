package landscape

import (
	"net/netip"
	"strconv"
	"time"
)

// Heartbeat is the state of the heartbeat of a host's agent.
type Heartbeat string

// The states of a heartbeat. HeartbeatUnknown means that the agent has never
// sent one.
const (
	HeartbeatUnknown  Heartbeat = "unknown"
	HeartbeatPassing  Heartbeat = "passing"
	HeartbeatCritical Heartbeat = "critical"
)

// Host is a machine with an agent.
type Host struct {
	ID HostID `json:"id"`
	HostFacts

	Heartbeat Heartbeat `json:"heartbeat"`
	// StaleSince is the time at which the loss of the heartbeat was noticed;
	// nil if it is not lost.
	StaleSince *time.Time `json:"stale_since,omitempty"`

	// Health is the overall health of Inputs when they were last evaluated.
	Health Health       `json:"health"`
	Inputs HealthInputs `json:"health_inputs"`

	// Cloud is nil before the first cloud discovery.
	Cloud         *Cloud         `json:"cloud,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	// Saptune is nil if saptune is not installed or was not reported yet.
	Saptune *Saptune `json:"saptune,omitempty"`

	// ClusterID is "" if the host is in no cluster. It can be set before the
	// host itself was reported; Hostname is "" then.
	ClusterID         ClusterID `json:"cluster_id,omitzero"`
	ClusterHostStatus string    `json:"cluster_host_status,omitempty"`

	SelectedChecks []string `json:"selected_checks,omitempty"`

	// MachineHistory is nil if only one machine has recently reported under the
	// id.
	MachineHistory *MachineHistory `json:"turns,omitempty"`

	RegisteredAt   time.Time  `json:"registered_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	DeregisteredAt *time.Time `json:"deregistered_at,omitempty"`
}

// Registered reports whether the host is part of the landscape now.
func (h *Host) Registered() bool { return h.Hostname != "" && h.DeregisteredAt == nil }

// clone returns a copy whose own fields may be modified.
func (h *Host) clone() *Host {
	after := *h
	return &after
}

// HostFacts are the facts that a host_discovery reports about a host.
type HostFacts struct {
	Hostname           string            `json:"hostname"`
	FQDN               string            `json:"fqdn,omitempty"`
	Addresses          []Address         `json:"addresses"`
	AgentVersion       string            `json:"agent_version"`
	Arch               string            `json:"arch"`
	CPUCount           int               `json:"cpu_count"`
	SocketCount        int               `json:"socket_count"`
	MemoryMB           int               `json:"memory_mb"`
	OSVersion          string            `json:"os_version"`
	InstallationSource string            `json:"installation_source"`
	PrometheusTargets  map[string]string `json:"prometheus_targets,omitzero"` // nil: not reported
	PrometheusMode     string            `json:"prometheus_mode"`             // pull, push or unknown
	SystemdUnits       []SystemdUnit     `json:"systemd_units"`
	LastBoot           *time.Time        `json:"last_boot,omitempty"` // in UTC, without fractions of a second

	// FQDNUnread is true if the domain name could not be read. It is set only
	// in reports, never in stored hosts.
	FQDNUnread bool `json:"fqdn_unread,omitzero"`
}

// withUnreadFrom returns the facts, with the known addresses and domain name if
// they could not be read (Addresses is nil, FQDNUnread is true). Other data
// depends on these two: SAP systems find their databases by the addresses, and
// software updates are looked up by the domain name.
func (f HostFacts) withUnreadFrom(known HostFacts) HostFacts {
	if f.Addresses == nil {
		f.Addresses = known.Addresses
	}
	if f.Addresses == nil {
		f.Addresses = []Address{}
	}
	if f.FQDNUnread {
		f.FQDN, f.FQDNUnread = known.FQDN, false
	}
	return f
}

// Address is an IPv4 address of a host. Prefix is nil if the agent is too old
// to report it.
type Address struct {
	IP     netip.Addr `json:"ip"`
	Prefix *int       `json:"prefix,omitempty"`
}

// String returns the address in CIDR notation, without the prefix if that is
// unknown.
func (a Address) String() string {
	if a.Prefix == nil {
		return a.IP.String()
	}
	return a.IP.String() + "/" + strconv.Itoa(*a.Prefix)
}

func addressTexts(addresses []Address) []string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	return texts
}

// SystemdUnit is a unit that the agent monitors, with its unit file state.
type SystemdUnit struct {
	Name          string `json:"name"`
	UnitFileState string `json:"unit_file_state"`
}

// Cloud is the platform on which a host runs, with the provider's description
// of the machine. At most one of the descriptions is set.
type Cloud struct {
	Provider string   `json:"provider"`
	Azure    *AzureVM `json:"azure,omitempty"`
	AWS      *AWSVM   `json:"aws,omitempty"`
	GCP      *GCPVM   `json:"gcp,omitempty"`
}

// AzureVM is the description of a host by Azure. Fields that are nil were not
// reported.
type AzureVM struct {
	VMName         *string `json:"vm_name"`
	ResourceGroup  *string `json:"resource_group"`
	Location       *string `json:"location"`
	VMSize         *string `json:"vm_size"`
	DataDiskNumber int     `json:"data_disk_number"`
	Offer          *string `json:"offer"`
	SKU            *string `json:"sku"`
	AdminUsername  *string `json:"admin_username"`
}

// AWSVM is the description of a host by AWS. Fields that are nil could not be
// read.
type AWSVM struct {
	AccountID        *string `json:"account_id"`
	AMIID            *string `json:"ami_id"`
	AvailabilityZone *string `json:"availability_zone"`
	DataDiskNumber   *int    `json:"data_disk_number"`
	InstanceID       *string `json:"instance_id"`
	InstanceType     *string `json:"instance_type"`
	Region           *string `json:"region"`
	VPCID            *string `json:"vpc_id"`
}

// GCPVM is the description of a host by Google Cloud. Fields that are nil could
// not be read.
type GCPVM struct {
	DiskNumber   *int    `json:"disk_number"`
	Image        *string `json:"image"`
	InstanceName *string `json:"instance_name"`
	MachineType  *string `json:"machine_type"`
	Network      *string `json:"network"`
	ProjectID    *string `json:"project_id"`
	Zone         *string `json:"zone"`
}

// Data returns the description of the machine as the API shows it
// (provider_data); nil if there is none.
func (c *Cloud) Data() any {
	switch {
	case c == nil:
		return nil
	case c.Azure != nil:
		return c.Azure
	case c.AWS != nil:
		return c.AWS
	case c.GCP != nil:
		return c.GCP
	}
	return nil
}

// Subscription is the registration of a SUSE product on a host. Dates are
// texts, as the agent has sent them.
type Subscription struct {
	Identifier string  `json:"identifier"`
	Version    string  `json:"version"`
	Arch       string  `json:"arch"`
	Status     string  `json:"status"`
	State      *string `json:"subscription_status"`
	Type       *string `json:"type"`
	StartsAt   *string `json:"starts_at"`
	ExpiresAt  *string `json:"expires_at"`
}

// HostSubscription is a subscription as the API shows it: with its host.
type HostSubscription struct {
	HostID HostID `json:"host_id"`
	Subscription
}

// SubscriptionData returns the subscriptions of the host as the API shows them,
// in the order in which they were reported.
func (h *Host) SubscriptionData() []HostSubscription {
	data := make([]HostSubscription, len(h.Subscriptions))
	for i, s := range h.Subscriptions {
		data[i] = HostSubscription{HostID: h.ID, Subscription: s}
	}
	return data
}

// Saptune is the status of saptune, the tuning tool, on a host. Its JSON form
// is the saptune_status of the API.
type Saptune struct {
	PackageVersion    *string          `json:"package_version"`
	ConfiguredVersion *string          `json:"configured_version"`
	TuningState       *string          `json:"tuning_state"`
	Services          []SaptuneService `json:"services"`
	EnabledNotes      []SaptuneNote    `json:"enabled_notes"`
	AppliedNotes      []SaptuneNote    `json:"applied_notes"`
	EnabledSolution   *SaptuneSolution `json:"enabled_solution"`
	AppliedSolution   *SaptuneSolution `json:"applied_solution"`
	Staging           *SaptuneStaging  `json:"staging"`
}

// SaptuneReport is the content of a saptune_discovery. Status is nil if saptune
// is not installed, or too old to report more than its version.
type SaptuneReport struct {
	Installed      bool     `json:"installed"`
	PackageVersion string   `json:"package_version"`
	Status         *Saptune `json:"status,omitempty"`
	// Unread is true if the report does not say whether saptune is installed,
	// because that could not be read.
	Unread bool `json:"unread,omitzero"`
}

// SaptuneService is a service that saptune depends on. Both states are nil if
// it is not installed.
type SaptuneService struct {
	Name    string  `json:"name"`
	Enabled *string `json:"enabled"`
	Active  *string `json:"active"`
}

// SaptuneNote is an SAP note that saptune enables or applies.
type SaptuneNote struct {
	ID                  string `json:"id"`
	AdditionallyEnabled bool   `json:"additionally_enabled"`
}

// SaptuneSolution is a named set of notes.
type SaptuneSolution struct {
	ID      string   `json:"id"`
	Notes   []string `json:"notes"`
	Partial bool     `json:"partial"`
}

// SaptuneStaging is the state of saptune's staging: the notes and solutions
// that are not released yet.
type SaptuneStaging struct {
	Enabled      bool     `json:"enabled"`
	Notes        []string `json:"notes"`
	SolutionsIDs []string `json:"solutions_ids"`
}
