package fleet

import (
	"strconv"
	"time"
)

// isAngi reports whether the database has the newer resource agents
// (SAPHanaSR-angi).
func (c *cluster) isAngi() bool { return c.hana == angiScaleUp || c.hana == angiScaleOut }

// isScaleOut reports whether a site of the database has several hosts.
func (c *cluster) isScaleOut() bool { return c.hana == scaleOut || c.hana == angiScaleOut }

// databaseUnits returns the resources that run a database.
func (c *cluster) databaseUnits() []resourceUnit {
	db := c.database
	lead := db.primary().instances[0]
	suffix := db.sid + "_" + lead.name()
	started := c.copies(func(*instance) string { return "Started" })
	list := []resourceUnit{c.topologyClone("cln_SAPHanaTop_"+suffix, "rsc_SAPHanaTop_"+suffix, "SAPHanaTopology", started)}
	if c.isAngi() {
		list = append(list, c.topologyClone("cln_SAPHanaFil_"+suffix, "rsc_SAPHanaFil_"+suffix, "SAPHanaFilesystem", started))
	}
	list = append(list, c.controllerClone(suffix))
	addressed := c.addressResources(suffix, db.address, lead.host)
	if len(addressed) == 1 {
		list = append(list, resourceUnit{form: primitive, resources: addressed})
	} else {
		list = append(list, resourceUnit{id: "g_ip_" + suffix, form: group, resources: addressed})
	}
	if c.secondDatabase != nil {
		list = append(list, c.secondDatabaseUnit())
	}
	if c.hana == scaleUp {
		list = append(list, c.exporterUnit(suffix, lead))
	}
	return list
}

// exporterUnit returns the resource of the exporter that monitors the database.
// In some clusters an administrator has stopped it.
func (c *cluster) exporterUnit(suffix string, lead *instance) resourceUnit {
	r := resource{
		id: "rsc_exporter_" + suffix, agent: agent{class: "systemd", kind: "prometheus-hanadb_exporter@" + c.database.sid + "_" + lead.name()},
		options: []nvpair{{"resource-stickiness", "0"}, {"target-role", "Started"}}, operations: defaultOperations[2:],
		copies: []resourceCopy{{node: lead.host, role: "Started"}},
	}
	if c.controllerNode > 0 {
		r.options[1], r.copies = targetStopped, []resourceCopy{{role: "Stopped"}}
	}
	return resourceUnit{form: primitive, resources: []resource{r}}
}

// cloneOptions are the options of all clones.
var cloneOptions = []nvpair{{"clone-node-max", "1"}, {"interleave", "true"}}

// topologyClone returns the clone that watches the database on every node.
func (c *cluster) topologyClone(id, resourceID, kind string, copies []resourceCopy) resourceUnit {
	r := resource{id: resourceID, agent: agent{"ocf", "suse", kind}, attributes: c.databaseParameters(), operations: defaultOperations, copies: copies}
	return resourceUnit{id: id, form: clone, options: cloneOptions, resources: []resource{r}}
}

// databaseParameters returns the parameters by which resources name the
// database.
func (c *cluster) databaseParameters() []nvpair {
	return []nvpair{{"SID", c.database.sid}, {"InstanceNumber", c.database.primary().instances[0].number}}
}

// controllerClone returns the clone that starts and stops the database.
func (c *cluster) controllerClone(suffix string) resourceUnit {
	kind := c.controllerAgent()
	up, down := c.roles()
	r := resource{
		id: "rsc_" + kind + "_" + suffix, agent: agent{"ocf", "suse", kind},
		attributes: append(c.databaseParameters(), nvpair{"PREFER_SITE_TAKEOVER", "true"}, nvpair{"DUPLICATE_PRIMARY_TIMEOUT", "7200"}, nvpair{"AUTOMATED_REGISTER", "true"}),
		options:    []nvpair{{"priority", "100"}},
		operations: append(defaultOperations[:2:2], operation{"promote", "", "3600s", "0"}, operation{"monitor", up, "700s", "60"}, operation{"monitor", down, "700s", "61"}),
		copies: c.copies(func(i *instance) string {
			switch {
			case i.state() == gray:
				return ""
			case i == c.database.primary().instances[0]:
				return up
			}
			return down
		}),
	}
	if c.isAngi() {
		return resourceUnit{id: "mst_" + kind + "_" + suffix, form: promotable, options: append(cloneOptions[:2:2], nvpair{"promotable", "true"}), resources: []resource{r}}
	}
	return resourceUnit{id: "msl_" + kind + "_" + suffix, form: master, options: cloneOptions, resources: []resource{r}}
}

