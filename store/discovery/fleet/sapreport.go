package fleet

import (
	"fmt"
	"time"
)

// The types of systems and instances, by the numbers that agents use.
const (
	unknownType = iota
	databaseType
	applicationType
	diagnosticsType
)

// sapPayload is one SAP system on a host, from its directory in /usr/sap.
type sapPayload struct {
	ID        string `json:"Id"`
	SID       string
	Type      int
	Profile   map[string]string
	Databases []sapTenant
	Instances []sapInstance
	DBAddress *string `json:",omitempty"` // only of applications; old agents leave it out if it is empty
}

type sapTenant struct {
	Database  string
	Container string
	User      string
	Group     string
	UserID    string `json:"UserId"`
	GroupID   string `json:"GroupId"`
	Host      string
	SQLPort   string `json:"SqlPort"`
	Active    string
}

type sapInstance struct {
	Host       string
	Name       string
	Type       int
	SAPControl sapControl
	// The output of HANA tools; null for other systems.
	HdbnsutilSRstate  map[string]any
	HostConfiguration map[string]string
	SystemReplication map[string]string
}

// sapControl has the member names of the sapcontrol service, which leaves out
// empty values.
type sapControl struct {
	Processes  []controlProcess
	Instances  []controlInstance
	Properties []controlProperty
}

type controlProcess struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Status      string `json:"dispstatus,omitempty"`
	Text        string `json:"textstatus,omitempty"`
	Started     string `json:"starttime,omitempty"`
	Elapsed     string `json:"elapsedtime,omitempty"`
	PID         int    `json:"pid,omitempty"`
}

type controlInstance struct {
	Hostname  string `json:"hostname,omitempty"`
	Number    int    `json:"instanceNr"`
	HTTPPort  int    `json:"httpPort,omitempty"`
	HTTPSPort int    `json:"httpsPort,omitempty"`
	Priority  string `json:"startPriority,omitempty"`
	Features  string `json:"features,omitempty"`
	Status    string `json:"dispstatus,omitempty"`
	Current   *bool  `json:"currentInstance,omitempty"` // old agents do not mark the instance itself
}

type controlProperty struct {
	Property string `json:"property,omitempty"`
	Type     string `json:"propertytype,omitempty"`
	Value    string `json:"value,omitempty"`
}

// sapPayload returns the SAP report of the host. It leaves out instances whose
// service does not answer. If no instance of a system is left on the host, the
// report contains only the system.
func (h *Host) sapPayload() []sapPayload {
	payload := []sapPayload{}
	place := make(map[string]int)
	for _, i := range h.instances {
		n, known := place[i.sid()]
		if !known {
			n = len(payload)
			place[i.sid()] = n
			payload = append(payload, sapPayload{ID: "-", SID: i.sid(), Profile: i.profile(), Instances: []sapInstance{}, DBAddress: h.missingDBAddress()})
		}
		if i.unresponsive {
			continue
		}
		p := &payload[n]
		switch {
		case i.database != nil:
			p.ID, p.Type, p.Databases = i.database.key, databaseType, i.tenants()
		case i.system != nil:
			p.ID, p.Type, p.DBAddress = i.system.key, applicationType, new(i.system.database.address.String())
		default:
			p.ID, p.Type = h.diagnostics, diagnosticsType
		}
		p.Instances = append(p.Instances, h.sapInstance(i, p.Type))
	}
	return payload
}

// missingDBAddress returns the value that the agent writes if a system has no
// database.
func (h *Host) missingDBAddress() *string {
	if h.agent == oldAgentVersion {
		return nil
	}
	return new("")
}

func (h *Host) sapInstance(i *instance, kind int) sapInstance {
	now := h.fleet.shownTime()
	s := sapInstance{Host: h.Name, Name: i.name(), Type: kind}
	s.SAPControl = sapControl{i.processList(now), nil, i.properties()}
	for _, other := range i.siblings() {
		s.SAPControl.Instances = append(s.SAPControl.Instances, other.controlEntry(i, h.agent == oldAgentVersion))
	}
	if i.database != nil {
		s.HdbnsutilSRstate, s.HostConfiguration, s.SystemReplication = i.replication(), i.site.configuration(), i.replicationStatus(now)
	}
	return s
}

// diagnosticsSID is the SID of all diagnostics agents.
const diagnosticsSID = "DAA"

func (i *instance) sid() string {
	switch {
	case i.database != nil:
		return i.database.sid
	case i.system != nil:
		return i.system.SID
	}
	return diagnosticsSID
}

// siblings returns the instances that the service of an instance lists: all of
// the SAP system, or all at the site of the database.
func (i *instance) siblings() []*instance {
	switch {
	case i.database != nil:
		return i.site.instances
	case i.system != nil:
		return i.system.instances
	}
	return []*instance{i}
}

// controlEntry returns the instance as an entry in the list of the service of
// the instance by.
func (i *instance) controlEntry(by *instance, old bool) controlInstance {
	c := controlInstance{
		Hostname: i.hostname, Number: i.numberAsInt(), HTTPPort: i.httpPort(),
		Priority: i.software.priority, Features: i.software.features, Status: "SAPControl-" + string(i.state()),
	}
	if i.software != agentSoftware { // the diagnostics agent has no certificate
		c.HTTPSPort = i.httpPort() + 1
	}
	if current := i == by; !old {
		c.Current = &current
	}
	return c
}

