package discovery

import (
	"maps"
	"slices"
	"strings"

	"trento/store/landscape"
)

// replication is the part a database instance has in a system replication.
type replication struct {
	landscape.Replication
	activePrimary *int
	understood    bool // false where a number is none
}

// replication reads what the two tools say that know about it. Without a
// replication, or where a tool does not work, agents write null or an empty
// object.
func (f *fields) replication() replication {
	shipping, state := f.into("SystemReplication"), f.into("HdbnsutilSRstate")
	if len(shipping.members) > 0 {
		shipping.required("local_site_id")
	}
	var r replication
	r.ReplicationStatus = shipping.pointerTo("overall_replication_status")
	r.Mode = state.pointerTo("mode")
	r.OperationMode = state.pointerTo("operation_mode")
	r.Site = state.pointerTo("site_name")
	r.SourceSite = state.sourceOf(r.Site)
	r.Role = roleIn(r.Mode)
	var tierOK, siteOK, primaryOK bool
	r.Tier, tierOK = state.tierOf(r.Site, r.Role)
	r.SiteID, siteOK = state.number("site_id")
	r.activePrimary, primaryOK = state.number("active_primary_site")
	r.understood = tierOK && siteOK && primaryOK
	return r
}

// roleIn is nil outside of a replication.
func roleIn(mode *string) *string {
	if mode == nil {
		return nil
	}
	role := landscape.SecondaryRole
	switch *mode {
	case "primary":
		role = landscape.PrimaryRole
	case "sync", "syncmem", "async", "unknown":
	default:
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
func (f *fields) tierOf(site, role *string) (tier *int, understood bool) {
	const prefix = "siteTier/"
	told := f.under(prefix)
	if len(told) == 0 {
		if role != nil && *role == landscape.PrimaryRole {
			first := 1
			return &first, true
		}
		return nil, true
	}
	for _, name := range told {
		n, ok := f.number(name)
		if !ok {
			return nil, false
		}
		if site != nil && strings.TrimPrefix(name, prefix) == *site {
			tier = n
		}
	}
	return tier, true
}

// number is a whole number; nil where there is none or a blank text. It is
// false for anything else.
func (f *fields) number(name string) (*int, bool) {
	v, ok := f.get(name)
	if !ok || blank(v) {
		return nil, true
	}
	n, ok := integer(v)
	return &n, ok
}
