package auth

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"trento/store"
)

// Operation is one thing there is to ask of the API: a route, in the words of
// its description.
type Operation struct {
	Method, Path string // "DELETE", "/api/v1/hosts/{id}"
	Summary      string // for people
	Doc          string // address of its documentation
	Need         Access
	// Widened are abilities that are not demanded but make the answer say more.
	Widened []Access
	// InPerson: no token may, whatever its scopes.
	InPerson bool
	Set      string // the predefined set it belongs to beside full and read_only; empty for none
	// ReadBy are the sets that act on what it reads, and may use it for that.
	ReadBy []string
}

// String is the operation as scopes name it: "DELETE /api/v1/hosts/{id}".
func (o Operation) String() string { return o.Method + " " + o.Path }

func (o Operation) reads() bool { return o.Method == http.MethodGet }

// The scopes that stand for more than a set of operations.
const (
	scopeFull     = "full"      // whatever the owner may do, in future versions, too
	scopeReadOnly = "read_only" // whatever reads, but the agents' key
)

// apiKeyPath is what read_only may ask without getting the key.
const apiKeyPath = "/api/v1/settings/api_key"

// ScopeSet is a predefined set of operations: its name is a scope.
type ScopeSet struct {
	Name, Label, Description string
	Operations               []Operation
}

// usualScopes are the scopes of a token that was made without any.
func usualScopes() []string { return []string{scopeFull} }

// maxScopes is how many scopes a token can have.
const maxScopes = 200

// ScopeSets lists the predefined sets. The first, full, has all operations
// that can be a scope of their own. The caller must not modify them.
func (a *Auth) ScopeSets() []ScopeSet { return a.scopes.sets }

// scopes knows what each scope permits.
type scopes struct {
	sets  []ScopeSet
	reach map[string]*reach // by scope
	// inPerson are the operations no token may use.
	inPerson map[string]bool
}

// reach is what a scope permits.
type reach struct {
	operations map[string]bool
	// reading and changing are the abilities the operations of either kind
	// make use of.
	reading, changing []Access
}

func (r *reach) add(o Operation) {
	r.operations[o.String()] = true
	into := &r.changing
	if o.reads() {
		into = &r.reading
	}
	for _, ability := range append([]Access{o.Need}, o.Widened...) {
		// The key of the agents is shown to those who hold its ability, so an
		// operation that only happens to demand that does not hand it on.
		if o.reads() && o.Path != apiKeyPath && ability == Needs("all:api_key_settings") {
			continue
		}
		if ability > 0 && !slices.Contains(*into, ability) {
			*into = append(*into, ability)
		}
	}
}

func newScopes(operations []Operation) *scopes {
	s := &scopes{
		sets: []ScopeSet{
			{Name: scopeFull, Label: "Everything", Description: "Whatever you may do, now and in future versions."},
			{Name: scopeReadOnly, Label: "Read only", Description: "Read what you may read, but not the key of the agents. Change nothing."},
			{Name: "checks", Label: "Checks", Description: "Select checks, run them and set their values; read the hosts and clusters they are for."},
			{Name: "operations", Label: "Operations", Description: "Start, stop and maintain hosts, clusters, databases and SAP systems; read them."},
			{Name: "tags", Label: "Tags", Description: "Add and remove tags; read the hosts, clusters, databases and SAP systems that have them."},
			{Name: "housekeeping", Label: "Housekeeping", Description: "Clean up silent hosts and absent instances; read hosts, databases and SAP systems."},
			{Name: "settings", Label: "Settings", Description: "Read and change the settings, the key of the agents included."},
			{Name: "user_management", Label: "User management", Description: "Make, change, disable and delete users, give permissions, set passwords, turn second factors off, and see and end the sessions and tokens of all. Whoever holds such a token can act as any user whose password it may set. It makes no administrators and sets none of their passwords, unless it may grant administration."},
		},
		reach:    make(map[string]*reach),
		inPerson: make(map[string]bool),
	}
	for _, o := range operations {
		switch {
		case o.Need == Public || o.Need == Agent:
			continue
		case o.InPerson:
			s.inPerson[o.String()] = true
			continue
		}
		o.Set, o.ReadBy = setOf(o), readersOf(o)
		s.place(o)
	}
	return s
}

// place puts an operation where it belongs: into the sets, and as a scope of
// its own.
func (s *scopes) place(o Operation) {
	s.of(o.String()).add(o)
	for i := range s.sets {
		set := &s.sets[i]
		switch {
		case set.Name == scopeFull, set.Name == o.Set, set.Name == scopeReadOnly && o.reads(), slices.Contains(o.ReadBy, set.Name):
			set.Operations = append(set.Operations, o)
		default:
			continue
		}
		if set.Name == scopeReadOnly && o.Path == apiKeyPath {
			o.Widened = nil // the answer comes without the key
		}
		s.of(set.Name).add(o)
	}
}

func (s *scopes) of(scope string) *reach {
	if s.reach[scope] == nil {
		s.reach[scope] = &reach{operations: make(map[string]bool)}
	}
	return s.reach[scope]
}

// setOf is the set an operation belongs to, which follows from the ability it
// demands.
func setOf(o Operation) string {
	if isOperation(int(o.Need)) {
		return "operations"
	}
	name, resource, _ := strings.Cut(o.Need.String(), ":")
	switch {
	case name == "cleanup":
		return "housekeeping"
	case strings.HasSuffix(resource, "_tags"):
		return "tags"
	case strings.Contains(resource, "check"):
		return "checks"
	case resource == "users":
		return "user_management"
	case strings.HasSuffix(resource, "_settings"), strings.HasPrefix(o.Path, "/api/v1/settings/"):
		return "settings"
	}
	return ""
}

// readersOf are the sets that act on what an operation lists: nobody can tag or
// clean up what cannot be found.
func readersOf(o Operation) []string {
	if !o.reads() || o.Need != SignedIn {
		return nil
	}
	switch path.Base(o.Path) {
	case "hosts":
		return []string{"checks", "operations", "tags", "housekeeping"}
	case "clusters":
		return []string{"checks", "operations", "tags"}
	case "databases", "sap_systems":
		return []string{"operations", "tags", "housekeeping"}
	}
	return nil
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

// permits reports whether a token may use an operation, if its owner may.
func (s *scopes) permits(t *store.Token, operation string) bool {
	if s.inPerson[operation] {
		return false
	}
	for _, scope := range t.Scopes {
		if scope == scopeFull {
			return true
		}
		if r := s.reach[scope]; r != nil && r.operations[operation] {
			return true
		}
	}
	return false
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
