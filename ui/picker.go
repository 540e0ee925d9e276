package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
)

// picker lets somebody choose what a user may do: one check box an ability,
// under the groups people know them by. What is chosen are abilities, never
// groups, so a group that is granted in part is shown and kept as it is.
type picker struct {
	Singles []abilityBox // abilities that are a group of their own
	Groups  []abilityGroup
	Presets []preset
	Held    string // ids before the change, for the script
	Added   []string
	Removed []string
	Fault   string
}

type abilityBox struct {
	ID     int
	Name   string // "all:host_tags"
	Label  string
	Chosen bool
}

type abilityGroup struct {
	Name, Label string
	Boxes       []abilityBox
	Words       string // how much of it is chosen
}

// preset chooses the abilities of a kind of user.
type preset struct {
	Number            int
	Name, Description string
	IDs               string // of its abilities, for the script
	Chosen            bool
}

func newPicker(held, chosen []int) picker {
	p := picker{Held: idList(held)}
	labels := auth.Abilities()
	for _, g := range auth.Groups() {
		group := abilityGroup{Name: g.Name, Label: g.Label}
		for _, id := range g.Abilities {
			ability := labels[id-1]
			group.Boxes = append(group.Boxes, abilityBox{ID: id, Name: ability.String(), Label: ability.Label, Chosen: slices.Contains(chosen, id)})
		}
		if len(group.Boxes) == 1 {
			group.Boxes[0].Label = g.Label
			p.Singles = append(p.Singles, group.Boxes[0])
			continue
		}
		group.Words = groupWords(group.Boxes)
		p.Groups = append(p.Groups, group)
	}
	for i, profile := range auth.Profiles() {
		p.Presets = append(p.Presets, preset{i, profile.Name, profile.Description, idList(profile.Abilities), slices.Equal(profile.Abilities, chosen)})
	}
	p.Added, p.Removed = auth.Difference(held, chosen)
	return p
}

// groupWords is how much of a group is chosen, and what is missing of one that
// is chosen in part. The script says the same, see picker.js.
func groupWords(boxes []abilityBox) string {
	var missing []string
	for _, box := range boxes {
		if !box.Chosen {
			missing = append(missing, box.Name)
		}
	}
	switch len(missing) {
	case 0:
		return "all of it"
	case len(boxes):
		return "none of it"
	}
	return fmt.Sprintf("%d of %d, without %s", len(boxes)-len(missing), len(boxes), strings.Join(missing, ", "))
}

// idList is a set of abilities as text.
func idList(ids []int) string {
	texts := make([]string, len(ids))
	for i, id := range slices.Sorted(slices.Values(ids)) {
		texts[i] = strconv.Itoa(id)
	}
	return strings.Join(texts, ",")
}

// parseAbilities reads the check boxes of a picker. What is no number is no
// ability; whether a number is one is for package auth to say.
func parseAbilities(values []string) []int {
	ids := []int{}
	for _, value := range values {
		if id, err := strconv.Atoi(value); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// grantChip is a group a user holds, on a page.
type grantChip struct {
	Name, Label string
	Missing     string // of a group that is held in part
}

func grantChips(held []int) []grantChip {
	var chips []grantChip
	for _, g := range auth.Grants(held) {
		chip := grantChip{Name: g.Name, Label: g.Label}
		var missing []string
		for _, a := range g.Missing {
			missing = append(missing, a.String())
		}
		chip.Missing = strings.Join(missing, ", ")
		chips = append(chips, chip)
	}
	return chips
}