// processList returns the processes. If the instance is stopped, they have no
// times.
func (i *instance) processList(now time.Time) []controlProcess {
	const startInterval = 3 * time.Second // time between the starts of two processes
	state := i.state()
	text := map[status]string{green: "Running", yellow: "Running but Load Balancing not possible", red: "Server died", gray: "Stopped"}[state]
	var list []controlProcess
	for n, p := range i.processes() {
		c := controlProcess{Name: p.name, Description: p.description, Status: "SAPControl-" + string(state), Text: text, PID: i.pid + 17*n}
		if state != gray {
			began := i.startedAt.Add(time.Duration(n) * startInterval)
			c.Started, c.Elapsed = began.UTC().Format("2006 01 02 15:04:05"), formatElapsed(now.Sub(began))
		}
		list = append(list, c)
	}
	return list
}

// formatElapsed returns a duration in the form of the sapcontrol service.
func formatElapsed(d time.Duration) string {
	s := int(max(0, d).Seconds())
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// webMethods are some of the methods of the sapcontrol service.
const webMethods = "Start,Stop,Shutdown,InstanceStart,InstanceStop,RestartInstance,RestartService,StopService,Bootstrap,StartSystem,StopSystem," +
	"RestartSystem,UpdateSystem,GetSystemInstanceList,GetSystemUpdateList,GetProcessList,GetInstanceProperties,GetVersionInfo,GetEnvironment," +
	"GetStartProfile,GetTraceFile,GetAccessPointList,GetAlertTree,GetAlerts,GetQueueStatistic,GetNetworkId,ParameterValue,CheckParameter," +
	"SetProcessParameter,GetProcessParameter,SendSignal,OSExecute,ListDeveloperTraces,ReadDeveloperTrace,ListLogFiles,ReadLogFile,AnalyseLogFiles," +
	"ListConfigFiles,ReadConfigFile,ListSnapshots,CreateSnapshot,ReadSnapshot,DeleteSnapshots,GetCallstack,AccessCheck,HACheckConfig," +
	"HACheckFailoverConfig,HAGetFailoverConfig,HAFailoverToNode,HASetMaintenanceMode,HACheckMaintenanceMode,EnqGetLockTable,EnqGetStatistic," +
	"ABAPReadSyslog,ABAPGetWPTable,J2EEGetProcessList,J2EEGetThreadList,ICMGetThreadList,ICMGetCacheEntries,GWGetConnectionList"

func (i *instance) properties() []controlProperty {
	const attribute, method = "Attribute", "NodeWebmethod"
	list := []controlProperty{
		{"Process List", method, "GetProcessList"},
		{"Access Points", method, "GetAccessPointList"},
		{"Parameter Documentation", "NodeURL", fmt.Sprintf("http://%s:%d/sapparamEN.html", i.hostname, i.httpPort())},
		{"SAPSYSTEM", attribute, i.number},
		{"SAPSYSTEMNAME", attribute, i.sid()},
		{"SAPLOCALHOST", attribute, i.hostname},
		{"INSTANCE_NAME", attribute, i.name()},
		{"StartPriority", attribute, i.software.priority},
		{"Webmethods", attribute, webMethods},
	}
	switch i.software {
	case ascsSoftware, scsSoftware:
		list = append(list, controlProperty{"CentralServices", attribute, "YES"})
	case workerSoftware:
		list = append(list, controlProperty{"DBServices", attribute, "YES"}, controlProperty{"HANA Roles", attribute, "worker"})
	case standbySoftware:
		list = append(list, controlProperty{"DBServices", attribute, "YES"}, controlProperty{"HANA Roles", attribute, "standby"})
	}
	return list
}

// profile returns the default profile of the system.
func (i *instance) profile() map[string]string {
	switch {
	case i.database != nil:
		return map[string]string{
			"SAPSYSTEMNAME": i.database.sid, "SAPGLOBALHOST": i.site.instances[0].hostname,
			"hdbConfigType": "DEFAULT", "HDB_SHARED_BINARIES": "yes",
		}
	case i.system == nil:
		return map[string]string{}
	}
	s := i.system
	central := s.instances[0]
	return map[string]string{
		"SAPSYSTEMNAME": s.SID, "SAPGLOBALHOST": central.hostname, "SAPDBHOST": s.database.address.String(),
		"system/type":  map[stack]string{abap: "ABAP", java: "J2EE", dual: "DS"}[s.stack],
		"rdisp/mshost": central.hostname, "rdisp/msserv": "sapms" + s.SID,
		"enque/serverhost": central.hostname, "enque/serverinst": central.number, "enque/process_location": "REMOTESA",
		"dbms/type": "hdb", "dbms/name": s.tenant, "dbs/hdb/dbname": s.tenant, "dbs/hdb/schema": "SAP" + s.SID,
		"login/system_client": "001", "rsdb/ssfs_connect": "1",
	}
}

// tenants returns the tenants of the database. Only the master of the site
// lists them.
func (i *instance) tenants() (list []sapTenant) {
	const firstPort, perNumber, perTenant = 30_015, 100, 26
	for n, t := range i.database.tenants {
		list = append(list, sapTenant{
			Database: t.name, Host: i.site.instances[0].hostname, Active: "yes",
			SQLPort: fmt.Sprint(firstPort + perNumber*i.numberAsInt() + perTenant*n),
		})
	}
	return list
}
