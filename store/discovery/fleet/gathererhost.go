package fleet

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

func gatherRelease(h *Host, _ string) (any, *factError) {
	pack := h.os[len(h.os)-1:]
	return object{
		"NAME": "SLES", "VERSION": h.os, "VERSION_ID": h.os[:2] + "." + pack, "PRETTY_NAME": "SUSE Linux Enterprise Server " + h.os[:2] + " SP" + pack,
		"ID": "sles", "ID_LIKE": "suse", "ANSI_COLOR": "0;32", "CPE_NAME": "cpe:/o:suse:sles_sap:" + h.os[:2] + ":sp" + pack,
	}, nil
}

func gatherNames(h *Host, name string) (any, *factError) {
	names := object{"localhost": []string{"127.0.0.1", "::1"}, "ipv6-localhost": []string{"::1"}}
	neighbours := []*Host{h}
	if h.cluster != nil {
		neighbours = h.cluster.nodes
	}
	for _, n := range neighbours {
		address := n.addresses[0].String()
		if n == h && h.isWrong("loopback") {
			address = "127.0.0.2"
		}
		names[n.Name] = []string{address}
	}
	for _, i := range h.instances {
		if i.address.IsValid() {
			names[i.hostname] = []string{i.address.String()}
		}
	}
	if name == "" {
		return names, nil
	}
	if addresses, ok := names[name]; ok {
		return addresses, nil
	}
	return nil, &factError{"hosts-file-value-not-found", "requested field value not found in /etc/hosts file: " + name}
}

// fileSystem is a file system of a host.
type fileSystem struct {
	device, mountPoint, kind string
	kilobytes, percent       int
}

func (h *Host) fileSystems() []fileSystem {
	const gigabyte = 1 << 20 // in KiB
	filled := func(what string) int { return 18 + int(hashOf(what, string(h.ID))%50) }
	list := []fileSystem{{"/dev/vda2", "/", "xfs", 60 * gigabyte, filled("/")}, {"/dev/vda1", "/boot/efi", "vfat", gigabyte / 2, 2}}
	if h.isWrong("full") {
		list[0].percent = []int{88, 91, 96}[hashOf("how full", string(h.ID))%3]
	}
	seen := make(map[string]bool)
	for _, i := range h.instances {
		if sid := i.sid(); !seen[sid] && i.software != agentSoftware {
			seen[sid] = true
			if i.database != nil {
				list = append(list, fileSystem{"/dev/vdb", "/hana/data/" + sid, "xfs", 800 * gigabyte, filled("data")}, fileSystem{"/dev/vdc", "/hana/log/" + sid, "xfs", 200 * gigabyte, filled("log")})
			} else {
				list = append(list, fileSystem{"nfs." + h.location.domain + ":/" + sid + "/sapmnt", "/sapmnt/" + sid, "nfs4", 100 * gigabyte, filled("sapmnt")})
			}
		}
	}
	return list
}

func gatherUsage(h *Host, _ string) (any, *factError) {
	var list []object
	for _, f := range h.fileSystems() {
		used := f.kilobytes / 100 * f.percent
		list = append(list, object{"filesystem": f.device, "blocks": f.kilobytes, "used": used, "available": f.kilobytes - used, "capacity": f.percent, "mountpoint": f.mountPoint})
	}
	return list, nil
}

func gatherMounts(h *Host, _ string) (any, *factError) {
	var list []object
	for _, f := range h.fileSystems() {
		list = append(list, object{"device": f.device, "mount_point": f.mountPoint, "file_system_type": f.kind, "options": []string{"rw", "noatime"}, "backup": 0, "check_order": 0})
	}
	return list, nil
}

func gatherMount(h *Host, at string) (any, *factError) {
	for _, f := range h.fileSystems() {
		if f.mountPoint == at {
			return object{"mount_point": at, "source": f.device, "fs_type": f.kind, "options": "rw,relatime", "block_uuid": ""}, nil
		}
	}
	return object{"mount_point": "", "source": "", "fs_type": "", "options": "", "block_uuid": ""}, nil
}

// admins returns the SIDs of the systems on the host, in order.
func (h *Host) admins() (sids []string) {
	for _, i := range h.instances {
		sids = append(sids, i.sid())
	}
	slices.Sort(sids)
	return slices.Compact(sids)
}

func gatherGroups(h *Host, _ string) (any, *factError) {
	var users []string
	for _, sid := range h.admins() {
		users = append(users, toLower(sid)+"adm")
	}
	list := []object{{"name": "root", "gid": 0, "users": []string{}}, {"name": "sapsys", "gid": 79, "users": users}}
	if h.cluster != nil {
		list = append(list, object{"name": "haclient", "gid": 90, "users": users})
	}
	return list, nil
}

