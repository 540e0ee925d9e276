package auth

import (
	"net/http"
	"slices"

	"trento/store"
)

// Operation is one thing there is to ask of the API: a route, in the words of
// its description.
type Operation struct {
	Method, Path string    // "DELETE", "/api/v1/hosts/{id}"
	Access       Access    // who may
	Tokens       TokenRule // which tokens of theirs may
	Summary      string    // for people
	Doc          string    // address of its documentation
}

// String is the operation as scopes name it: "DELETE /api/v1/hosts/{id}".
func (o Operation) String() string { return o.Method + " " + o.Path }

func (o Operation) reads() bool { return o.Method == http.MethodGet }

// The scopes that stand for more than a set of operations.
const (
	scopeFull     = "full"      // whatever the owner may do, in future versions, too
	scopeReadOnly = "read_only" // whatever reads, but the agents' key
)

// ScopeSet is a predefined set of operations: its name is a scope.
type ScopeSet struct {
	Name, Label, Description string
	Operations               []Operation
}

// defaultScopes are the scopes of a token that was made without any.
func defaultScopes() []string { return []string{scopeFull} }

// maxScopes is how many scopes a token can have.
const maxScopes = 200

// ScopeSets lists the predefined sets. The first, full, has all operations
// that can be a scope of their own. The caller must not modify them.
func (a *Auth) ScopeSets() []ScopeSet { return a.scopes.sets }

// scopes knows what each scope permits.
type scopes struct {
	sets  []ScopeSet
	reach map[string]*reach // by scope
}

// reach is what a scope permits: the abilities that the operations within it
// make use of, apart for those that read and those that change something.
type reach struct {
	reading, changing []Access
}

// add adds an operation. An ability that shows a secret is left to those who
// read only where the secret is what the operation is about, and they are to
// have it.
func (r *reach) add(o Operation, secrets bool) {
	into := &r.changing
	if o.reads() {
		into = &r.reading
	}
	if !o.reads() || o.Access != apiKeySettings {
		addAbility(into, o.Access)
	}
	for _, ability := range o.Tokens.Widened {
		if secrets || ability != apiKeySettings {
			addAbility(into, ability)
		}
	}
}

func addAbility(to *[]Access, ability Access) {
	if ability > 0 && !slices.Contains(*to, ability) {
		*to = append(*to, ability)
	}
}

// scopeSets are the predefined sets, without their operations.
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
	s := &scopes{sets: scopeSets(), reach: make(map[string]*reach)}
	for _, o := range operations {
		if o.Access != Public && o.Access != Agent && !o.Tokens.InPerson {
			s.place(o)
		}
	}
	return s
}

// place puts an operation where it belongs: into the sets, and as a scope of
// its own.
func (s *scopes) place(o Operation) {
	s.of(o.String()).add(o, true)
	for i := range s.sets {
		set := &s.sets[i]
		if set.Name == scopeFull || slices.Contains(o.Tokens.Sets, set.Name) {
			set.Operations = append(set.Operations, o)
			s.of(set.Name).add(o, set.Name != scopeReadOnly)
		}
	}
}

func (s *scopes) of(scope string) *reach {
	if s.reach[scope] == nil {
		s.reach[scope] = new(reach)
	}
	return s.reach[scope]
}

// changeUsers reports whether a token of the scopes may change users.
func (s *scopes) changeUsers(names []string) bool {
	return slices.ContainsFunc(names, func(scope string) bool {
		return scope == scopeFull || s.reach[scope] != nil && slices.Contains(s.reach[scope].changing, allUsers)
	})
}

// known reports whether there is such a scope.
func (s *scopes) known(scope string) bool {
	return slices.ContainsFunc(s.sets, func(set ScopeSet) bool { return set.Name == scope }) || s.reach[scope] != nil
}

// permits reports whether a token may use a route, if its owner may. operation
// is the route as a scope of its own, empty for what is not part of the API.
func (t TokenRule) permits(token *store.Token, operation string) bool {
	return !t.InPerson && slices.ContainsFunc(token.Scopes, func(scope string) bool {
		return scope == scopeFull || scope == operation || slices.Contains(t.Sets, scope) || slices.Contains(t.Operations, scope)
	})
}

// narrow is what is left of the abilities of an owner within the scopes of a
// token: those that what it may change makes use of and, for somebody who
// reads, those that what it may read makes use of.
//
// The two are kept apart because abilities are not: all:users is needed to see
// the users and to make one, and a token that is to see them must not make
// one by a way that asks for nothing but the ability.
func (s *scopes) narrow(t *store.Token, held []int, reads bool) []int {
	if slices.Contains(t.Scopes, scopeFull) {
		return held
	}
	var kept []int
	keep := func(abilities []Access) {
		for _, ability := range abilities {
			if ability.metBy(held) && !slices.Contains(kept, int(ability)) {
				kept = append(kept, int(ability))
			}
		}
	}
	for _, scope := range t.Scopes {
		if r := s.reach[scope]; r != nil {
			keep(r.changing)
			if reads {
				keep(r.reading)
			}
		}
	}
	slices.Sort(kept)
	return kept
}

// opensConsole reports whether a session that was begun with a token may see
// the pages of the console, which show whatever there is.
func opensConsole(t *store.Token) bool {
	return slices.Contains(t.Scopes, scopeFull) || slices.Contains(t.Scopes, scopeReadOnly)
}
