package ui

import (
	"slices"
	"strings"

	"trento/store"
	"trento/store/activity"
)

// actorOptions are the users the viewer may filter by: active ones, and those
// the address names already.
func actorOptions(tx *store.Tx, v viewer, chosen []string) (facet, error) {
	names := []string{activity.System}
	for u, err := range tx.Users() {
		if err != nil {
			return facet{}, err
		}
		if u.Enabled() && v.Actor(u.Username) == u.Username {
			names = append(names, u.Username)
		}
	}
	f := facet{Key: "actor", Label: "User", Chosen: len(chosen), Long: len(names) >= narrowFrom}
	for _, name := range unique(append(names, chosen...)) {
		f.Options = append(f.Options, option{Value: name, Label: name, Chosen: slices.Contains(chosen, name)})
	}
	return f, nil
}

// typeFacet offers the types the viewer may see, by what they are about.
func typeFacet(v viewer, chosen []string) facet {
	f := facet{Key: "type", Label: "Type", Chosen: len(chosen), Long: true}
	groups := map[string][]option{}
	for _, t := range activity.Types() {
		if t.UserManagement() && v.all.WithoutUserManagement {
			continue
		}
		group := typeGroup(t)
		groups[group] = append(groups[group], option{Value: string(t), Label: t.Label(), Chosen: slices.Contains(chosen, string(t))})
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		options := groups[name]
		slices.SortFunc(options, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
		options[0].Group = name
		f.Options = append(f.Options, options...)
	}
	return f
}

// typeGroup is what the entries of a type are about; the resource of some
// types is known only entry by entry.
func typeGroup(t activity.Type) string {
	resource := (&activity.Entry{Type: t}).Resource()
	if strings.HasPrefix(resource, "Unable") {
		return "Several"
	}
	return resource
}

func severityFacet(chosen []string) facet {
	if len(chosen) == 0 {
		chosen = usualSeverities
	}
	f := facet{Key: "severity", Label: "Severity"}
	if !sameSet(chosen, usualSeverities) {
		f.Chosen = len(chosen)
	}
	for _, name := range severityNames() {
		f.Options = append(f.Options, option{Value: name, Label: severityLabel(name), Mark: name, Chosen: slices.Contains(chosen, name)})
	}
	return f
}

func newDateMenu(key, label string, d dateChoice) dateMenu {
	m := dateMenu{Key: key, Label: label, Words: d.words(), Choices: []option{{Value: "", Label: "Any time", Chosen: !d.set()}}}
	for _, rel := range relativeDates {
		m.Choices = append(m.Choices, option{Value: rel.key, Label: rel.key + " ago", Chosen: d.relative == rel.key})
	}
	m.Choices = append(m.Choices, option{Value: customDate, Label: "This moment:", Chosen: !d.custom.IsZero()})
	if !d.custom.IsZero() {
		m.Custom = d.custom.Format("2006-01-02T15:04:05")
	}
	return m
}

// severityNames are all severities, mildest first.
func severityNames() []string {
	names := make([]string, len(activity.Severities))
	for i, severity := range activity.Severities {
		names[i] = severity.String()
	}
	return names
}

func severityLabel(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
