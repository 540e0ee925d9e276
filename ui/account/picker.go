package account

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store/fault"
	"trento/ui/page"
)

// picker is the part of a form where the permissions of a user are chosen: a
// check box for each ability, under its group. Abilities are chosen, not
// groups, so a group that is granted in part stays as it is.
type picker struct {
	Singles []abilityBox // abilities that form a group alone
	Groups  []abilityGroup
	Presets []preset
	Held    string // ids of the abilities before the change, for the script
	// Reviewed has the ids of the chosen abilities if the reader has already
	// seen what changes, so that no question is needed.
	Reviewed string
	Added    []string
	Removed  []string
	Fault    string
	Refused  string // why the reader may not change anything
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
	Words       string // how many abilities of the group are chosen, see groupSummary
}

// preset is a button that chooses the abilities of a preset.
type preset struct {
	Number            int
	Name, Description string
	IDs               string // ids of its abilities, for the script
	Chosen            bool
}

func newPicker(held, chosen []int) picker {
	p := picker{Held: idList(held)}
	labels := auth.Abilities()
	for _, g := range auth.PermissionGroups() {
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
		group.Words = groupSummary(group.Boxes)
		p.Groups = append(p.Groups, group)
	}
	for i, profile := range auth.Presets() {
		p.Presets = append(p.Presets, preset{i, profile.Name, profile.Description, idList(profile.Abilities), slices.Equal(profile.Abilities, chosen)})
	}
	p.Added, p.Removed = auth.Difference(held, chosen)
	return p
}

// showPicker answers GET /users/permissions: the picker for a changed choice.
// The script fetches it after every change.
func (s *userHandlers) showPicker(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	var lists [2][]int
	for i, name := range []string{"held", "chosen"} {
		ids, known := parseAbilities(strings.FieldsFunc(q.Get(name), func(c rune) bool { return c == ',' }))
		if known = known && !slices.ContainsFunc(ids, func(id int) bool { return id < 1 || id > len(auth.Abilities()) }); !known {
			return fault.Field(name, "is invalid")
		}
		lists[i] = ids
	}
	p := newPicker(lists[0], lists[1])
	p.Reviewed = cmp.Or(idList(lists[1]), "none")
	var body bytes.Buffer
	if err := s.Templates[(*userPage)(nil).Template()].ExecuteTemplate(&body, "picker", p); err != nil {
		return fmt.Errorf("picker: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write(body.Bytes())
	return page.IgnoreGone(err)
}

// groupSummary says how many abilities of a group are chosen, and which are
// missing if the group is chosen in part.
func groupSummary(boxes []abilityBox) string {
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

// idList formats a set of abilities as text.
func idList(ids []int) string {
	texts := make([]string, len(ids))
	for i, id := range slices.Sorted(slices.Values(ids)) {
		texts[i] = strconv.Itoa(id)
	}
	return strings.Join(texts, ",")
}

// parseAbilities reads the check boxes of a picker. known is false if a value
// is not a number. Package auth checks whether the numbers are abilities.
func parseAbilities(values []string) (ids []int, known bool) {
	ids, known = []int{}, true
	for _, value := range values {
		id, err := strconv.Atoi(value)
		if err != nil {
			known = false
		} else if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, known
}

// grantChip is a group that a user holds.
type grantChip struct {
	Name, Label string
	Missing     string // abilities of the group that the user lacks
}

func grantChips(held []int) []grantChip {
	var chips []grantChip
	for _, g := range auth.HeldGroups(held) {
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
