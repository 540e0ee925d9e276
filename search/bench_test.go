package search

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"trento/store/activity"
	"trento/store/storetest"
)

// benchEntries is the size of the log the benchmarks search.
const benchEntries = 100_000

// benchRecord makes up entry n of a log as a landscape of 300 hosts leaves it
// behind.
func benchRecord(n int) record {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	uuid := func(kind string, i int) string {
		r := rand.New(rand.NewPCG(uint64(len(kind)), uint64(i)))
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
	}
	host := r.IntN(300)
	hostname, hostID := fmt.Sprintf("vmhana%03d", host), uuid("host", host)
	correlation := uuid("correlation", n/2)
	if n%(benchEntries/5) == 17 {
		return record{activity.ResourceTagging, "admin", fmt.Sprintf(`{"resource_id":%q,"resource_type":"host","added_tag":"CHG-needle-0042","hostname":%q}`, hostID, hostname)}
	}
	switch n % 10 {
	case 0:
		return record{activity.LoginAttempt, fmt.Sprintf("user%02d", r.IntN(25)), `{}`}
	case 1, 2:
		return record{activity.HostHealthChanged, activity.System, fmt.Sprintf(`{"host_id":%q,"hostname":%q,"health":%q,"correlation_id":%q}`,
			hostID, hostname, []string{"passing", "warning", "critical"}[r.IntN(3)], correlation)}
	case 3:
		return record{activity.DatabaseInstanceStatusChanged, activity.System, fmt.Sprintf(`{"database_id":%q,"host_id":%q,"hostname":%q,"instance_number":"%02d","sid":"H%02d","status":%q,"correlation_id":%q}`,
			uuid("database", host/5), hostID, hostname, r.IntN(100), host/5, []string{"green", "yellow", "red"}[r.IntN(3)], correlation)}
	case 4, 5:
		return record{activity.HeartbeatFailed, activity.System, fmt.Sprintf(`{"host_id":%q,"hostname":%q,"correlation_id":%q}`, hostID, hostname, correlation)}
	case 6, 7:
		return record{activity.ClusterHealthChanged, activity.System, fmt.Sprintf(`{"cluster_id":%q,"name":"hana_cluster_%02d","health":"critical","correlation_id":%q}`, uuid("cluster", host/4), host/4, correlation)}
	default:
		return record{activity.HostDetailsUpdated, activity.System, fmt.Sprintf(
			`{"host_id":%q,"hostname":%q,"fully_qualified_domain_name":"%s.example.com","ip_addresses":["10.1.%d.%d"],"agent_version":"3.0.%d","cpu_count":%d,"total_memory_mb":%d,"socket_count":1,"os_version":"15.5","arch":"x86_64","installation_source":"suse","prometheus_targets":{"node_exporter":"10.1.%d.%d:9100"},"prometheus_mode":"pull","last_boot_timestamp":"2026-03-%02dT06:%02d:%02dZ","systemd_units":[{"name":"pacemaker.service","unit_file_state":"enabled"}],"correlation_id":%q}`,
			hostID, hostname, hostname, host/250, host%250, r.IntN(9), 4<<r.IntN(5), 16384<<r.IntN(5), host/250, host%250, 1+r.IntN(28), r.IntN(60), r.IntN(60), correlation)}
	}
}

func BenchmarkActivity(b *testing.B) {
	s := storetest.OpenAt(b, newClock().Now)
	for n := range benchEntries {
		write(b, s, benchRecord(n))
	}
	x, err := Open(b.TempDir(), s, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := x.Close(); err != nil {
			b.Error(err)
		}
	}()
	x.size = benchEntries / 4
	b.Run("index", func(b *testing.B) {
		if b.N > 1 {
			b.Skip("once is enough")
		}
		follow(b, x)
		b.ReportMetric(benchEntries/b.Elapsed().Seconds(), "entries/s")
	})
	filters := []struct {
		name   string
		filter activity.Filter
	}{
		{"newest", activity.Filter{}},
		{"first visit", activity.Filter{Severities: []activity.Severity{activity.Info, activity.Warning, activity.Critical}}},
		{"unprivileged", activity.Filter{WithoutUserManagement: true}},
		{"actor", activity.Filter{Actors: []string{"user07"}}},
		{"absent type", activity.Filter{Types: []activity.Type{activity.UserDeletion}}},
	}
	for _, query := range []string{
		"CHG-needle-0042", "absent", "critical", "vmhana*", "*hana*", "*needle*", "*dead*", "*0* AND CHG-needle-0042", "vmhana016 AND critical", "critical AND CHG-needle-0042", "vmhana016 vmhana017", ">=100000",
	} {
		filters = append(filters, struct {
			name   string
			filter activity.Filter
		}{query, activity.Filter{Search: parse(b, query)}})
	}
	for _, f := range filters {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Activity(context.Background(), f.filter, Walk{Limit: 20}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
