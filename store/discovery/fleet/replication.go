package fleet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// replication returns the state of the system replication as hdbnsutil shows it
// on the host.
func (i *instance) replication() map[string]any {
	db, at := i.database, i.site
	if !db.isReplicated() {
		return map[string]any{"mode": "none", "online": "true"}
	}
	of := db.siteIndex(at)
	state := map[string]any{
		"mode": db.modeOf(of), "online": strconv.FormatBool(i.state() != gray), "operation_mode": "unknown",
		"site_id": strconv.Itoa(at.id), "site_name": at.name,
		"isTakeoverActive": "false", "isPrimarySuspended": "false",
	}
	if at.unregistered {
		state["mode"] = "primary" // the former primary does not know yet that another site took over
		return state
	}
	if of > 0 {
		state["active_primary_site"], state["primary_masters"] = strconv.Itoa(db.primary().id), db.primary().instances[0].hostname
	}
	if i.state() == gray {
		return state
	}
	state["operation_mode"] = operationMode(of)
	state["isSource"], state["isConsumer"] = strconv.FormatBool(of == 0), strconv.FormatBool(of > 0)
	state["hasConsumers"] = strconv.FormatBool(len(db.targetsOf(at)) > 0)
	for n, s := range db.sites {
		if s.unregistered {
			continue
		}
		state["siteTier/"+s.name] = strconv.Itoa(db.tierOf(n))
		state["siteReplicationMode/"+s.name] = db.modeOf(n)
		state["siteOperationMode/"+s.name] = operationMode(n)
		switch targets := db.targetsOf(s); len(targets) {
		case 0:
		case 1:
			state["siteMapping/"+s.name] = targets[0]
		default:
			state["siteMapping/"+s.name] = targets
		}
	}
	for n, own := range at.instances {
		var hosts []string
		for _, s := range db.sites {
			if n < len(s.instances) {
				hosts = append(hosts, s.name+"/"+s.instances[n].hostname)
			}
		}
		state["mapping/"+own.hostname] = hosts
	}
	return state
}

func operationMode(of int) string {
	if of == 0 {
		return "primary"
	}
	return "logreplay"
}

// siteIndex returns the index of a site in the order of replication.
func (db *database) siteIndex(of *site) int {
	for n, s := range db.sites {
		if s == of {
			return n
		}
	}
	return -1
}

// targetsOf returns the names of the sites that replicate from a site.
func (db *database) targetsOf(of *site) (list []string) {
	for n, s := range db.sites {
		if db.sourceOf(n) == of && !s.unregistered {
			list = append(list, s.name)
		}
	}
	return list
}

// replicationStatus returns the state of the replication in the form of the
// database. Only the primary site knows the state of the secondaries.
func (i *instance) replicationStatus(now time.Time) map[string]string {
	db, at := i.database, i.site
	if !db.isReplicated() || i.state() == gray {
		return map[string]string{"local_site_id": "0"}
	}
	of := db.siteIndex(at)
	status := map[string]string{"local_site_id": strconv.Itoa(at.id)}
	describe := func(n int) {
		s := db.sites[n]
		prefix := fmt.Sprintf("site/%d/", s.id)
		status[prefix+"SITE_NAME"] = s.name
		status[prefix+"REPLICATION_MODE"] = strings.ToUpper(db.modeOf(n))
		if source := db.sourceOf(n); source != nil {
			status[prefix+"SOURCE_SITE_ID"] = strconv.Itoa(source.id)
		}
	}
	describe(of)
	if of > 0 {
		status[fmt.Sprintf("site/%d/PRIMARY_MASTERS", at.id)] = db.primary().instances[0].hostname
		return status
	}
	status["overall_replication_status"] = db.overallStatus()
	for n, s := range db.sites[1:] {
		if s.unregistered {
			continue
		}
		describe(n + 1)
		status[fmt.Sprintf("site/%d/REPLICATION_STATUS", s.id)] = db.statusOf(n + 1)
		if n == 0 {
			i.addShipping(status, s, now)
		}
	}
	return status
}

// The states of a replication.
const (
	active           = "ACTIVE"
	replicationError = "ERROR"
)

