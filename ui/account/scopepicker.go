package account

import (
	"slices"
	"strings"

	"trento/auth"
	"trento/ui/page"
	"trento/ui/table"
)

// scopePicker is the part of a form where the scopes of a token are chosen.
type scopePicker struct {
	Full       bool
	Sets       []scopeBox
	Operations []scopeBox
	Fault      string
	// Manages reports whether the owner manages users. A token for everything
	// can then create administrators.
	Manages bool
	// Administration is the check box that allows the token to grant
	// administration. It is nil unless a token is created by an owner who
	// manages users.
	Administration *scopeBox
}

// offerAdministration lets an owner who manages users choose whether the new
// token may create administrators.
func (p *scopePicker) offerAdministration(id *auth.Identity, making, chosen bool) {
	p.Manages = id.Can(page.AbilityUsers)
	if making && p.Manages {
		p.Administration = &scopeBox{Value: "true", Label: "May grant administration", Chosen: chosen}
	}
}

// scopeBox is a set of operations or a single one.
type scopeBox struct {
	Value, Label string
	Description  string
	Doc          string // address of its documentation
	Group        string // name of the group; set only for its first box
	Chosen       bool
}

// fullScope is the scope for everything. chosenScopes is the value of the form
// for a choice of other scopes.
const (
	fullScope    = "full"
	chosenScopes = "chosen"
)

// newScopePicker offers the sets and the operations, grouped by resource.
func newScopePicker(sets []auth.ScopeSet, chosen []string) scopePicker {
	p := scopePicker{Full: slices.Contains(chosen, fullScope)}
	for _, set := range sets {
		if set.Name != fullScope {
			p.Sets = append(p.Sets, scopeBox{Value: set.Name, Label: set.Label, Description: set.Description, Chosen: slices.Contains(chosen, set.Name)})
			continue
		}
		operations := slices.Clone(set.Operations)
		slices.SortStableFunc(operations, func(a, b auth.Operation) int { return table.FoldCompare(resourceOf(a.Path), resourceOf(b.Path)) })
		group := ""
		for _, o := range operations {
			box := scopeBox{Value: o.String(), Label: o.String(), Description: o.Summary, Doc: o.Doc, Chosen: slices.Contains(chosen, o.String())}
			if resource := resourceOf(o.Path); resource != group {
				group, box.Group = resource, resource
			}
			p.Operations = append(p.Operations, box)
		}
	}
	return p
}

// resourceOf returns the resource in a path of the API: "hosts".
func resourceOf(path string) string {
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part != "api" && part != "v1" && part != "v2" {
			return strings.ReplaceAll(part, "_", " ")
		}
	}
	return path
}
