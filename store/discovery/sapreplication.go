package discovery

import (
	"maps"
	"slices"
	"strings"

	"trento/store/landscape"
)

// replication reads the part a database instance has in a system replication,
// from what the two tools say that know about it. Without a replication, or
// where a tool does not work, agents write null or an empty object.
func (f *fields) replication(d *landscape.DatabaseElement) {
	shipping := f.into("SystemReplication")
	d.ReplicationStatus = shipping.textOrNil("overall_replication_status")

	before := f.omitted
	state := f.into("HdbnsutilSRstate")
	if len(state.members) > 0 {
		state.noteNothing("mode")
	}
	d.Mode = state.textOrNil("mode")
	d.Role = state.role(d.Mode)
	// Without the mode the part is not known, and it must not be taken for none.
	d.ReplicationUnread = f.since(before)
	d.OperationMode = state.textOrNil("operation_mode")
	d.Site = state.textOrNil("site_name")
	d.SourceSite = state.sourceOf(d.Site)
	d.Tier = state.tierOf(d.Site, d.Role)
	d.SiteID = state.integer("site_id")
	d.ActivePrimarySite = state.integer("active_primary_site")
}

// role is the part in a replication that a mode stands for; nil outside of
// one.
func (f *fields) role(mode *string) *string {
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
		f.leaveOut("mode", notKnown)
		return nil
	}
	return &role
}

// under are the names of the members below a prefix, in rising order.
func (f *fields) under(prefix string) []string {
	names := slices.Sorted(maps.Keys(f.members))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

// sourceOf is the site that a site replicates from; of several the last one.
func (f *fields) sourceOf(site *string) *string {
	const prefix = "siteMapping/"
	var source *string
	for _, name := range f.under(prefix) {
		v, ok := f.get(name)
		if !ok {
			continue
		}
		var targets []string
		if v.string() {
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

// tierOf is the tier of a site. Where no tiers are told at all, at least that
// of the primary site is known.
func (f *fields) tierOf(site, role *string) *int {
	const prefix = "siteTier/"
	told := f.under(prefix)
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