// statusOf returns the status of the replication to a site. It is an error if
// that site, or one that it replicates from, does not work.
func (db *database) statusOf(of int) string {
	if !db.sites[of].isUp() || of > 0 && db.statusOf(db.siteIndex(db.sourceOf(of))) == replicationError {
		return replicationError
	}
	return active
}

// overallStatus returns the status of the replication as a whole: that of the
// site with the worst.
func (db *database) overallStatus() string {
	for n := range db.sites {
		if db.statusOf(n) == replicationError {
			return replicationError
		}
	}
	return active
}

// addShipping adds the log position up to which each service of an instance has
// sent its log to a site. The position advances with time.
func (i *instance) addShipping(status map[string]string, to *site, now time.Time) {
	const (
		names, index, perTenant = 1, 3, 37 // ports of services, relative to the first port of the instance
		perSecond               = 1408     // bytes of log per second
	)
	first := 30_000 + 100*i.numberAsInt()
	service := func(port int, name, tenant string) {
		position := strconv.FormatInt(max(0, now.Unix()-i.startedAt.Unix())*perSecond+int64(port), 10)
		at := now.UTC().Add(-2 * time.Second).Format("2006-01-02 15:04:05.000000")
		for key, value := range map[string]string{
			"HOST": i.hostname, "PORT": strconv.Itoa(port), "DATABASE": tenant, "SERVICE_NAME": name,
			"SITE_ID": strconv.Itoa(i.site.id), "SITE_NAME": i.site.name,
			"SECONDARY_SITE_ID": strconv.Itoa(to.id), "SECONDARY_SITE_NAME": to.name, "SECONDARY_HOST": to.instances[0].hostname,
			"SECONDARY_PORT": strconv.Itoa(port), "SECONDARY_ACTIVE_STATUS": "YES", "SECONDARY_FAILOVER_COUNT": "0",
			"REPLICATION_MODE": "SYNC", "REPLICATION_STATUS": i.database.statusOf(i.database.siteIndex(to)), "REPLICATION_STATUS_DETAILS": "", "OPERATION_MODE": "logreplay",
			"FULL_SYNC": "DISABLED", "RESET_COUNT": "0", "SHIPPED_FULL_REPLICA_COUNT": "0",
			"LAST_LOG_POSITION": position, "LAST_LOG_POSITION_TIME": at,
			"SHIPPED_LOG_POSITION": position, "SHIPPED_LOG_POSITION_TIME": at,
			"REPLAYED_LOG_POSITION": position, "REPLAYED_LOG_POSITION_TIME": at,
		} {
			status[fmt.Sprintf("service/%s/%d/%s", i.hostname, port, key)] = value
		}
	}
	service(first+names, "nameserver", "SYSTEMDB")
	for n, t := range i.database.tenants {
		service(first+index+n*perTenant, "indexserver", t.name)
	}
}

// configuration returns the role of each host in a site with several hosts.
func (s *site) configuration() map[string]string {
	all := make(map[string]string)
	for n, i := range s.instances {
		prefix := ""
		if len(s.instances) > 1 {
			prefix = "host/" + i.hostname + "/"
			all["overall_status"] = "ok"
		}
		role, server, config := "worker", "slave", "slave"
		if n == 0 {
			server, config = "master", "master 1"
		}
		if i.software == standbySoftware {
			role = "standby"
		}
		facts := map[string]string{
			"host": i.hostname, "hostConfigRoles": role, "hostActualRoles": role, "hostActive": "yes", "hostStatus": "ok",
			"nameServerConfigRole": config, "nameServerActualRole": server, "indexServerConfigRole": role, "indexServerActualRole": server,
			"failoverStatus": "", "removeStatus": "", "workerConfigGroups": "default", "workerActualGroups": "default",
			"storageConfigPartition": strconv.Itoa(n + 1), "storageActualPartition": strconv.Itoa(n + 1),
		}
		if state := i.state(); state == gray || state == red {
			facts["hostActive"], facts["hostStatus"] = "no", "error"
			all["overall_status"] = "error"
		}
		for key, value := range facts {
			all[prefix+key] = value
		}
	}
	return all
}