func gatherUsers(h *Host, _ string) (any, *factError) {
	list := []object{{"user": "root", "uid": 0, "gid": 0, "description": "root", "home": "/root", "shell": "/bin/bash"}}
	for n, sid := range h.admins() {
		name := toLower(sid) + "adm"
		list = append(list, object{"user": name, "uid": 1001 + n, "gid": 79, "description": "", "home": "/home/" + name, "shell": "/bin/csh"})
	}
	return list, nil
}

func gatherDirectories(h *Host, pattern string) (any, *factError) {
	list := []object{}
	for _, i := range h.instances {
		name := "/usr/sap/" + i.sid() + "/" + i.name()
		matched, err := path.Match(pattern, name)
		if err != nil {
			return nil, &factError{"dir-scan-scanning-error", "error scanning directory: " + err.Error()}
		}
		if matched {
			list = append(list, object{"name": name, "owner": toLower(i.sid()) + "adm", "group": "sapsys"})
		}
	}
	return list, nil
}

// packages returns the versions of the packages on the host that checks ask for.
func (h *Host) packages() map[string]string {
	p := map[string]string{"sapconf": "5.0.8", "chrony": "4.1"}
	if h.tuning.version != "" {
		p["saptune"] = h.tuning.version
	}
	if c := h.cluster; c != nil {
		p["pacemaker"], p["corosync"], p["sbd"] = c.version(), "2.4.6-150300.12.10.1", "1.5.1+20221128.8ec8e01"
		p["resource-agents"], p["fence-agents"], p["sap-suse-cluster-connector"] = "4.10.0+git40.0f4de473", "4.12.1+git.1677142927", "3.1.2"
		if c.database != nil {
			name := "SAPHanaSR"
			if c.isAngi() {
				name = "SAPHanaSR-angi"
			}
			p[name] = "0.162.3-150000.4.36.1"
			if h.isOddNode(name) {
				p[name] = "0.155.0-150000.4.28.1"
			}
		}
	}
	return p
}

func gatherPackage(h *Host, argument string) (any, *factError) {
	name, wanted, compare := strings.Cut(argument, ",")
	version, installed := h.packages()[name]
	switch {
	case !installed:
		return nil, &factError{"package-version-rpm-cmd-error", "error while fetching package version: package " + name + " is not installed"}
	case !compare:
		return []object{{"version": convertText(version)}}, nil
	case version == wanted || strings.HasPrefix(version, wanted+"-"):
		return 0, nil
	case wanted < version:
		return -1, nil
	}
	return 1, nil
}

func gatherProducts(*Host, string) (any, *factError) {
	return object{"SLES_SAP.prod": object{"product": object{"vendor": "SUSE", "name": "SLES_SAP", "summary": "SUSE Linux Enterprise Server for SAP Applications"}}}, nil
}

func gatherKernelParameters(*Host, string) (any, *factError) {
	return object{
		"vm":     object{"swappiness": 10, "dirty_bytes": 629145600, "max_map_count": 2147483647},
		"kernel": object{"sem": "1250 256000 100 1024", "numa_balancing": 0, "watchdog": 1},
		"net":    object{"ipv4": object{"tcp_timestamps": 1, "tcp_keepalive_time": 300}},
	}, nil
}

// unit returns a unit of systemd.
func (h *Host) unit(name string) object {
	o := object{"id": name, "description": name, "load_state": "loaded", "active_state": "active", "unit_file_state": "enabled", "unit_file_preset": "disabled", "need_daemon_reload": false}
	missing := false
	switch name {
	case "pacemaker.service":
		o["unit_file_state"] = h.pacemakerState()
		missing = h.cluster == nil
	case "corosync.service":
		missing = h.cluster == nil
	case "sbd.service":
		missing = h.cluster == nil || h.cluster.fencing == byProvider
		if h.isWrong(name) {
			o["unit_file_state"] = "disabled"
		}
	}
	switch {
	case missing:
		o["load_state"], o["active_state"], o["unit_file_state"], o["unit_file_preset"] = "not-found", "inactive", "", ""
	case h.offline && h.cluster != nil && slices.Contains([]string{"pacemaker.service", "corosync.service", "sbd.service"}, name):
		o["active_state"] = "inactive"
	}
	return o
}

