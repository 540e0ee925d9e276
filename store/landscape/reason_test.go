package landscape

import (
	"strings"
	"testing"
	"time"

	"trento/store/activity"
)

func TestHostReasons(t *testing.T) {
	saptune := func(version, state string) *Saptune {
		s := &Saptune{PackageVersion: &version}
		if state != "" {
			s.TuningState = &state
		}
		return s
	}
	for name, test := range map[string]struct {
		inputs HealthInputs
		tuning *Saptune
		want   string
	}{
		"new":                  {initialInputs, nil, "unknown: nothing has been evaluated yet"},
		"passing":              {HealthInputs{HealthPassing, HealthPassing, HealthPassing}, saptune("3.1.0", "compliant"), ""},
		"no saptune":           {HealthInputs{HealthUnknown, HealthWarning, HealthNotSet}, nil, "warning: saptune is not installed"},
		"old saptune":          {HealthInputs{HealthUnknown, HealthWarning, HealthNotSet}, saptune("3.0.2", ""), "warning: saptune 3.0.2 is older than 3.1.0"},
		"not tuned":            {HealthInputs{HealthUnknown, HealthWarning, HealthNotSet}, saptune("3.1.0", "not tuned"), "warning: saptune has not tuned the host"},
		"not compliant":        {HealthInputs{HealthUnknown, HealthCritical, HealthNotSet}, saptune("3.1.0", "not compliant"), "critical: saptune is not compliant"},
		"unknown tuning":       {HealthInputs{HealthPassing, HealthUnknown, HealthNotSet}, saptune("3.1.0", "odd"), ""},
		"checks":               {HealthInputs{HealthCritical, HealthPassing, HealthNotSet}, nil, "critical: checks have found something critical"},
		"warning of checks":    {HealthInputs{HealthWarning, HealthUnknown, HealthNotSet}, nil, "warning: checks have found a warning"},
		"security updates":     {HealthInputs{HealthUnknown, HealthPassing, HealthCritical}, nil, "critical: security updates are missing"},
		"updates":              {HealthInputs{HealthUnknown, HealthPassing, HealthWarning}, nil, "warning: software updates are missing"},
		"unknown updates":      {HealthInputs{HealthUnknown, HealthPassing, HealthUnknown}, nil, "unknown: it is not known whether software updates are missing"},
		"unknown outweighs":    {HealthInputs{HealthUnknown, HealthCritical, HealthUnknown}, saptune("3.1.0", "not compliant"), "unknown: it is not known whether software updates are missing; critical: saptune is not compliant"},
		"two critical":         {HealthInputs{HealthCritical, HealthCritical, HealthWarning}, saptune("3.1.0", "not compliant"), "critical: checks have found something critical; critical: saptune is not compliant; warning: software updates are missing"},
		"the worse one first":  {HealthInputs{HealthWarning, HealthCritical, HealthNotSet}, saptune("3.1.0", "not compliant"), "critical: saptune is not compliant; warning: checks have found a warning"},
		"updates that pass":    {HealthInputs{HealthUnknown, HealthWarning, HealthPassing}, nil, "warning: saptune is not installed"},
		"evaluated, no result": {HealthInputs{HealthUnknown, HealthUnknown, HealthNotSet}, saptune("3.1.0", ""), "unknown: nothing has been evaluated yet"},
	} {
		h := &Host{Inputs: test.inputs, Health: test.inputs.Overall(), Saptune: test.tuning}
		checkReasons(t, name, h.Health, h.Reasons(), test.want)
	}
}

