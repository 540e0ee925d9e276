package discovery

import (
	"maps"
	"slices"
	"strings"

	"trento/store/landscape"
)

// replication reads the system replication of a database instance, from the
// output of two tools. Without a replication, or if a tool fails, agents write
// null or an empty object.
func (f *fields) replication(d *landscape.DatabaseElement) {
	shipping := f.nested("SystemReplication")
	d.ReplicationStatus = shipping.textOrNil("overall_replication_status")

	before := f.omittedCount
	state := f.nested("HdbnsutilSRstate")
	if len(state.members) > 0 {
		state.noteEmpty("mode")
	}
	d.Mode = state.textOrNil("mode")
	d.Role = state.replicationRole(d.Mode)
	// Without the mode, the role of the instance is unknown.
	d.ReplicationUnread = f.omittedSince(before)
	d.OperationMode = state.textOrNil("operation_mode")
	d.Site = state.textOrNil("site_name")
	d.SourceSite = state.sourceSiteOf(d.Site)
	d.Tier = state.tierOf(d.Site, d.Role)
	d.SiteID = state.integer("site_id")
	d.ActivePrimarySite = state.integer("active_primary_site")
}

// replicationRole returns the role for a replication mode; nil without a replication.
func (f *fields) replicationRole(mode *string) *string {
	if mode == nil {
		return nil
	}
	role := landscape.SecondaryRole
	switch *mode {
	case "primary":
		role = landscape.PrimaryRole
	case "sync", "syncmem", "async", "unknown":
	case "none":
		return nil
	default:
		f.leaveOut("mode", reasonNotKnown)
		return nil
	}
	return &role
}

// namesBelow returns the names of the members that begin with a prefix, sorted.
func (f *fields) namesBelow(prefix string) []string {
	names := slices.Sorted(maps.Keys(f.members))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

// sourceSiteOf returns the site that a site replicates from; the last one if
// several are listed.
func (f *fields) sourceSiteOf(site *string) *string {
	const prefix = "siteMapping/"
	var source *string
	for _, name := range f.namesBelow(prefix) {
		v, ok := f.valueOf(name)
		if !ok {
			continue
		}
		var targets []string
		if v.isString() {
			targets = []string{v.text()}
		} else {
			targets = f.texts(name)
		}
		if site != nil && slices.Contains(targets, *site) {
			from := strings.TrimPrefix(name, prefix)
			source = &from
		}
	}
	return source
}

// tierOf returns the tier of a site. If the report contains no tiers, only the
// tier of the primary site is known.
func (f *fields) tierOf(site, role *string) *int {
	const prefix = "siteTier/"
	told := f.namesBelow(prefix)
	if len(told) == 0 {
		if role != nil && *role == landscape.PrimaryRole {
			first := 1
			return &first
		}
		return nil
	}
	var tier *int
	for _, name := range told {
		if n := f.integer(name); site != nil && strings.TrimPrefix(name, prefix) == *site {
			tier = n
		}
	}
	return tier
}
