package auth

import (
	"fmt"
	"slices"
)

// Access is what a route demands of the caller: nothing (Public), the API key
// of the agents (Agent), any user (SignedIn), any user or a screen on a wall
// (OnWall), or a user with an ability (Needs). No caller satisfies the zero value, so a route without an access
// rule refuses everybody.
type Access int

// The demands that are not abilities. The demand for an ability is its id.
const (
	Public   Access = -1
	Agent    Access = -2
	SignedIn Access = -3
	// OnWall demands a user, or a display: a screen on a wall.
	OnWall Access = -4
)

// Needs demands an ability, by a name such as "all:users". It panics if no
// ability has that name. Routes are built at the start, so a wrong name stops
// the start.
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
	case OnWall:
		return "signed in or a screen on a wall"
	}
	for _, ability := range abilities {
		if Access(ability.ID) == a {
			return ability.String()
		}
	}
	return "nobody"
}

// TokenRule says which personal access tokens may use a route. A token with the
// scope "full" may use it, and a token with the scope of the route itself. The
// zero value permits no other tokens.
type TokenRule struct {
	// Sets are the predefined sets of scopes that contain the route.
	Sets []string
	// Operations are API operations that do the same as a form of the console.
	// A token with the scope of any of them may use the form.
	Operations []string
	// Widened are abilities that are not needed for the route. Users who hold
	// them get more in its answer.
	Widened []Access
	// InPerson: no token may use the route, not even one with the scope "full".
	InPerson bool
	// LocalAccounts: the route manages accounts of this server. Nobody may use
	// it while an identity provider is in charge of the accounts.
	LocalAccounts bool
	// Monitoring: Options.Monitoring says who may use the route beside users and
	// their tokens.
	Monitoring bool
}

// InPerson returns the rule of a route that no token may use.
func InPerson() TokenRule { return TokenRule{InPerson: true} }

// InSets returns the rule of a route that belongs to sets of scopes, such as
// "read_only". It panics if no set has that name. Routes are built at the
// start, so a wrong name stops the start.
func InSets(names ...string) TokenRule {
	for _, name := range names {
		if !slices.ContainsFunc(scopeSets(), func(set ScopeSet) bool { return set.Name == name && name != scopeFull }) {
			panic(fmt.Sprintf("auth: no set of scopes %q", name))
		}
	}
	return TokenRule{Sets: names}
}

// As returns the rule with API operations that do the same as the form of the
// console.
func (t TokenRule) As(operations ...string) TokenRule {
	t.Operations = operations
	return t
}

// ForLocalAccounts returns the rule with LocalAccounts set: nobody may use the
// route while an identity provider is in charge of the accounts.
func (t TokenRule) ForLocalAccounts() TokenRule {
	t.LocalAccounts = true
	return t
}

// ForMonitoring returns the rule with Monitoring set: the configuration lets
// others use the route, too.
func (t TokenRule) ForMonitoring() TokenRule {
	t.Monitoring = true
	return t
}

// WidenedBy returns the rule with further abilities whose holders get more in
// the answer of the route.
func (t TokenRule) WidenedBy(abilities ...string) TokenRule {
	for _, ability := range abilities {
		t.Widened = append(t.Widened, Needs(ability))
	}
	return t
}

// isSatisfiedBy reports whether a user with these abilities meets the demand.
func (a Access) isSatisfiedBy(held []int) bool {
	switch {
	case a == Public || a == SignedIn || a == OnWall:
		return true
	case a <= 0:
		return false
	}
	return slices.Contains(held, int(a)) || slices.Contains(held, abilityAll) ||
		isOperationAbility(int(a)) && slices.Contains(held, abilityOperations)
}
