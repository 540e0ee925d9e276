// Package landscape is the domain: hosts and what runs on them, how healthy
// they are, and what changes when something new is seen. Its rules take
// values and return values; they know neither files nor HTTP, and they never
// modify what they are given.
package landscape

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// HostID identifies a host. It is the id of the agent on it: a UUID in lower
// case, derived by the agent from the machine id.
type HostID string

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseID reads the id of a thing, a UUID in any case.
func ParseID[ID ~string](text string) (ID, bool) {
	lower := strings.ToLower(text)
	return ID(lower), uuidPattern.MatchString(lower)
}

// SameHostname reports whether two names are those of one host. Programs
// differ in the letter case they write a name in, and in whether they write
// its domain.
func SameHostname(a, b string) bool {
	if strings.EqualFold(a, b) {
		return a != ""
	}
	host, domain, _ := strings.Cut(a, ".")
	other, otherDomain, _ := strings.Cut(b, ".")
	return host != "" && strings.EqualFold(host, other) && (domain == "" || otherDomain == "")
}

// idSpace is the name space of the ids that are derived from what a thing is
// known by. Every installation has the same, so that a thing keeps its id when
// it moves to another one.
var idSpace = uuid.UUID{0xfb, 0x92, 0x28, 0x4e, 0xaa, 0x5e, 0x47, 0xf6, 0xa8, 0x83, 0xbf, 0x94, 0x69, 0xe7, 0xa0, 0xdc}

// Health of a thing of the landscape.
type Health string

// The healths. Unknown means that nothing has judged the thing yet.
const (
	HealthPassing  Health = "passing"
	HealthWarning  Health = "warning"
	HealthCritical Health = "critical"
	HealthUnknown  Health = "unknown"
	// HealthNotSet is unknown to the outside; it marks an input of the host
	// health (software updates) that takes no part.
	HealthNotSet Health = "not_set"
)

// InvalidError is the caller's fault: a field and a sentence about it.
type InvalidError struct {
	Field  string
	Detail string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s %s", e.Field, e.Detail) }