func gatherTuning(h *Host, argument string) (any, *factError) {
	commands := []string{"status", "solution-verify", "solution-list", "note-verify", "note-list", "check"}
	switch {
	case !slices.Contains(commands, argument):
		return nil, &factError{"saptune-unsupported-argument", "the requested argument is not currently supported: " + argument}
	case h.tuning.version == "":
		return nil, &factError{"saptune-not-installed", "saptune is not installed"}
	case h.tuning.version == saptuneTooOld:
		return nil, &factError{"saptune-version-not-supported", "currently installed version of saptune is not supported: " + saptuneTooOld}
	}
	status := h.tuning.payload().Status
	answer := object{"command": strings.ReplaceAll(argument, "-", " "), "exit_code": status.ExitCode, "publish_time": status.PublishTime, "messages": status.Messages}
	verified := object{"system_compliance": h.tuning.state == compliant, "attentions": []string{}}
	if argument == "status" {
		verified = object{
			"services": status.Result.Services, "systemd_system_state": status.Result.SystemState, "tuning_state": status.Result.TuningState,
			"virtualization": status.Result.Virtualization, "configured_version": status.Result.ConfiguredVersion, "package_version": status.Result.PackageVersion,
			"solution_enabled": status.Result.SolutionEnabled, "notes_enabled": status.Result.NotesEnabled, "notes_applied": status.Result.NotesApplied,
			"notes_enabled_additionally": status.Result.NotesEnabledAdditional, "remember_message": status.Result.RememberMessage,
		}
	}
	answer["result"] = verified
	return answer, nil
}

func gatherCentralServices(h *Host, _ string) (any, *factError) {
	c := h.cluster
	if c == nil || h.offline {
		return nil, &factError{"ascsers-cluster-cib-error", "error parsing cibadmin output: exit status 102"}
	}
	systems := object{}
	for _, s := range c.systems {
		version := "unknown"
		instances := []object{}
		for _, i := range []*instance{s.ascs, s.ers} {
			local := i.host == h
			if local {
				version = fmt.Sprintf("ensa%d", s.ensa)
			}
			suffix := s.SID + "_" + i.name()
			instances = append(instances, object{
				"resource_group": "grp_" + suffix, "resource_instance": "rsc_sap_" + suffix, "name": i.name(), "instance_number": i.number,
				"virtual_hostname": i.hostname, "filesystem_based": s.mount == clusterMounts, "local": local,
			})
		}
		systems[s.SID] = object{"ensa_version": version, "instances": instances}
	}
	return systems, nil
}

func gatherServices(h *Host, _ string) (any, *factError) {
	list := []object{}
	for _, i := range h.homeInstances() {
		entry := object{"sid": i.sid(), "instance_nr": i.number, "kind": "systemctl", "content": "systemctl --no-ask-password start SAP" + i.sid() + "_" + i.number}
		if h.isWrong("sapservices") {
			entry["kind"] = "sapstartsrv"
			entry["content"] = fmt.Sprintf("/usr/sap/%[1]s/%[2]s/exe/sapstartsrv pf=/usr/sap/%[1]s/SYS/profile/%[1]s_%[2]s_%[3]s -D -u %[4]sadm", i.sid(), i.name(), i.hostname, toLower(i.sid()))
		}
		list = append(list, entry)
	}
	return list, nil
}

// homeInstances returns the instances that are registered on the host: those that
// run there now, and those of the cluster that may move there.
func (h *Host) homeInstances() []*instance {
	list := slices.Clone(h.instances)
	if h.cluster != nil {
		for _, s := range h.cluster.systems {
			for _, i := range []*instance{s.ascs, s.ers} {
				if !slices.Contains(list, i) {
					list = append(list, i)
				}
			}
		}
	}
	return list
}

func gatherProfiles(h *Host, _ string) (any, *factError) {
	systems := object{}
	for _, i := range h.homeInstances() {
		if i.software == agentSoftware {
			continue
		}
		sid := i.sid()
		content := object{}
		for name, value := range i.profile() {
			content[name] = convertText(value)
		}
		own := object{"SAPSYSTEMNAME": sid, "SAPSYSTEM": convertText(i.number), "INSTANCE_NAME": i.name(), "Autostart": 0}
		if h.isWrong("Autostart") {
			own["Autostart"] = 1
		}
		directory := "/sapmnt/" + sid + "/profile/"
		if i.database != nil {
			directory = "/usr/sap/" + sid + "/SYS/profile/"
		}
		name := sid + "_" + i.name() + "_" + i.hostname
		of, _ := systems[sid].(object)
		if of == nil {
			of = object{"profiles": []object{{"name": "DEFAULT.PFL", "path": directory + "DEFAULT.PFL", "content": content}}}
			systems[sid] = of
		}
		of["profiles"] = append(of["profiles"].([]object), object{"name": name, "path": directory + name, "content": own})
	}
	return systems, nil
}