// controllerAgent returns the resource agent that starts and stops the
// database.
func (c *cluster) controllerAgent() string {
	if c.hana == scaleUp || c.hana == costOptimized {
		return "SAPHana"
	}
	return "SAPHanaController"
}

// roles returns the names of the two roles of a promotable clone.
func (c *cluster) roles() (up, down string) {
	if c.isAngi() {
		return "Promoted", "Unpromoted"
	}
	return "Master", "Slave"
}

// copies returns one copy for each node. The copies on the nodes of the
// database have a role; the others are stopped.
func (c *cluster) copies(role func(*instance) string) (list []resourceCopy) {
	for _, node := range c.nodes {
		p := resourceCopy{role: "Stopped"}
		if i := c.instance(node); i != nil && !node.offline {
			if r := role(i); r != "" {
				p = resourceCopy{node: node, role: r}
			}
		}
		list = append(list, p)
	}
	return list
}

// instance returns the instance of the database on a node; nil if there is
// none.
func (c *cluster) instance(node *Host) *instance {
	for _, i := range node.instances {
		if i.database == c.database {
			return i
		}
	}
	return nil
}

func (c *cluster) secondDatabaseUnit() resourceUnit {
	i := c.secondDatabase.primary().instances[0]
	name := c.secondDatabase.sid + "_" + i.name() + "_" + i.hostname
	r := resource{
		id: "rsc_SAP_" + c.secondDatabase.sid + "_" + i.name(), agent: agent{"ocf", "heartbeat", "SAPInstance"}, operations: defaultOperations,
		attributes: []nvpair{{"InstanceName", name}, {"MONITOR_SERVICES", "hdbindexserver|hdbnameserver"}, {"START_PROFILE", "/usr/sap/" + c.secondDatabase.sid + "/SYS/profile/" + name}},
		copies:     []resourceCopy{{role: "Stopped"}},
	}
	if !i.host.offline {
		r.copies = []resourceCopy{{node: i.host, role: "Started"}}
	}
	return resourceUnit{form: primitive, resources: []resource{r}}
}

// locationConstraints returns the constraints that keep the database off a
// majority maker, and a second database off the primary site.
func (c *cluster) locationConstraints(units []resourceUnit) (list []cibLocation) {
	ban := func(resource string, node *Host) {
		list = append(list, cibLocation{ID: "loc_" + resource + "_not_on_" + node.Name, Node: node.Name, Resource: resource, Score: "-INFINITY"})
	}
	if c.secondDatabase != nil {
		ban(c.secondDatabaseUnit().resources[0].id, c.database.primary().instances[0].host)
	}
	for _, node := range c.nodes {
		if node.Role != Tiebreaker {
			continue
		}
		for _, b := range units {
			if b.form == clone || b.form == promotable || b.form == master {
				ban(b.id, node)
			}
		}
	}
	return list
}

// landscapeState returns the landscape state of a site, from 4 (best) to 1.
func (s *site) landscapeState() string {
	if s.isUp() {
		return "4"
	}
	return "1"
}

// role returns the role of a site in its own configuration.
func (db *database) role(s *site) string {
	if s == db.primary() || s.unregistered {
		return "P"
	}
	return "S"
}

// syncState returns the state of the replication to a site.
func (db *database) syncState(s *site) string {
	switch {
	case s == db.primary():
		return "PRIM"
	case db.isInSync():
		return "SOK"
	}
	return "SFAIL"
}

// lastAlive returns the last sign of life of a database, in the form that its
// cluster uses: a time for the primary, and a rank for the others.
func (db *database) lastAlive(s *site, now time.Time) string {
	switch {
	case s == db.primary():
		return strconv.FormatInt(now.Truncate(time.Minute).Unix(), 10)
	case db.isInSync():
		return "30"
	}
	return "10"
}

