package search

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"trento/store"
	"trento/store/activity"
)

// The corpus is a made-up activity log for measuring: what a landscape of 300
// hosts, 75 clusters and 60 SAP systems leaves behind in 300 days. Entry i
// depends on i and the size of the corpus only. A million entries have about
// 550 bytes of metadata each, 1,500 distinct plain words, 700,000 distinct ids
// and 100,000 distinct texts with blanks; five of them hold the rare tag
// CHG-needle-0042.

// corpusVersion is part of the name of the directory of a corpus. Increase it
// with every change of the entries.
const corpusVersion = 2

// corpusEntries is the size of the corpus.
func corpusEntries(tb testing.TB) int {
	text := os.Getenv("TRENTO_PERF_ENTRIES")
	if text == "" {
		return 100_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1000 {
		tb.Fatalf("TRENTO_PERF_ENTRIES is %q", text)
	}
	return n
}

// corpusDir is where a corpus of that size is kept from one run to the next:
// store (the file), index, and entries.csv. It is made where it is missing.
func corpusDir(tb testing.TB, size int) string {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(cache, "trento-test", fmt.Sprintf("log-%d-v%d", size, corpusVersion))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tb.Logf("making %d entries in %s", size, dir)
	unfinished := dir + ".unfinished"
	err = errors.Join(os.RemoveAll(unfinished), makeCorpus(tb, unfinished, size), os.Rename(unfinished, dir))
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

const corpusSpan = 300 * 24 * time.Hour

func makeCorpus(tb testing.TB, dir string, size int) (err error) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var at atomic.Int64
	s, err := store.Open(filepath.Join(dir, "store"), store.Options{NoSync: true, Now: func() time.Time {
		return start.Add(time.Duration(at.Load()) * (corpusSpan / time.Duration(size)))
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for i := range size {
		at.Store(int64(i))
		e := newCorpusEntry(i, size)
		if err := s.AppendActivity(tb.Context(), store.Actor{Name: e.actor}, &activity.Foreign{Of: e.kind, Metadata: e.metadata}); err != nil {
			return err
		}
	}
	return exportCorpus(s, filepath.Join(dir, "entries.csv"))
}

// exportCorpus writes the log for the table of the existing server:
// docs/postgres.sh loads it.
func exportCorpus(s *store.Store, path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return s.View(func(tx *store.Tx) error {
		w := csv.NewWriter(file)
		for e, err := range tx.Entries(0, lastPosition) {
			if err != nil {
				return err
			}
			at := e.OccurredOn().Format("2006-01-02T15:04:05.000000Z")
			if err := w.Write([]string{e.ID, string(e.Type), e.Actor, string(e.Metadata), strconv.Itoa(int(e.Severity)), at, at}); err != nil {
				return err
			}
		}
		w.Flush()
		return w.Error()
	})
}

// copyCorpus copies the file of a corpus, for a benchmark that changes it.
func copyCorpus(tb testing.TB, size int) (dir string) {
	tb.Helper()
	from, err := os.Open(filepath.Join(corpusDir(tb, size), "store", "trento.db"))
	if err != nil {
		tb.Fatal(err)
	}
	dir = tb.TempDir()
	to, err := os.Create(filepath.Join(dir, "trento.db"))
	if err != nil {
		tb.Fatal(err)
	}
	_, err = io.Copy(to, from)
	// Synced, or the first commits would have to write all of it.
	if err = errors.Join(err, to.Sync(), from.Close(), to.Close()); err != nil {
		tb.Fatal(err)
	}
	return dir
}

type corpusEntry struct {
	kind     activity.Type
	actor    string
	metadata map[string]any
}

// corpusSource is the chance of one entry.
type corpusSource struct{ *rand.Rand }

func (r corpusSource) of(words ...string) string { return words[r.IntN(len(words))] }

// fixedID returns the id of a numbered object, the same in every entry.
func fixedID(kind string, n int) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, kind, n)).String()
}

func newCorpusEntry(i, size int) corpusEntry {
	r := corpusSource{rand.New(rand.NewPCG(42, uint64(i)))}
	host := r.IntN(300)
	hostID, hostname := fixedID("host", host), fmt.Sprintf("vmhana%03d", host)
	clusterID, cluster := fixedID("cluster", host/4), fmt.Sprintf("hana_cluster_%02d", host/4)
	systemID, sid := fixedID("system", host/5), fmt.Sprintf("H%02d", host/5)
	databaseID := fixedID("database", host/5)
	user := fmt.Sprintf("user%02d", r.IntN(25))
	moment := func() string {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(corpusSpan)))).Format("2006-01-02T15:04:05.000000Z")
	}
	m := map[string]any{"correlation_id": fixedID("correlation", i/2)}
	about := func(keys map[string]any) map[string]any {
		for key, value := range keys {
			m[key] = value
		}
		return m
	}
	ofHost := func(keys map[string]any) map[string]any {
		m["host_id"], m["hostname"] = hostID, hostname
		return about(keys)
	}
	health := r.of("passing", "passing", "warning", "critical", "unknown")
	if i%(size/5) == size/10 {
		return corpusEntry{activity.TypeResourceTagging, user, map[string]any{
			"resource_id": hostID, "resource_type": "host", "hostname": hostname, "added_tag": "CHG-needle-0042"}}
	}
	switch n := r.IntN(100); {
	case n < 6:
		return corpusEntry{activity.TypeHostHealthChanged, activity.System, ofHost(map[string]any{"health": health})}
	case n < 10:
		return corpusEntry{activity.TypeHeartbeatFailed, activity.System, ofHost(nil)}
	case n < 14:
		return corpusEntry{activity.TypeHeartbeatSucceeded, activity.System, ofHost(nil)}
	case n < 17:
		m := map[string]any{}
		if r.IntN(10) == 0 {
			m = map[string]any{"username": user, "reason": "Invalid credentials."}
		}
		return corpusEntry{activity.TypeLoginAttempt, user, m}
	case n < 29:
		return corpusEntry{activity.TypeHostDetailsUpdated, activity.System, ofHost(map[string]any{
			"fully_qualified_domain_name": hostname + ".example.com", "ip_addresses": []string{fmt.Sprintf("10.1.%d.%d/24", host/250, host%250)},
			"agent_version": fmt.Sprintf("3.%d.%d", r.IntN(3), r.IntN(9)), "cpu_count": 4 << r.IntN(5), "total_memory_mb": 16384 << r.IntN(5),
			"socket_count": 1 + r.IntN(4), "os_version": r.of("15.4", "15.5", "15.6"), "arch": "x86_64", "installation_source": "suse",
			"prometheus_targets": map[string]any{"node_exporter": fmt.Sprintf("10.1.%d.%d:9100", host/250, host%250)}, "prometheus_mode": "pull",
			"last_boot_timestamp": moment(), "systemd_units": []any{
				map[string]any{"name": "pacemaker.service", "unit_file_state": r.of("enabled", "disabled")},
				map[string]any{"name": "corosync.service", "unit_file_state": "enabled"}},
		})}
	case n < 37:
		return corpusEntry{activity.TypeSaptuneStatusUpdated, activity.System, ofHost(map[string]any{"status": map[string]any{
			"package_version": "3.1." + strconv.Itoa(r.IntN(6)), "configured_version": "3", "tuning_state": r.of("compliant", "not compliant", "no tuning"),
			"services": []any{
				map[string]any{"name": "saptune", "enabled": true, "active": r.IntN(9) > 0}, map[string]any{"name": "sapconf", "enabled": false, "active": false},
				map[string]any{"name": "tuned", "enabled": false, "active": false}},
			"enabled_notes":    []any{map[string]any{"id": strconv.Itoa(1600000 + r.IntN(40)), "additionally_enabled": false}},
			"applied_notes":    []any{map[string]any{"id": strconv.Itoa(1600000 + r.IntN(40)), "additionally_applied": false}},
			"applied_solution": map[string]any{"id": r.of("HANA", "NETWEAVER", "S4HANA-DBSERVER"), "notes": []string{"941735", "1771258", "2578899", "2993054", "1656250"}, "partial": false},
			"staging":          map[string]any{"enabled": false, "notes": []string{}, "solutions_ids": []string{}},
		}})}
	case n < 43:
		subscription := func(name string) map[string]any {
			return map[string]any{"host_id": hostID, "identifier": name, "version": r.of("15.4", "15.5"), "arch": "x86_64", "status": "Registered",
				"subscription_status": r.of("ACTIVE", "ACTIVE", "EXPIRED"), "type": "internal", "starts_at": "2025-10-01 10:00:00 UTC", "expires_at": "2027-10-01 10:00:00 UTC"}
		}
		return corpusEntry{activity.TypeSLESSubscriptionsUpdated, activity.System, ofHost(map[string]any{"subscriptions": []any{
			subscription("SLES_SAP"), subscription("sle-module-basesystem"), subscription("sle-module-sap-applications"), subscription("sle-ha")}})}
	case n < 53:
		node := func(k int) map[string]any {
			return map[string]any{"name": fmt.Sprintf("vmhana%03d", (host/4*4+k)%300), "status": r.of("Online", "Online", "Standby"), "site": r.of("NBG", "WDF"),
				"hana_status": r.of("Primary", "Secondary", "Failed"), "nameserver_actual_role": r.of("master", "slave"), "indexserver_actual_role": "master",
				"virtual_ip": fmt.Sprintf("10.80.1.%d", r.IntN(200)),
				"attributes": map[string]any{"hana_sync_state": r.of("SOK", "SFAIL", "PRIM"), "lpa_lpt": strconv.Itoa(1_690_000_000 + r.IntN(40_000)), "score": strconv.Itoa(100 + r.IntN(50)), "version": "2.00.059.00.1636535170"},
				"resources": []any{
					map[string]any{"id": "rsc_ip_" + sid, "type": "ocf::heartbeat:IPaddr2", "role": "Started", "status": "Active", "fail_count": r.IntN(3), "managed": true},
					map[string]any{"id": "rsc_SAPHana_" + sid, "type": "ocf::suse:SAPHana", "role": r.of("Master", "Slave"), "status": "Active", "fail_count": r.IntN(3), "managed": true}}}
		}
		return corpusEntry{activity.TypeClusterDetailsUpdated, activity.System, about(map[string]any{
			"cluster_id": clusterID, "name": cluster, "type": r.of("hana_scale_up", "ascs_ers"), "provider": r.of("azure", "aws", "gcp"), "hosts_number": 3, "resources_number": 5 + r.IntN(6), "state": "S_IDLE",
			"details": map[string]any{"fencing_type": "external/sbd", "maintenance_mode": false, "secondary_sync_state": r.of("SOK", "SFAIL"), "system_replication_mode": "sync",
				"system_replication_operation_mode": "logreplay", "sr_health_state": strconv.Itoa(r.IntN(5)), "nodes": []any{node(0), node(1), node(2)},
				"sbd_devices": []any{map[string]any{"device": "/dev/disk/by-id/scsi-" + strconv.Itoa(host/4), "status": "healthy"}}, "stopped_resources": []any{}},
		})}
	case n < 55:
		return corpusEntry{activity.TypeProviderUpdated, activity.System, ofHost(map[string]any{"provider": "azure", "provider_data": map[string]any{
			"vm_name": hostname, "resource_group": fmt.Sprintf("rg%02d", host/20), "location": r.of("westeurope", "northeurope", "germanywestcentral"), "vm_size": r.of("Standard_E16s_v5", "Standard_M64s", "Standard_E4s_v3"),
			"data_disk_number": r.IntN(20), "offer": "sles-sap-15-sp5-byos", "sku": "gen2", "admin_username": "cloudadmin"}})}
	case n < 57:
		return corpusEntry{activity.TypeResourceTagging, user, map[string]any{"resource_id": hostID, "resource_type": "host", "hostname": hostname, "added_tag": fmt.Sprintf("env_%03d", r.IntN(150))}}
	case n < 67:
		return corpusEntry{activity.TypeOperationCompleted, user, ofHost(map[string]any{
			"operation_id": m["correlation_id"], "operation": r.of("saptune_solution_apply", "cluster_maintenance_change", "sap_instance_stop"), "result": r.of("UPDATED", "NOT_UPDATED", "FAILED", "ROLLED_BACK"),
			"params": map[string]any{"solution": "HANA", "timeout": 300}, "failed_step": r.of("plan", "commit", "verify"),
			"errors": map[string]any{hostname: fmt.Sprintf("exit status %d after %d ms", r.IntN(4), i)}})}
	case n < 75:
		return corpusEntry{activity.TypeDatabaseInstanceSystemReplicationChanged, activity.System, ofHost(map[string]any{
			"database_id": databaseID, "sid": sid, "instance_number": fmt.Sprintf("%02d", r.IntN(4)*10), "system_replication": r.of("Primary", "Secondary"), "system_replication_status": r.of("ACTIVE", "ERROR", "SYNCING"),
			"system_replication_site": r.of("NBG", "WDF"), "system_replication_mode": "sync", "system_replication_operation_mode": "logreplay", "system_replication_source_site": "NBG", "system_replication_tier": 1 + r.IntN(2)})}
	case n < 83:
		return corpusEntry{activity.TypeApplicationInstanceStatusChanged, activity.System, ofHost(map[string]any{
			"sap_system_id": systemID, "sid": sid, "instance_number": fmt.Sprintf("%02d", r.IntN(12)), "status": r.of("green", "green", "yellow", "red", "gray"),
			"features": r.of("MESSAGESERVER|ENQUE", "ABAP|GATEWAY|ICMAN|IGS", "ENQREP"), "http_port": 50013 + 100*r.IntN(12), "start_priority": "1", "occurred_at": moment()})}
	case n < 89:
		return corpusEntry{activity.TypeClusterHealthChanged, activity.System, about(map[string]any{"cluster_id": clusterID, "name": cluster, "health": health})}
	case n < 93:
		checks := []string{}
		for range 25 {
			checks = append(checks, fmt.Sprintf("%06X", 0xDA0000+r.IntN(150)))
		}
		return corpusEntry{activity.TypeClusterChecksSelected, user, map[string]any{"cluster_id": clusterID, "name": cluster, "checks": checks}}
	case n < 97:
		return corpusEntry{activity.TypeSAPSystemHealthChanged, activity.System, about(map[string]any{"sap_system_id": systemID, "sid": sid, "health": health})}
	default:
		return corpusEntry{activity.TypeSoftwareUpdatesHealthChanged, activity.System, ofHost(map[string]any{"health": health})}
	}
}
