package fleet

import (
	"strconv"
	"strings"
)

type object = map[string]any

// gatherers are the gatherers of agents. Of several versions the newest is last.
var gatherers = []gatherer{
	{name: "ascsers_cluster@v1", gather: gatherCentralServices},
	{name: "cibadmin@v1", gather: gatherCIB, byPath: true},
	{name: "corosync-cmapctl@v1", gather: gatherCorosyncMap, byPath: true, missingArgumentError: "corosync-cmapctl-missing-argument"},
	{name: "corosync.conf@v1", gather: gatherCorosync, byPath: true},
	{name: "dir_scan@v1", gather: gatherDirectories, missingArgumentError: "dir-scan-missing-argument"},
	{name: "disp+work@v1", gather: gatherKernels},
	{name: "fs_usage@v1", gather: gatherUsage, byPath: true},
	{name: "fstab@v1", gather: gatherMounts},
	{name: "groups@v1", gather: gatherGroups},
	{name: "hosts@v1", gather: gatherNames},
	{name: "ini_files@v1", gather: gatherGlobalINI, recent: true},
	{name: "mount_info@v1", gather: gatherMount, missingArgumentError: "mount-info-missing-argument"},
	{name: "os-release@v1", gather: gatherRelease},
	{name: "package_version@v1", gather: gatherPackage, missingArgumentError: "package-version-missing-argument"},
	{name: "passwd@v1", gather: gatherUsers},
	{name: "products@v1", gather: gatherProducts},
	{name: "sap_profiles@v1", gather: gatherProfiles},
	{name: "sapcontrol@v1", gather: gatherControl, missingArgumentError: "sapcontrol-missing-argument"},
	{name: "saphostctrl@v1", gather: gatherHostControl, missingArgumentError: "saphostctrl-missing-argument"},
	{name: "sapinstance_hostname_resolver@v1", gather: gatherInstanceNames},
	{name: "sapservices@v1", gather: gatherServices},
	{name: "saptune@v1", gather: gatherTuning, missingArgumentError: "saptune-missing-argument"},
	{name: "sbd_config@v1", gather: gatherSBDConfig, missingArgumentError: "sbd-config-missing-argument"},
	{name: "sbd_dump@v1", gather: gatherSBDDump},
	{name: "status@v1", gather: func(h *Host, _ string) (any, *factError) { return object{"agent_id": h.ID, "version": h.agent}, nil }, recent: true},
	{name: "sudoers@v1", gather: gatherSudoers},
	{name: "sysctl@v1", gather: gatherKernelParameters, byPath: true, missingArgumentError: "sysctl-missing-argument", recent: true},
	{name: "systemd@v1", gather: func(h *Host, unit string) (any, *factError) { return h.unit(unit + ".service")["active_state"], nil }, missingArgumentError: "systemd-missing-argument"},
	{name: "systemd@v2", gather: func(h *Host, unit string) (any, *factError) { return h.unit(unit), nil }, missingArgumentError: "systemd-missing-argument"},
	{name: "verify_password@v1", gather: gatherWeakPassword, missingArgumentError: "verify-password-invalid-username"},
}

var errNoCIB = &factError{"cibadmin-command-error", "error while executing cibadmin: exit status 102"}

