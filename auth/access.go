package auth

import (
	"fmt"
	"slices"
)

// Access is what a route demands of who calls it: nothing (Public), the key of
// the agents (Agent), any user (SignedIn), or a user with an ability (Needs).
// The zero value is met by nobody, so that a route that was given none stays
// shut.
type Access int

// The demands that are no ability. An ability is demanded by its id.
const (
	Public   Access = -1
	Agent    Access = -2
	SignedIn Access = -3
)

// Needs demands the ability of a name such as "all:users". It panics if there
// is none of that name: routes are made at the start, where that is noticed.
func Needs(ability string) Access {
	for _, a := range abilities {
		if a.String() == ability {
			return Access(a.ID)
		}
	}
	panic(fmt.Sprintf("auth: no ability %q", ability))
}

func (a Access) String() string {
	switch a {
	case Public:
		return "public"
	case Agent:
		return "agent"
	case SignedIn:
		return "signed in"
	}
	for _, ability := range abilities {
		if Access(ability.ID) == a {
			return ability.String()
		}
	}
	return "nobody"
}

// TokenRule says which personal access tokens may use a route. Those for
// everything may, and those that name the route alone; the zero value adds none.
type TokenRule struct {
	// Sets are the predefined sets of scopes that the route is in.
	Sets []string
	// Operations are others whose scopes are enough: those of the API that do
	// what a form of the console does.
	Operations []string
	// Widened are abilities that are not demanded but make the answer say more.
	Widened []Access
	// InPerson: no token may, not even one for everything.
	InPerson bool
}

// InPerson is for routes that no token may use.
func InPerson() TokenRule { return TokenRule{InPerson: true} }

// InSets is for routes that are in sets of scopes, such as "read_only". It
// panics if there is none of that name: routes are made at the start, where
// that is noticed.
func InSets(names ...string) TokenRule {
	for _, name := range names {
		if !slices.ContainsFunc(scopeSets(), func(set ScopeSet) bool { return set.Name == name && name != scopeFull }) {
			panic(fmt.Sprintf("auth: no set of scopes %q", name))
		}
	}
	return TokenRule{Sets: names}
}

// As is for forms of the console that do what operations of the API do.
func (t TokenRule) As(operations ...string) TokenRule {
	t.Operations = operations
	return t
}

// WidenedBy is for routes whose answer says more to those who hold abilities.
func (t TokenRule) WidenedBy(abilities ...string) TokenRule {
	for _, ability := range abilities {
		t.Widened = append(t.Widened, Needs(ability))
	}
	return t
}

// metBy reports whether a user with the abilities meets the demand.
func (a Access) metBy(held []int) bool {
	switch {
	case a == Public || a == SignedIn:
		return true
	case a <= 0:
		return false
	}
	return slices.Contains(held, int(a)) || slices.Contains(held, allAll) ||
		isOperation(int(a)) && slices.Contains(held, operationAll)
}