func TestClusterReasons(t *testing.T) {
	hana := func(sync, state string, devices ...SBDDevice) ClusterFacts {
		return ClusterFacts{Type: HANAScaleUp, HANA: &HANADetails{SecondarySyncState: sync, SRHealthState: state, SBDDevices: devices}}
	}
	services := func(distributed bool, nodes ...ASCSERSNode) ClusterFacts {
		return ClusterFacts{Type: ASCSERS, ASCSERS: &ASCSERSDetails{SAPSystems: []ClusterSAPSystem{{SID: "NWP", Distributed: distributed, Nodes: nodes}}}}
	}
	one, online := 1, []ClusterMember{{HostID: "a"}, {HostID: "b", Offline: true}}
	offline := []ClusterMember{{HostID: "a", Offline: true}, {HostID: "b", Offline: true}}
	evaluated := func(c Cluster) Cluster {
		switch {
		case c.HANA != nil:
			c.Inputs = ClusterInputs{Replication: c.HANA.health(), SBD: sbdHealth(c.HANA.SBDDevices), Checks: c.Inputs.Checks}
		case c.ASCSERS != nil:
			c.Inputs = ClusterInputs{Distributed: c.ASCSERS.health(), SBD: sbdHealth(c.ASCSERS.SBDDevices), Checks: c.Inputs.Checks}
		}
		c.Health = c.Inputs.Overall()
		return c
	}
	for name, test := range map[string]struct {
		cluster Cluster
		want    string
	}{
		"in sync":     {evaluated(Cluster{ClusterFacts: hana("SOK", "4")}), ""},
		"not in sync": {evaluated(Cluster{ClusterFacts: hana("SFAIL", "1")}), "critical: system replication is not in sync (SFAIL, sr_health_state 1)"},
		"not in sync, the details are gone": {
			Cluster{Health: HealthCritical, Inputs: ClusterInputs{Replication: HealthCritical}}, "critical: system replication is not in sync",
		},
		"unread": {Cluster{ClusterFacts: hana("SOK", "4"), Members: online, Health: HealthUnknown, Inputs: ClusterInputs{Replication: HealthUnknown}}, "unknown: the state of the system replication could not be read"},
		"stopped": {
			Cluster{ClusterFacts: hana("SOK", "4"), Members: offline, Health: HealthUnknown, Inputs: ClusterInputs{Replication: HealthUnknown, SBD: HealthUnknown}},
			"unknown: the cluster software runs on none of its nodes",
		},
		"SBD":          {evaluated(Cluster{ClusterFacts: hana("SOK", "4", SBDDevice{"/dev/sda", SBDHealthy}, SBDDevice{"/dev/sdb", SBDUnhealthy})}), "critical: SBD device /dev/sdb is unhealthy"},
		"unknown SBD":  {evaluated(Cluster{ClusterFacts: hana("SOK", "4", SBDDevice{"/dev/sdb", SBDUnknown})}), "critical: the state of SBD device /dev/sdb is not known"},
		"SBD is gone":  {Cluster{ClusterFacts: hana("SOK", "4"), Health: HealthCritical, Inputs: ClusterInputs{Replication: HealthPassing, SBD: HealthCritical}}, "critical: an SBD device is unhealthy"},
		"both":         {evaluated(Cluster{ClusterFacts: hana("SFAIL", "1", SBDDevice{"/dev/sdb", SBDUnhealthy})}), "critical: system replication is not in sync (SFAIL, sr_health_state 1); critical: SBD device /dev/sdb is unhealthy"},
		"checks":       {evaluated(Cluster{ClusterFacts: hana("SOK", "4"), Inputs: ClusterInputs{Checks: HealthWarning}}), "warning: checks have found a warning"},
		"two nodes":    {evaluated(Cluster{ClusterFacts: services(true)}), ""},
		"one node":     {evaluated(Cluster{ClusterFacts: services(false, ASCSERSNode{Name: "vega1", Roles: []string{ASCSRole, ERSRole}}, ASCSERSNode{Name: "vega2"})}), "critical: ASCS and ERS of NWP run on one node, vega1"},
		"no ERS":       {evaluated(Cluster{ClusterFacts: services(false, ASCSERSNode{Name: "vega1", Roles: []string{ASCSRole}})}), "critical: the ERS of NWP does not run"},
		"no ASCS":      {evaluated(Cluster{ClusterFacts: services(false, ASCSERSNode{Name: "vega1", Roles: []string{ERSRole}})}), "critical: the ASCS of NWP does not run"},
		"neither":      {evaluated(Cluster{ClusterFacts: services(false)}), "critical: ASCS and ERS of NWP do not run"},
		"unclean node": {evaluated(Cluster{ClusterFacts: services(false, ASCSERSNode{Name: "vega1", Roles: []string{ASCSRole}}, ASCSERSNode{Name: "vega2", Roles: []string{ERSRole}})}), "critical: ASCS and ERS of NWP do not run on two healthy nodes"},
		"services, the details are gone": {
			Cluster{Health: HealthCritical, Inputs: ClusterInputs{Distributed: HealthCritical}}, "critical: the central services do not run on two nodes",
		},
		"services unread":   {Cluster{ClusterFacts: services(true), Members: online, Health: HealthUnknown, Inputs: ClusterInputs{Distributed: HealthUnknown}}, "unknown: it could not be read where the central services run"},
		"services stopped":  {Cluster{ClusterFacts: services(true), Members: offline, Health: HealthUnknown, Inputs: ClusterInputs{Distributed: HealthUnknown}}, "unknown: the cluster software runs on none of its nodes"},
		"not described yet": {Cluster{ClusterFacts: initialClusterFacts(), Health: HealthUnknown}, "unknown: the node that controls the cluster has not reported yet"},
		"mixed":             {Cluster{ClusterFacts: ClusterFacts{Type: HANAASCSERS, HostsNumber: &one}, Health: HealthUnknown}, "unknown: the health of a cluster with a database and central services is not evaluated"},
		"unknown type":      {Cluster{ClusterFacts: ClusterFacts{Type: ClusterUnknown, HostsNumber: &one}, Health: HealthUnknown}, "unknown: the health of a cluster of unknown type is not evaluated"},
	} {
		checkReasons(t, name, test.cluster.Health, test.cluster.Reasons(), test.want)
	}
}

