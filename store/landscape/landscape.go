package landscape

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// HostID identifies a host. It is the id of its agent: a UUID in lower case,
// which the agent derives from the machine id.
type HostID string

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseID reads an id: a UUID, in upper or lower case.
func ParseID[ID ~string](text string) (ID, bool) {
	lower := strings.ToLower(text)
	return ID(lower), uuidPattern.MatchString(lower)
}

// SameHostname reports whether two names may be those of one host. Programs write
// names in upper or lower case, and with or without the domain.
func SameHostname(a, b string) bool {
	if strings.EqualFold(a, b) {
		return a != ""
	}
	host, domain, _ := strings.Cut(a, ".")
	other, otherDomain, _ := strings.Cut(b, ".")
	return host != "" && strings.EqualFold(host, other) && (domain == "" || otherDomain == "")
}

// idSpace is the name space of derived ids. It is the same in all installations,
// so that a system keeps its id when another installation monitors it.
var idSpace = uuid.UUID{0xfb, 0x92, 0x28, 0x4e, 0xaa, 0x5e, 0x47, 0xf6, 0xa8, 0x83, 0xbf, 0x94, 0x69, 0xe7, 0xa0, 0xdc}

// Health is how well something in the landscape is.
type Health string

// The healths. Unknown: it has not been evaluated, or cannot be.
const (
	HealthPassing  Health = "passing"
	HealthWarning  Health = "warning"
	HealthCritical Health = "critical"
	HealthUnknown  Health = "unknown"
	// HealthNotSet marks an input of the health of a host (software updates) that
	// does not count. The API does not have it.
	HealthNotSet Health = "not_set"
)
