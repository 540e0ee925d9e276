package auth

import (
	"net/http"
	"slices"

	"trento/store"
)

// Operation is one operation of the API: a route, with its summary and
// documentation.
type Operation struct {
	Method, Path string    // "DELETE", "/api/v1/hosts/{id}"
	Access       Access    // which users may use the operation
	Tokens       TokenRule // which of their tokens may use it
	Summary      string    // for people
	Doc          string    // address of its documentation
}

// String returns the operation in the form of scopes: "DELETE
// /api/v1/hosts/{id}".
func (o Operation) String() string { return o.Method + " " + o.Path }

func (o Operation) isRead() bool { return o.Method == http.MethodGet }

// The scopes with a meaning beyond their set of operations.
const (
	scopeFull     = "full"      // everything the owner may do, also in future versions
	scopeReadOnly = "read_only" // all operations that only read, without the API key
)

// ScopeSet is a predefined set of operations. Its name is a scope.
type ScopeSet struct {
	Name, Label, Description string
	Operations               []Operation
}

// defaultScopes returns the scopes of a token that is created without any.
func defaultScopes() []string { return []string{scopeFull} }

// maxScopes is the largest number of scopes of a token.
const maxScopes = 200

// ScopeSets returns the predefined sets. The first one, full, contains all
// operations that can be a scope. The caller must not modify them.
func (a *Auth) ScopeSets() []ScopeSet { return a.scopes.sets }

// scopes knows what each scope permits.
type scopes struct {
	sets      []ScopeSet
	abilities map[string]*scopeAbilities // by the text of the scope
}

// scopeAbilities are the abilities that the operations of a scope need: one
// list for operations that only read, one for operations that change something.
type scopeAbilities struct {
	readAbilities, changeAbilities []Access
}

// addOperation adds the abilities that an operation needs. If the operation only reads,
// the ability to see the API key is added only with secrets.
func (r *scopeAbilities) addOperation(o Operation, secrets bool) {
	into := &r.changeAbilities
	if o.isRead() {
		into = &r.readAbilities
	}
	if !o.isRead() || o.Access != abilityAPIKeySettings {
		addAbility(into, o.Access)
	}
	for _, ability := range o.Tokens.Widened {
		if secrets || ability != abilityAPIKeySettings {
			addAbility(into, ability)
		}
	}
}

func addAbility(to *[]Access, ability Access) {
	if ability > 0 && !slices.Contains(*to, ability) {
		*to = append(*to, ability)
	}
}

// scopeSets returns the predefined sets, without their operations.
func scopeSets() []ScopeSet {
	return []ScopeSet{
		{Name: scopeFull, Label: "Everything", Description: "Whatever you may do, now and in future versions."},
		{Name: scopeReadOnly, Label: "Read only", Description: "Read what you may read, but not the key of the agents. Change nothing."},
		{Name: "checks", Label: "Checks", Description: "Select checks, run them and set their values; read the hosts and clusters they are for."},
		{Name: "operations", Label: "Operations", Description: "Start, stop and maintain hosts, clusters, databases and SAP systems; read them."},
		{Name: "tags", Label: "Tags", Description: "Add and remove tags; read the hosts, clusters, databases and SAP systems that have them."},
		{Name: "housekeeping", Label: "Housekeeping", Description: "Clean up silent hosts and absent instances; read hosts, databases and SAP systems."},
		{Name: "settings", Label: "Settings", Description: "Read and change the settings, the key of the agents included."},
		{Name: "user_management", Label: "User management", Description: "Make, change, disable and delete users, give permissions, set passwords, turn second factors off, and see and end the sessions and tokens of all. Whoever holds such a token can act as any user whose password it may set. It makes no administrators and sets none of their passwords, unless it may grant administration."},
	}
}

func newScopes(operations []Operation) *scopes {
	s := &scopes{sets: scopeSets(), abilities: make(map[string]*scopeAbilities)}
	for _, o := range operations {
		if o.Access != Public && o.Access != Agent && !o.Tokens.InPerson {
			s.addOperation(o)
		}
	}
	return s
}

// addOperation adds an operation to the sets that contain it, and as a scope of its own.
func (s *scopes) addOperation(o Operation) {
	s.abilitiesOfScope(o.String()).addOperation(o, true)
	for i := range s.sets {
		set := &s.sets[i]
		if set.Name == scopeFull || slices.Contains(o.Tokens.Sets, set.Name) {
			set.Operations = append(set.Operations, o)
			s.abilitiesOfScope(set.Name).addOperation(o, set.Name != scopeReadOnly)
		}
	}
}

func (s *scopes) abilitiesOfScope(scope string) *scopeAbilities {
	if s.abilities[scope] == nil {
		s.abilities[scope] = new(scopeAbilities)
	}
	return s.abilities[scope]
}

// canChangeUsers reports whether a token with these scopes may change users.
func (s *scopes) canChangeUsers(names []string) bool {
	return slices.ContainsFunc(names, func(scope string) bool {
		return scope == scopeFull || s.abilities[scope] != nil && slices.Contains(s.abilities[scope].changeAbilities, abilityUsers)
	})
}

// isScope reports whether a text is a scope.
func (s *scopes) isScope(scope string) bool {
	return slices.ContainsFunc(s.sets, func(set ScopeSet) bool { return set.Name == scope }) || s.abilities[scope] != nil
}

// permits reports whether a token may use a route, provided that its owner may.
// operation is the route in the form of scopes, "" for routes outside the API.
func (t TokenRule) permits(token *store.Token, operation string) bool {
	return !t.InPerson && slices.ContainsFunc(token.Scopes, func(scope string) bool {
		return scope == scopeFull || scope == operation || slices.Contains(t.Sets, scope) || slices.Contains(t.Operations, scope)
	})
}

// abilitiesWithin returns those abilities of an owner that the scopes of a
// token permit: those needed by its operations that change something and, for a
// request that reads, also those needed by its operations that read.
//
// Reading and changing are kept apart because an ability can permit both. For
// example, all:users is needed to list users and to create one. A token that
// may only list users must not be able to create one through a route that
// checks nothing but the ability.
func (s *scopes) abilitiesWithin(t *store.Token, held []int, reads bool) []int {
	if slices.Contains(t.Scopes, scopeFull) {
		return held
	}
	var kept []int
	keep := func(abilities []Access) {
		for _, ability := range abilities {
			if ability.isSatisfiedBy(held) && !slices.Contains(kept, int(ability)) {
				kept = append(kept, int(ability))
			}
		}
	}
	for _, scope := range t.Scopes {
		if r := s.abilities[scope]; r != nil {
			keep(r.changeAbilities)
			if reads {
				keep(r.readAbilities)
			}
		}
	}
	slices.Sort(kept)
	return kept
}

// opensConsole reports whether a session that was started with a token may see
// the pages of the console. The pages show everything, so the token must have
// the scope "full" or "read_only".
func opensConsole(t *store.Token) bool {
	return slices.Contains(t.Scopes, scopeFull) || slices.Contains(t.Scopes, scopeReadOnly)
}