func TestSystemReasons(t *testing.T) {
	name, since := "hana02", time.Unix(1, 0)
	instance := func(number string, status InstanceStatus) Instance {
		return Instance{HostID: "h" + HostID(number), Number: number, InstanceFacts: InstanceFacts{Hostname: &name, Status: status}}
	}
	nameless, absent, stale := instance("00", Red), instance("01", Gray), instance("02", Yellow)
	nameless.Hostname, absent.AbsentSince, stale.StaleSince = nil, &since, &since
	for title, test := range map[string]struct {
		instances []Instance
		want      string
	}{
		"green":      {[]Instance{instance("00", Green)}, ""},
		"yellow":     {[]Instance{instance("00", Green), instance("10", Yellow)}, "warning: instance 10 on hana02 is yellow"},
		"red":        {[]Instance{instance("00", Yellow), instance("10", Red)}, "critical: instance 10 on hana02 is red; warning: instance 00 on hana02 is yellow"},
		"gray":       {[]Instance{instance("00", Red), instance("10", Gray)}, "unknown: instance 10 on hana02 is gray; critical: instance 00 on hana02 is red"},
		"no name":    {[]Instance{nameless}, "critical: instance 00 is red"},
		"absent":     {[]Instance{absent}, "unknown: instance 01 on hana02 is absent and was gray"},
		"stale":      {[]Instance{stale}, "warning: instance 02 on hana02 was yellow when it was last reported"},
		"no status":  {[]Instance{instance("00", "")}, "unknown: instance 00 on hana02 is gray"},
		"no members": {nil, "unknown: nothing has been evaluated yet"},
	} {
		db, s := &Database{}, &SAPSystem{DatabaseHealth: HealthPassing}
		for _, i := range test.instances {
			db.Instances = append(db.Instances, DatabaseInstance{Instance: i})
			s.Instances = append(s.Instances, ApplicationInstance{Instance: i})
		}
		db.Health, s.Health = Worst(instanceHealths(db)...), Worst(instanceHealths(s)...)
		checkReasons(t, title, db.Health, db.Reasons(), test.want)
		checkReasons(t, title, s.Health, s.Reasons(nil), test.want)
		for _, r := range db.Reasons() {
			if r.Part == InstancePart && (r.About.Kind != activity.HostThing || r.About.ID == "") {
				t.Errorf("%s: %q is about %v, want its host", title, r.Text, r.About)
			}
		}
	}
}

func TestSAPSystemReasons(t *testing.T) {
	name := "hana02"
	db := &Database{ID: "d", SID: "PRD", Health: HealthCritical, Instances: []DatabaseInstance{{Instance: Instance{Number: "00", InstanceFacts: InstanceFacts{Hostname: &name, Status: Red}}}}}
	for title, test := range map[string]struct {
		health Health
		db     *Database
		want   string
	}{
		"passing":          {HealthPassing, db, ""},
		"critical":         {HealthCritical, db, "critical: the database PRD is critical: instance 00 on hana02 is red"},
		"not the same yet": {HealthWarning, db, "warning: the database PRD has a warning"},
		"database unknown": {HealthUnknown, nil, "unknown: its database is in an unknown state"},
	} {
		s := &SAPSystem{DatabaseID: "d", DatabaseHealth: test.health, Health: test.health}
		reasons := s.Reasons(test.db)
		checkReasons(t, title, s.Health, reasons, test.want)
		if want := (Thing{activity.DatabaseThing, "d"}); len(reasons) > 0 && reasons[0].About != want {
			t.Errorf("%s: about %v, want %v", title, reasons[0].About, want)
		}
	}
}

// checkReasons compares reasons with their health and text, separated by "; ".
// The first reason must have the health of the thing.
func checkReasons(t *testing.T, name string, h Health, reasons Reasons, want string) {
	t.Helper()
	var texts []string
	for _, r := range reasons {
		texts = append(texts, string(r.Health)+": "+r.Text)
	}
	if got := strings.Join(texts, "; "); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
	if len(reasons) > 0 && reasons[0].Health != h {
		t.Errorf("%s: the first reason is %s, the health is %s", name, reasons[0].Health, h)
	}
}

func TestReasonsText(t *testing.T) {
	reasons := Reasons{{Health: HealthCritical, Text: "one"}, {Health: HealthCritical, Text: "two"}, {Health: HealthCritical, Text: "three"}, {Health: HealthCritical, Text: "four"}, {Health: HealthWarning, Text: "five"}}
	for n, want := range []string{"", "one", "one and two", "one, two and three", "one, two, three and 1 more", "one, two, three and 1 more"} {
		if got := reasons[:n].Text(); got != want {
			t.Errorf("%d reasons: %q, want %q", n, got, want)
		}
	}
}
