package fleet

import (
	"testing"

	"trento/store/message/wire"
)

// argumentsOf are arguments with which gatherers deliver a value on some host.
var argumentsOf = map[string][]string{
	"cibadmin@v1":         {"", "cib.configuration.crm_config.cluster_property_set", "cib.configuration.resources.primitive", "cib.configuration.nodes.node"},
	"corosync.conf@v1":    {"", "totem.token", "nodelist.node.0.ring0_addr"},
	"corosync-cmapctl@v1": {"totem.token", "nodelist.node", "quorum.two_node"},
	"dir_scan@v1":         {"/usr/sap/*/ASCS*"}, "hosts@v1": {"", "localhost"}, "ini_files@v1": {"global.ini"}, "mount_info@v1": {"/"},
	"package_version@v1": {"pacemaker", "corosync,2.4.4"}, "sapcontrol@v1": {"GetProcessList", "GetSystemInstanceList", "GetVersionInfo", "HACheckConfig", "HAGetFailoverConfig"},
	"saphostctrl@v1": {"Ping", "ListInstances"}, "saptune@v1": {"status", "note-verify"}, "sbd_config@v1": {"SBD_STARTMODE", "SBD_DEVICE"},
	"sysctl@v1": {"vm.swappiness", "vm"}, "systemd@v1": {"pacemaker"}, "systemd@v2": {"sbd.service"}, "verify_password@v1": {"hacluster"},
}

// TestGatherers checks that each gatherer delivers a value or an error for every
// host, and a value for some.
func TestGatherers(t *testing.T) {
	f := New(DefaultSeed, 50)
	for _, g := range gatherers {
		arguments := argumentsOf[g.name]
		if arguments == nil {
			arguments = []string{""}
		}
		for _, argument := range arguments {
			values := 0
			for _, h := range f.Hosts() {
				facts := h.gatherFacts([]*wire.FactRequest{{CheckId: "A", Name: "f", Gatherer: g.name, Argument: argument}}, FactFaults{})
				if len(facts) != 1 {
					if g.recent { // not with old agents, and not without a system
						continue
					}
					t.Fatalf("%s %q on %s: %d facts", g.name, argument, h.Name, len(facts))
				}
				if e := facts[0].GetErrorValue(); e == nil {
					values++
				} else if e.GetType() == "" || e.GetMessage() == "" {
					t.Errorf("%s %q on %s: %v", g.name, argument, h.Name, e)
				}
			}
			if values == 0 {
				t.Errorf("%s %q: no value on any host", g.name, argument)
			}
		}
		if g.missingArgumentError != "" {
			if _, failure := f.Hosts()[0].gather(&g, ""); failure == nil || failure.kind != g.missingArgumentError {
				t.Errorf("%s without an argument: %v", g.name, failure)
			}
		}
	}
}

// TestFactFaults checks the faults that can be asked for.
func TestFactFaults(t *testing.T) {
	h := New(1, 3).Hosts()[0]
	ask := func(gatherer string, faults FactFaults) []*wire.Fact {
		return h.gatherFacts([]*wire.FactRequest{{CheckId: "A", Name: "f", Gatherer: gatherer}}, faults)
	}
	for _, c := range []struct {
		gatherer string
		faults   FactFaults
		want     string // type of the error, "value", or "nothing"
	}{
		{"os-release@v1", FactFaults{}, "value"},
		{"os-release", FactFaults{}, "value"},
		{"os-release@v2", FactFaults{}, "nothing"},
		{"nonsense@v1", FactFaults{}, "nothing"},
		{"status@v1", FactFaults{}, "value"},
		{"status@v1", FactFaults{OldAgent: true}, "nothing"},
		{"os-release@v1", FactFaults{ErrorPercent: 100}, "implementation-error"},
	} {
		got := "nothing"
		if facts := ask(c.gatherer, c.faults); len(facts) == 1 {
			if got = facts[0].GetErrorValue().GetType(); facts[0].GetValue() != nil {
				got = "value"
			}
		}
		if got != c.want {
			t.Errorf("%s with %+v: %s, want %s", c.gatherer, c.faults, got, c.want)
		}
	}
	if g := findGatherer("systemd"); g == nil || g.name != "systemd@v2" {
		t.Errorf("systemd without a version is %+v", g)
	}
}
