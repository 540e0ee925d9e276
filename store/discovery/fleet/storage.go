package fleet

// buildStorage adds a cluster that provides a file system.
func (f *Fleet) buildStorage(b *blueprint, at *location) {
	nodes := make([]*Host, b.storageNodes)
	for i := range nodes {
		nodes[i] = f.addHost(nil, at, Storage)
	}
	f.newCluster("storage_"+nodes[0].Name, at, b.fencing, nodes).storage = at.nextAddress()
}

// storageUnits returns the resources of a replicated disk and the file system
// on it.
func (c *cluster) storageUnits() []resourceUnit {
	id, node := c.shortName(), c.firstOnline()
	started := []resourceCopy{{node: node, role: "Started"}}
	disk := resource{
		id: "rsc_drbd_" + id, agent: agent{"ocf", "linbit", "drbd"}, attributes: []nvpair{{"drbd_resource", id}},
		operations: []operation{{"monitor", "Master", "20s", "15"}, {"monitor", "Slave", "20s", "30"}},
	}
	server := resource{id: "rsc_nfsserver_" + id, agent: agent{class: "systemd", kind: "nfs-server"}, operations: defaultOperations[2:]}
	locks := resource{id: "rsc_dlm_" + id, agent: agent{"ocf", "pacemaker", "controld"}, operations: defaultOperations}
	for _, n := range c.nodes {
		switch {
		case n.offline:
			disk.copies = append(disk.copies, resourceCopy{role: "Stopped"})
			server.copies = append(server.copies, resourceCopy{role: "Stopped"})
			locks.copies = append(locks.copies, resourceCopy{role: "Stopped"})
			continue
		case n == node:
			disk.copies = append(disk.copies, resourceCopy{node: n, role: "Master"})
		default:
			disk.copies = append(disk.copies, resourceCopy{node: n, role: "Slave"})
		}
		server.copies = append(server.copies, resourceCopy{node: n, role: "Started"})
		locks.copies = append(locks.copies, resourceCopy{node: n, role: "Started"})
	}
	directory := "/srv/nfs/" + id
	resources := []resource{
		{id: "rsc_fs_" + id, agent: agent{"ocf", "heartbeat", "Filesystem"}, operations: defaultOperations, copies: started,
			attributes: []nvpair{{"device", "/dev/drbd0"}, {"directory", directory}, {"fstype", "xfs"}}},
		{id: "rsc_export_" + id, agent: agent{"ocf", "heartbeat", "exportfs"}, operations: defaultOperations, copies: started,
			attributes: []nvpair{{"directory", directory}, {"fsid", "1"}, {"clientspec", "*"}, {"options", "rw,no_root_squash"}}},
	}
	backup := resource{
		id: "rsc_backup_" + id, agent: agent{"ocf", "heartbeat", "anything"}, attributes: []nvpair{{"binfile", "/usr/local/bin/backup"}},
		options: []nvpair{targetStopped}, operations: []operation{},
		copies: []resourceCopy{{role: "Stopped"}},
	}
	resources = append(append(resources, c.addressResources(id, c.storage, node)...), backup)
	return []resourceUnit{
		{id: "ms_drbd_" + id, form: master, options: []nvpair{{"clone-max", "2"}, {"notify", "true"}}, resources: []resource{disk}},
		{id: "cln_base_" + id, form: groupClone, options: []nvpair{{"interleave", "true"}}, resources: []resource{locks}},
		{id: "cln_nfsserver_" + id, form: clone, options: []nvpair{{"interleave", "true"}}, resources: []resource{server}},
		{id: "grp_nfs_" + id, form: group, resources: resources},
	}
}
