package metrics

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trento/search"
	"trento/store"
	"trento/store/failure"
	"trento/store/landscape"
	"trento/ui/amqp"
)

// Sources are what the state of the server is read from.
type Sources struct {
	Store *store.Store
	Index *search.Index
	Log   *slog.Logger
	// Endpoint is where agents connect for messages; nil if there is none.
	Endpoint *amqp.Broker
	// BodyBytes returns the memory that bodies of requests use: those of agents
	// and users, and those of others.
	BodyBytes func() (known, unknown int64)
	// CertificateEnd returns when the TLS certificate expires; nil if there is
	// none.
	CertificateEnd func() time.Time
}

// Watch shows the state of a server from now on, in the place of any other.
func (m *Metrics) Watch(s Sources) {
	if m != nil {
		m.sources.Store(&s)
	}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	landscapeSize     = describe("trento_landscape_things", "Hosts, clusters, databases and SAP systems, by health.", "kind", "health")
	agentsOnline      = describe("trento_agents_online", "Hosts whose agent is heard, by version of the agent.", "version")
	agentsOffline     = describe("trento_agents_offline", "Registered hosts whose agent is not heard.")
	indexLag          = describe("trento_index_lag_seconds", "Age of the oldest entry of the activity log that is not indexed; 0 if all are.")
	storeSize         = describe("trento_store_bytes", "Size of the data file.")
	storeFree         = describe("trento_store_free_bytes", "Space in the data file that is used again for later changes.")
	failureActive     = describe("trento_failure", "Whether something does not work at the moment: 0 or 1.", "failure")
	alertsOpen        = describe("trento_alert_deliveries_open", "Messages about alerts that are not delivered yet.")
	messages          = describe("trento_messages_waiting", "Messages that wait for agents.")
	messageBytes      = describe("trento_message_bytes", "Size of the messages that wait for agents.")
	connections       = describe("trento_message_connections", "Connections of agents for messages.")
	bodyBytes         = describe("trento_body_bytes", "Memory for bodies of requests that are not answered yet.", "client")
	certificateExpiry = describe("trento_certificate_expiry_timestamp_seconds", "When the TLS certificate expires, in seconds since 1970.")
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		landscapeSize, agentsOnline, agentsOffline, indexLag, storeSize, storeFree, failureActive, alertsOpen, messages, messageBytes, connections, bodyBytes, certificateExpiry,
	} {
		to <- d
	}
}

func gauge(to chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	s := m.sources.Load()
	if s == nil {
		return
	}
	if err := s.collectStored(to); err != nil {
		s.Log.Warn("some metrics cannot be read", "error", err)
		to <- prometheus.NewInvalidMetric(landscapeSize, err)
	}
	if size, err := s.Store.Size(); err == nil {
		gauge(to, storeSize, float64(size))
	}
	gauge(to, storeFree, float64(s.Store.FreeSize()))
	present := make(map[string]float64)
	for _, f := range s.Store.Failures().Present() {
		present[f.Name()] = 1
	}
	for _, name := range failure.Names() {
		gauge(to, failureActive, present[name], name)
	}
	if s.Endpoint != nil {
		n, size, open := s.Endpoint.Load()
		gauge(to, messages, float64(n))
		gauge(to, messageBytes, float64(size))
		gauge(to, connections, float64(open))
	}
	known, unknown := s.BodyBytes()
	gauge(to, bodyBytes, float64(known), "known")
	gauge(to, bodyBytes, float64(unknown), "unknown")
	if s.CertificateEnd != nil {
		gauge(to, certificateExpiry, float64(s.CertificateEnd().Unix()))
	}
}

// collectStored collects what is in the store.
func (s *Sources) collectStored(to chan<- prometheus.Metric) error {
	sizes, versions := make(sizes), make(map[string]int)
	offline, open := 0, 0
	var lag time.Duration
	if err := s.Store.View(func(tx *store.Tx) (err error) {
		if lag, err = s.Index.Behind(tx, s.Store.Now()); err != nil {
			return err
		}
		waiting, err := tx.OpenDeliveries()
		if err != nil {
			return err
		}
		open = len(waiting)
		for h, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			sizes.add("host", h.Health)
			if h.Heartbeat == landscape.HeartbeatPassing {
				versions[versionLabel(h.AgentVersion)]++
			} else {
				offline++
			}
		}
		return sizes.addOthers(tx)
	}); err != nil {
		return err
	}
	for key, n := range sizes.all() {
		gauge(to, landscapeSize, float64(n), key.kind, string(key.health))
	}
	for version, n := range limitVersions(versions) {
		gauge(to, agentsOnline, float64(n), version)
	}
	gauge(to, agentsOffline, float64(offline))
	gauge(to, indexLag, lag.Seconds())
	gauge(to, alertsOpen, float64(open))
	return nil
}

// sizes are the numbers of things of a kind with a health.
type sizes map[sizeKey]int

type sizeKey struct {
	kind   string
	health landscape.Health
}

func (s sizes) add(kind string, health landscape.Health) { s[sizeKey{kind, health}]++ }

func (s sizes) addOthers(tx *store.Tx) error {
	for c, err := range tx.Clusters() {
		if err != nil {
			return err
		}
		s.add("cluster", c.Health)
	}
	for d, err := range tx.Databases() {
		if err != nil {
			return err
		}
		s.add("database", d.Health)
	}
	for system, err := range tx.SAPSystems() {
		if err != nil {
			return err
		}
		s.add("sap_system", system.Health)
	}
	return nil
}

// all returns the numbers with a 0 for each health that nothing has, so that an
// alert can end.
func (s sizes) all() map[sizeKey]int {
	all := make(map[sizeKey]int)
	for _, kind := range []string{"host", "cluster", "database", "sap_system"} {
		for _, health := range []landscape.Health{landscape.HealthPassing, landscape.HealthWarning, landscape.HealthCritical, landscape.HealthUnknown} {
			all[sizeKey{kind, health}] = 0
		}
	}
	for key, n := range s {
		if _, known := all[key]; !known {
			key.health = landscape.HealthUnknown
		}
		all[key] += n
	}
	return all
}

// maxVersions is the number of versions of agents that are counted apart.
const maxVersions = 20

// otherVersions is the version of the agents of all other versions.
const otherVersions = "other"

// maxVersionSize is the longest version, in bytes.
const maxVersionSize = 40

// versionLabel returns the value of the label for a version: valid UTF-8 of at
// most maxVersionSize bytes.
func versionLabel(version string) string {
	return strings.ToValidUTF8(version[:min(len(version), maxVersionSize)], "")
}

// limitVersions counts rare versions together. Agents can report any text.
func limitVersions(versions map[string]int) map[string]int {
	if len(versions) <= maxVersions {
		return versions
	}
	names := slices.SortedFunc(maps.Keys(versions), func(a, b string) int {
		return cmp.Or(cmp.Compare(versions[b], versions[a]), cmp.Compare(a, b))
	})
	limited := make(map[string]int)
	for i, name := range names {
		if i >= maxVersions-1 {
			limited[otherVersions] += versions[name]
		} else {
			limited[name] += versions[name]
		}
	}
	return limited
}