// databaseProperties returns the properties of the whole cluster that the
// resource agents of a database write.
func (c *cluster) databaseProperties(now time.Time) (list []nvpair) {
	db := c.database
	prefix := "hana_" + toLower(db.sid) + "_"
	add := func(name, value string) { list = append(list, nvpair{prefix + name, value}) }
	prim, sec := db.sites[0], db.sites[1]
	if c.hana != scaleOut && !c.isAngi() {
		add("site_srHook_"+sec.name, db.syncState(sec))
		add("site_srHook_"+prim.name, "PRIM")
		return list
	}
	add("glob_prim", prim.name)
	add("glob_sec", sec.name)
	add("glob_upd", "ok")
	if c.isAngi() {
		add("glob_topology", map[bool]string{false: "ScaleUp", true: "ScaleOut"}[c.isScaleOut()])
	} else {
		add("glob_sync_state", db.syncState(sec))
		add("glob_mts", "true")
	}
	for i, s := range db.sites[:2] {
		add("site_lss_"+s.name, s.landscapeState())
		add("site_srr_"+s.name, db.role(s))
		add("site_srHook_"+s.name, db.syncState(s))
		add("site_mns_"+s.name, s.instances[0].host.Name)
		add("site_lpt_"+s.name, db.lastAlive(s, now))
		if c.isAngi() {
			add("site_srPoll_"+s.name, db.syncState(s))
			add("site_srMode_"+s.name, db.modeOf(max(i, 1)))
			add("site_opMode_"+s.name, "logreplay")
		}
	}
	return list
}

// databaseAttributes returns the attributes of a node that the resource agents
// of a database write.
func (c *cluster) databaseAttributes(i *instance, now time.Time) (list []nvpair) {
	db, s := c.database, i.site
	sid := toLower(db.sid)
	add := func(name, value string) { list = append(list, nvpair{"hana_" + sid + "_" + name, value}) }
	add("clone_state", c.cloneState(i))
	add("roles", c.roleOf(i))
	add("site", s.name)
	add("srah", "-")
	add("version", db.version)
	add("vhost", i.hostname)
	switch {
	case c.isScaleOut():
		add("gra", "2.0")
		add("gsh", "2.2")
	case !c.isAngi():
		add("op_mode", "logreplay")
		add("srmode", "sync")
		add("sync_state", db.syncState(s))
		other := db.sites[0]
		if s == other {
			other = db.sites[1]
		}
		add("remoteHost", other.instances[0].hostname)
		list = append(list, nvpair{"lpa_" + sid + "_lpt", db.lastAlive(s, now)})
	}
	return append(list, nvpair{"master-rsc_" + c.controllerAgent() + "_" + db.sid + "_" + i.name(), c.promotionScore(i)})
}

// permanentAttributes returns the attributes of a node that survive a restart
// of the cluster software.
func (c *cluster) permanentAttributes(node *Host) (list []nvpair) {
	i := c.instance(node)
	if c.database == nil || i == nil {
		return nil
	}
	prefix := "hana_" + toLower(c.database.sid) + "_"
	list = []nvpair{{prefix + "vhost", i.hostname}, {prefix + "site", i.site.name}}
	if c.isScaleOut() {
		return append(list, nvpair{prefix + "gra", "2.0"})
	}
	return append(list, nvpair{prefix + "srmode", "sync"}, nvpair{prefix + "op_mode", "logreplay"})
}

func (c *cluster) cloneState(i *instance) string {
	switch {
	case i.state() == gray:
		return "UNDEFINED"
	case i == c.database.primary().instances[0]:
		return "PROMOTED"
	}
	return "DEMOTED"
}

// roleOf returns the configured roles and the current roles of an instance in
// its site.
func (c *cluster) roleOf(i *instance) string {
	role := "slave:slave:worker:slave"
	switch lead := i == i.site.instances[0]; {
	case i.software == standbySoftware:
		role = "slave:slave:standby:standby"
	case lead && (i.state() == gray || i.state() == red):
		role = "master1::worker:"
	case lead:
		role = "master1:master:worker:master"
	}
	if c.isScaleOut() || c.isAngi() {
		return role
	}
	return i.site.landscapeState() + ":" + c.database.role(i.site) + ":" + role
}

// promotionScore returns the score that decides which node gets the promoted
// copy.
func (c *cluster) promotionScore(i *instance) string {
	switch {
	case i.state() == gray:
		return "-9000"
	case i != i.site.instances[0]:
		return "-12200"
	case i.site == c.database.primary():
		return "150"
	case c.database.isInSync():
		return "100"
	}
	return "-INFINITY"
}