func gatherSudoers(h *Host, user string) (any, *factError) {
	list := []object{}
	for _, sid := range h.admins() {
		name := toLower(sid) + "adm"
		if user != "" && user != name || h.isWrong("sudoers") {
			continue
		}
		list = append(list, object{"user": name, "command": "/usr/sbin/crm_attribute -n hana_" + toLower(sid) + "_site_srHook_*", "run_as_user": "ALL", "run_as_group": "", "no_password": true})
	}
	return list, nil
}

func gatherKernels(h *Host, _ string) (any, *factError) {
	systems := object{}
	for _, i := range h.instances {
		if i.system != nil && i.database == nil {
			systems[i.sid()] = object{"kernel_release": "753", "compilation_mode": "UNICODE", "patch_number": "1200"}
		}
	}
	return systems, nil
}

func gatherGlobalINI(h *Host, argument string) (any, *factError) {
	list := []object{}
	for _, i := range h.instances {
		if i.database != nil {
			list = append(list, object{"sid": i.sid(), "content": object{
				"persistence":              object{"basepath_datavolumes": "/hana/data/" + i.sid(), "basepath_logvolumes": "/hana/log/" + i.sid()},
				"ha_dr_provider_saphanasr": object{"provider": "SAPHanaSR", "path": "/usr/share/SAPHanaSR", "execution_order": 1},
			}})
		}
	}
	if argument != "global.ini" || len(list) == 0 {
		return nil, nil // agents deliver nothing
	}
	return list, nil
}

func gatherControl(h *Host, method string) (any, *factError) {
	systems := object{}
	for _, i := range h.instances {
		output, known := i.control(method)
		if !known {
			return nil, &factError{"sapcontrol-unsupported-argument", "the requested argument is not currently supported: " + method}
		}
		if output != nil && !i.unresponsive {
			of, _ := systems[i.sid()].([]object)
			systems[i.sid()] = append(of, object{"name": i.name(), "instance_nr": i.number, "output": output})
		}
	}
	return systems, nil
}

// control returns what the start service of an instance answers to a call.
func (i *instance) control(method string) (output any, known bool) {
	state := "SAPControl-" + string(i.state())
	switch method {
	case "GetProcessList":
		return []object{{"name": i.software.prefix, "description": i.name(), "dispstatus": state, "textstatus": "Running", "pid": i.pid}}, true
	case "GetSystemInstanceList":
		var list []object
		for _, sibling := range i.siblings() {
			list = append(list, object{
				"hostname": sibling.hostname, "instance_nr": sibling.numberAsInt(), "http_port": sibling.httpPort(), "https_port": sibling.httpPort() + 1,
				"start_priority": sibling.software.priority, "features": sibling.software.features, "dispstatus": "SAPControl-" + string(sibling.state()),
			})
		}
		return list, true
	case "GetVersionInfo":
		return []object{{"filename": "sapstartsrv", "sap_kernel": "753", "patch": "1200", "changelist": "2176546", "build": "optU", "architecture": "linuxx86_64"}}, true
	case "HACheckConfig":
		if !i.clustered || i.database != nil {
			return nil, true
		}
		result := "SAPControl-HA-SUCCESS"
		if i.host.isWrong(method) {
			result = "SAPControl-HA-ERROR"
		}
		return []object{{"state": result, "category": "SAPControl-SAP-CONFIGURATION", "description": "Redundant ABAP instance configuration", "comment": "enqueue separation"}}, true
	case "HAGetFailoverConfig":
		if !i.clustered || i.database != nil {
			return nil, true
		}
		return object{"ha_active": !i.host.cluster.maintenance, "ha_product_version": "SUSE Linux Enterprise Server for SAP Applications", "ha_sap_interface_version": "sap_suse_cluster_connector 3.1.2", "ha_active_nodes": i.host.Name}, true
	}
	return nil, false
}

func gatherHostControl(h *Host, function string) (any, *factError) {
	switch function {
	case "Ping":
		return object{"status": "SUCCESS", "elapsed": 579_770}, nil
	case "ListInstances":
		list := []object{}
		for _, i := range h.instances {
			list = append(list, object{"system": i.sid(), "instance": i.number, "hostname": i.hostname, "sapkernel": 753, "patch": 1200, "changelist": 2_176_546})
		}
		return list, nil
	}
	return nil, &factError{"saphostctrl-webmethod-error", "requested webmethod not supported: " + function}
}

func gatherInstanceNames(h *Host, _ string) (any, *factError) {
	systems := object{}
	for _, i := range h.homeInstances() {
		address := i.host.addresses[0]
		if i.address.IsValid() {
			address = i.address
		}
		of, _ := systems[i.sid()].([]object)
		systems[i.sid()] = append(of, object{"hostname": i.hostname, "instance_name": i.name(), "addresses": []string{address.String()}, "reachability": true})
	}
	return systems, nil
}
