package activity

import (
	"slices"
	"strings"

	"trento/store"
	"trento/store/activity"
	"trento/ui/page"
	"trento/ui/table"
)

// actorOptions returns the users for the filter: enabled users, and those that
// the address names.
func actorOptions(tx *store.Tx, v Viewer, chosen []string) (table.FilterMenu, error) {
	names := []string{activity.System}
	for u, err := range tx.Users() {
		if err != nil {
			return table.FilterMenu{}, err
		}
		if u.Enabled() && v.Actor(u.Username) == u.Username {
			names = append(names, u.Username)
		}
	}
	f := table.FilterMenu{Key: "actor", Label: "User", Chosen: len(chosen), Long: len(names) >= table.NarrowFrom}
	for _, name := range table.Unique(append(names, chosen...)) {
		f.Options = append(f.Options, page.Option{Value: name, Label: name, Chosen: slices.Contains(chosen, name)})
	}
	return f, nil
}

// typeFacet returns the types that the viewer may see, grouped by resource.
func typeFacet(v Viewer, chosen []string) table.FilterMenu {
	f := table.FilterMenu{Key: "type", Label: "Type", Chosen: len(chosen), Long: true}
	groups := map[string][]page.Option{}
	for _, t := range activity.Types() {
		if t.UserManagement() && v.All.WithoutUserManagement {
			continue
		}
		group := typeGroup(t)
		groups[group] = append(groups[group], page.Option{Value: string(t), Label: t.Label(), Chosen: slices.Contains(chosen, string(t))})
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		options := groups[name]
		slices.SortFunc(options, func(a, b page.Option) int { return strings.Compare(a.Label, b.Label) })
		options[0].Group = name
		f.Options = append(f.Options, options...)
	}
	return f
}

// typeGroup returns the group of a type: the resource of its entries, or
// "Several" if that differs from entry to entry.
func typeGroup(t activity.Type) string {
	resource := (&activity.Entry{Type: t}).Resource()
	if strings.HasPrefix(resource, "Unable") {
		return "Several"
	}
	return resource
}

func severityFacet(chosen []string) table.FilterMenu {
	if len(chosen) == 0 {
		chosen = defaultSeverities
	}
	f := table.FilterMenu{Key: "severity", Label: "Severity"}
	if !sameSet(chosen, defaultSeverities) {
		f.Chosen = len(chosen)
	}
	for _, name := range SeverityNames() {
		f.Options = append(f.Options, page.Option{Value: name, Label: severityLabel(name), Mark: name, Chosen: slices.Contains(chosen, name)})
	}
	return f
}

func newDateMenu(key, label string, d dateChoice) dateMenu {
	m := dateMenu{Key: key, Label: label, Words: d.label(), Choices: []page.Option{{Value: "", Label: "Any time", Chosen: !d.isSet()}}}
	for _, rel := range relativeDates {
		m.Choices = append(m.Choices, page.Option{Value: rel.key, Label: rel.key + " ago", Chosen: d.relative == rel.key})
	}
	m.Choices = append(m.Choices, page.Option{Value: customDate, Label: "This moment:", Chosen: !d.custom.IsZero()})
	if !d.custom.IsZero() {
		m.Custom = d.custom.Format("2006-01-02T15:04:05")
	}
	return m
}

// SeverityNames returns all severities, the lowest first.
func SeverityNames() []string {
	names := make([]string, len(activity.Severities))
	for i, severity := range activity.Severities {
		names[i] = severity.String()
	}
	return names
}

func severityLabel(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