func gatherCIB(h *Host, _ string) (any, *factError) {
	c := h.cluster
	if c == nil || h.offline {
		return nil, errNoCIB
	}
	var properties []object
	for _, p := range c.properties(h.fleet.shownTime()) {
		value := p.Value
		switch {
		case p.Name == "stonith-timeout" && !h.isWrong(p.Name):
			value = strconv.Itoa(map[string]int{azure: 900, aws: 600}[c.location.provider])
			if value == "0" {
				value = "150"
			}
		case p.Name == "stonith-timeout":
			value = "60"
		}
		properties = append(properties, object{"id": p.ID, "name": p.Name, "value": convertText(value)})
	}
	stickiness := 1000
	switch {
	case h.isWrong("resource-stickiness"):
		stickiness = 0
	case c.database == nil:
		stickiness = 1
	}
	var nodes []object
	for _, node := range c.nodes {
		nodes = append(nodes, object{"id": convertText(c.nodeID(node)), "uname": node.Name})
	}
	return object{"cib": object{"configuration": object{
		"crm_config": object{"cluster_property_set": []object{{"id": "cib-bootstrap-options", "nvpair": properties}}},
		"nodes":      object{"node": nodes},
		"resources":  c.factResources(),
		"rsc_defaults": object{"meta_attributes": []object{{"id": "rsc-options", "nvpair": []object{
			{"id": "rsc-options-resource-stickiness", "name": "resource-stickiness", "value": stickiness},
			{"id": "rsc-options-migration-threshold", "name": "migration-threshold", "value": 3},
		}}}},
	}}}, nil
}

// factResources returns the resources as cibadmin shows them.
func (c *cluster) factResources() object {
	pairs := func(list []cibPair) []object {
		shown := []object{}
		for _, p := range list {
			shown = append(shown, object{"id": p.ID, "name": p.Name, "value": convertText(p.Value)})
		}
		return shown
	}
	shown := func(p cibPrimitive) object {
		o := object{"id": p.ID, "class": p.Class, "type": p.Type, "instance_attributes": object{"nvpair": pairs(p.InstanceAttributes)}, "meta_attributes": []object{{"nvpair": pairs(p.MetaAttributes)}}}
		if p.Provider != "" {
			o["provider"] = p.Provider
		}
		operations := []object{}
		for _, x := range p.Operations {
			operations = append(operations, object{"id": x.ID, "name": x.Name, "timeout": convertText(strings.TrimSuffix(x.Timeout, "s")), "interval": convertText(strings.TrimSuffix(x.Interval, "s"))})
		}
		o["operations"] = object{"op": operations}
		return o
	}
	all := newCIBResources(c.resourceUnits())
	primitives, groups, masters, clones := []object{}, []object{}, []object{}, []object{}
	for _, p := range all.Primitives {
		primitives = append(primitives, shown(p))
	}
	for _, g := range all.Groups {
		members := []object{}
		for _, p := range g.Primitives {
			members = append(members, shown(p))
		}
		groups = append(groups, object{"id": g.ID, "primitive": members})
	}
	for _, m := range all.Masters {
		masters = append(masters, object{"id": m.ID, "primitive": []object{shown(m.Primitive)}, "meta_attributes": []object{{"nvpair": pairs(m.MetaAttributes)}}})
	}
	for _, m := range all.Clones {
		clones = append(clones, object{"id": m.ID, "primitive": []object{shown(m.Primitive)}, "meta_attributes": []object{{"nvpair": pairs(m.MetaAttributes)}}})
	}
	return object{"primitive": primitives, "group": groups, "master": masters, "clone": clones}
}

func gatherCorosync(h *Host, _ string) (any, *factError) {
	c := h.cluster
	if c == nil {
		return nil, &factError{"corosync-conf-file-error", "error reading corosync.conf: open /etc/corosync/corosync.conf: no such file or directory"}
	}
	token := 5000
	switch {
	case h.isWrong("token"):
		token = 1000
	case c.location.provider == azure, c.location.provider == aws:
		token = 30_000
	case c.location.provider == gcp:
		token = 20_000
	}
	consensus := token * 12 / 10
	if h.isWrong("consensus") {
		consensus = token
	}
	secauth := "on"
	if h.isWrong("secauth") {
		secauth = "off"
	}
	quorum := object{"provider": "corosync_votequorum", "expected_votes": len(c.nodes), "two_node": 0}
	if len(c.nodes) == 2 {
		quorum["two_node"] = 1
	}
	return object{
		"totem": object{
			"version": 2, "cluster_name": c.configuredName(), "token": token, "consensus": consensus, "secauth": secauth, "transport": "udpu",
			"max_messages": 20, "join": 60, "token_retransmits_before_loss_const": 10, "crypto_hash": "sha1", "crypto_cipher": "aes256", "interface": []object{{"ringnumber": 0, "mcastport": 5405, "ttl": 1}},
		},
		"quorum": quorum, "nodelist": object{"node": c.factNodes(h)},
	}, nil
}

