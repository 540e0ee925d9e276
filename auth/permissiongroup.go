package auth

import "slices"

// PermissionGroup is a permission under the name that the user guide uses. It
// consists of one or more abilities. Groups are for the console, where people
// choose permissions. A user is always stored with abilities.
type PermissionGroup struct {
	Name      string // "all:tags"
	Label     string // what the group permits
	Abilities []int  // ids, ascending
}

// PermissionGroups returns all groups, sorted by name. Every ability is in
// exactly one of them.
func PermissionGroups() []PermissionGroup {
	return []PermissionGroup{
		{"activity_log:users", "See the names of other users in the activity log", []int{17}},
		{"all:all", "Everything there is to do", []int{abilityAll}},
		{"all:check_customization", "Change the values checks compare with", []int{18}},
		{"all:checks_execution", "Start checks", []int{3, 4}},
		{"all:checks_selection", "Choose which checks are run", []int{5, 6}},
		{"all:settings", "Change the settings", []int{14, 15, 16, 20, 36}},
		{"all:tags", "Add and remove tags", []int{7, 8, 9, 10}},
		{"all:users", "Manage users, their permissions and their tokens", []int{2}},
		{"cleanup:all", "Clean up what is no longer reported", []int{11, 12, 13}},
		{"operation:all", "Run every operation", []int{abilityOperations}},
		{"operation:cluster", "Run operations on clusters", []int{22, 25, 26, 31, 32, 34}},
		{"operation:database", "Start and stop databases", []int{29, 30}},
		{"operation:host", "Run operations on hosts", []int{19, 21, 33}},
		{"operation:sap_system", "Start and stop SAP systems and their instances", []int{23, 24, 27, 28}},
	}
}

// HeldGroup is a group of which a user holds at least one ability.
type HeldGroup struct {
	PermissionGroup
	Missing []Ability // abilities of the group that the user does not hold
}

// HeldGroups returns the groups of a user's abilities, sorted by name. A group
// that is held in part lists what is missing, because its name alone would
// promise too much. Unknown ids are ignored.
func HeldGroups(held []int) []HeldGroup {
	var grants []HeldGroup
	for _, g := range PermissionGroups() {
		grant := HeldGroup{PermissionGroup: g}
		for _, id := range g.Abilities {
			if !slices.Contains(held, id) {
				grant.Missing = append(grant.Missing, abilities[id-1])
			}
		}
		if len(grant.Missing) < len(g.Abilities) {
			grants = append(grants, grant)
		}
	}
	return grants
}

// Preset is a typical set of permissions that the user guide recommends.
type Preset struct {
	Name        string
	Description string
	Abilities   []int // ids, ascending
}

// Presets returns the presets of the user guide, 9.1.
func Presets() []Preset {
	return []Preset{
		{"User manager", "Creates the other users and decides what they may do.", abilitiesOfGroups("all:users")},
		{"SAP Basis, display only", "Sees everything but the users, and changes nothing.", nil},
		{"SAP Basis, configuration", "Selects checks, tags things, and changes the settings.", abilitiesOfGroups("all:checks_selection", "all:settings", "all:tags")},
		{"SAP Basis, operation", "Runs checks and cleans up what is gone.", abilitiesOfGroups("all:checks_execution", "cleanup:all")},
	}
}

// abilitiesOfGroups returns the abilities of groups.
func abilitiesOfGroups(names ...string) []int {
	var ids []int
	for _, g := range PermissionGroups() {
		if slices.Contains(names, g.Name) {
			ids = append(ids, g.Abilities...)
		}
	}
	slices.Sort(ids)
	return ids
}

// Difference returns the names of the abilities that a change adds and removes.
// If all abilities of a group are added or removed, it returns the name of the
// group instead.
func Difference(before, after []int) (added, removed []string) {
	return namesOnlyInFirst(after, before), namesOnlyInFirst(before, after)
}

// namesOnlyInFirst returns the names of the abilities that are in the first set and
// not in the second.
func namesOnlyInFirst(in, notIn []int) []string {
	var names []string
	for _, g := range PermissionGroups() {
		var news []string
		for _, id := range g.Abilities {
			if slices.Contains(in, id) && !slices.Contains(notIn, id) {
				news = append(news, abilities[id-1].String())
			}
		}
		if len(news) == len(g.Abilities) {
			news = []string{g.Name}
		}
		names = append(names, news...)
	}
	slices.Sort(names)
	return names
}
