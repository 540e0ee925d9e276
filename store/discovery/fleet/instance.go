package fleet

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// instance is an SAP instance: a group of processes on one host at a time.
type instance struct {
	software *software
	number   string // two digits
	hostname string // hostname in its profile; it may differ from the name of the host
	host     *Host
	homeHost *Host      // the host where it normally runs
	address  netip.Addr // moves with the instance; invalid if the instance has none

	// system is nil for a diagnostics agent.
	system   *System
	database *database
	site     *site // site of the database, for a database instance

	status       status
	startedAt    time.Time
	pid          int
	clustered    bool // a cluster starts and stops it
	unresponsive bool // its service does not answer the agent
	failing      bool // it has a failure that has not ended yet
}

// The range of process ids.
const (
	firstPID = 2000
	pidCount = 28_000
)

// status is the status of an instance, as a colour.
type status string

const (
	green  status = "GREEN"
	yellow status = "YELLOW"
	red    status = "RED"
	gray   status = "GRAY" // stopped
)

// software is a kind of instance.
type software struct {
	prefix   string // prefix of the instance name
	features string
	priority string // start priority; lower numbers start first
}

var (
	ascsSoftware    = &software{"ASCS", "MESSAGESERVER|ENQUE", "1"}
	scsSoftware     = &software{"SCS", "GATEWAY|MESSAGESERVER|ENQUE", "1"}
	ersSoftware     = &software{"ERS", "ENQREP", "0.5"}
	abapSoftware    = &software{"D", "ABAP|GATEWAY|ICMAN|IGS", "3"}
	javaSoftware    = &software{"J", "J2EE|IGS", "3"}
	dualSoftware    = &software{"DVEBMGS", "J2EE|ABAP|GATEWAY|ICMAN|IGS", "3"}
	workerSoftware  = &software{"HDB", "HDB|HDB_WORKER", "0.3"}
	standbySoftware = &software{"HDB", "HDB|HDB_STANDBY", "0.3"}
	agentSoftware   = &software{"SMDA", "SMDAGENT", "3"} // diagnostics agent
)

// isCentral reports whether the software belongs to central services.
func (s *software) isCentral() bool { return s == ascsSoftware || s == scsSoftware || s == ersSoftware }

// addInstance installs software on a host.
func (f *Fleet) addInstance(host *Host, software *software, number int) *instance {
	i := &instance{
		software: software, number: fmt.Sprintf("%02d", number), hostname: host.Name,
		host: host, homeHost: host, status: green, pid: firstPID + f.random.IntN(pidCount),
	}
	host.instances = append(host.instances, i)
	return i
}

func (i *instance) name() string { return i.software.prefix + i.number }

// httpPort returns the HTTP port of the start service. The HTTPS port is the
// next number.
func (i *instance) httpPort() int {
	const first = 50_013
	return first + 100*i.numberAsInt()
}

func (i *instance) numberAsInt() int { return int(i.number[0]-'0')*10 + int(i.number[1]-'0') }

// state returns the status; gray if the cluster or the site has stopped the
// instance, and red if the instance is why the replication of its database is
// broken.
func (i *instance) state() status {
	switch {
	case i.clustered && i.host.offline || i.site != nil && i.site.unregistered:
		return gray
	case i.site != nil && i.database.outOfSync && i == i.database.sites[1].instances[0]:
		return red
	}
	return i.status
}

// move moves the instance to another host.
func (i *instance) move(to *Host, now time.Time) {
	if i.host == to {
		return
	}
	i.host.instances = slices.DeleteFunc(i.host.instances, func(other *instance) bool { return other == i })
	to.instances = append(to.instances, i)
	i.host = to
	i.restart(now)
}

// restart restarts the processes. The new process ids are derived from the old
// ones: random ids would change the rest of the landscape.
func (i *instance) restart(now time.Time) {
	i.startedAt = now.Truncate(time.Second)
	i.pid = firstPID + (i.pid*7+1013)%pidCount
}

// process is a process of an instance.
type process struct{ name, description string }

// processes returns the processes of the instance.
func (i *instance) processes() []process {
	enqueue, replicator := process{"enserver", "EnqueueServer"}, process{"enrepserver", "EnqueueReplicator"}
	if i.system != nil && i.system.ensa == 2 {
		enqueue, replicator = process{"enq_server", "Enqueue Server 2"}, process{"enq_replicator", "Enqueue Replicator 2"}
	}
	message, gateway := process{"msg_server", "MessageServer"}, process{"gwrd", "Gateway"}
	dispatcher, watchdog, icm := process{"disp+work", "Dispatcher"}, process{"igswd_mt", "IGS Watchdog"}, process{"icman", "ICM"}
	engine := process{"jstart", "J2EE Server"}
	switch i.software {
	case ascsSoftware:
		return []process{message, enqueue}
	case scsSoftware:
		return []process{message, enqueue, gateway}
	case ersSoftware:
		return []process{replicator}
	case abapSoftware:
		return []process{dispatcher, watchdog, gateway, icm}
	case javaSoftware:
		return []process{engine, watchdog}
	case dualSoftware:
		return []process{dispatcher, watchdog, gateway, icm, engine}
	case agentSoftware:
		return []process{engine}
	}
	return i.database.processes(i.software)
}