// factNodes returns the list of nodes in the configuration on a node.
func (c *cluster) factNodes(h *Host) (list []object) {
	for n, node := range c.nodes {
		o := object{"nodeid": n + 1, "ring0_addr": node.addresses[0].String()}
		if !h.isWrong("ring1_addr") {
			ring := node.addresses[len(node.addresses)-1]
			o["ring1_addr"] = ring.String()
		}
		if h.isOddNode("nodelist") {
			o["nodeid"] = n + 2
		}
		list = append(list, o)
	}
	return list
}

func gatherCorosyncMap(h *Host, argument string) (any, *factError) {
	value, failure := gatherCorosync(h, argument)
	if failure != nil {
		return nil, &factError{"corosync-cmapctl-command-error", "error executing corosync-cmapctl: exit status 1"}
	}
	config := value.(object)
	nodes := object{}
	for n, node := range h.cluster.factNodes(h) {
		nodes[strconv.Itoa(n)] = node
	}
	totem := config["totem"].(object)
	return object{
		"totem": totem, "quorum": config["quorum"], "nodelist": object{"node": nodes},
		"runtime": object{"config": object{"totem": totem}, "votequorum": object{"two_node": config["quorum"].(object)["two_node"]}},
	}, nil
}

func gatherSBDConfig(h *Host, variable string) (any, *factError) {
	if h.cluster == nil {
		return nil, &factError{"sbd-config-file-error", "error reading sbd file: open /etc/sysconfig/sbd: no such file or directory"}
	}
	config := h.cluster.sbd().Config
	if config == nil { // the package brings the file even where the provider fences
		config = map[string]string{"SBD_PACEMAKER": "yes", "SBD_STARTMODE": "always", "SBD_DELAY_START": "no", "SBD_WATCHDOG_DEV": "/dev/watchdog", "SBD_WATCHDOG_TIMEOUT": "5"}
	}
	value, found := config[variable]
	switch {
	case !found:
		return nil, &factError{"sbd-config-value-not-found", "requested field value not found: " + variable}
	case variable == "SBD_STARTMODE" && h.isWrong(variable):
		value = "clean"
	}
	return convertText(value), nil
}

func gatherSBDDump(h *Host, _ string) (any, *factError) {
	if h.cluster == nil || len(h.cluster.disks) == 0 {
		return nil, &factError{"sbd-devices-loading-error", "error loading the configured sbd devices: SBD_DEVICE is not set"}
	}
	devices := object{}
	for _, d := range h.cluster.sbd().Devices {
		if d.Status != "healthy" {
			return nil, &factError{"sbd-dump-command-error", "error while executing sbd dump: " + d.Device + ": exit status 1"}
		}
		wait := d.Dump.TimeoutMsgwait
		if h.isWrong("msgwait") {
			wait = d.Dump.TimeoutWatchdog
		}
		devices[d.Device] = object{
			"header version": 2.1, "uuid": d.Dump.UUID, "number of slots": d.Dump.Slots, "sector size": d.Dump.SectorSize,
			"timeout watchdog": d.Dump.TimeoutWatchdog, "timeout allocate": d.Dump.TimeoutAllocate, "timeout loop": d.Dump.TimeoutLoop, "timeout msgwait": wait,
		}
	}
	return devices, nil
}

func gatherWeakPassword(h *Host, user string) (any, *factError) {
	switch {
	case user != "hacluster":
		return nil, &factError{"verify-password-invalid-username", "requested user is not whitelisted for password check: " + user}
	case h.cluster == nil:
		return nil, &factError{"verify-password-shadow-error", "error getting shadow output: hacluster has no entry"}
	}
	return h.isWrong("hacluster"), nil
}
