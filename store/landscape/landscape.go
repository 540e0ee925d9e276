package landscape

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// HostID identifies a host. It is the id of its agent: a UUID in lower case
// that the agent derives from the machine id.
type HostID string

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseID parses an id: a UUID in upper or lower case. ok is false if it is not
// a UUID.
func ParseID[ID ~string](text string) (ID, bool) {
	lower := strings.ToLower(text)
	return ID(lower), uuidPattern.MatchString(lower)
}

// SameHostname reports whether two names may be names of the same host. They
// are compared without regard to letter case, and without the domain if one of
// them has none.
func SameHostname(a, b string) bool {
	if strings.EqualFold(a, b) {
		return a != ""
	}
	host, domain, _ := strings.Cut(a, ".")
	other, otherDomain, _ := strings.Cut(b, ".")
	return host != "" && strings.EqualFold(host, other) && (domain == "" || otherDomain == "")
}

// idNamespace is the UUID name space of derived ids. It is the same in all
// installations, so a system has the same id in each of them.
var idNamespace = uuid.UUID{0xfb, 0x92, 0x28, 0x4e, 0xaa, 0x5e, 0x47, 0xf6, 0xa8, 0x83, 0xbf, 0x94, 0x69, 0xe7, 0xa0, 0xdc}

// Health is the health of a host, cluster, database, SAP system or instance.
type Health string

// The health values. HealthUnknown means that the health has not been evaluated
// or cannot be evaluated.
const (
	HealthPassing  Health = "passing"
	HealthWarning  Health = "warning"
	HealthCritical Health = "critical"
	HealthUnknown  Health = "unknown"
	// HealthNotSet marks an input that does not count (software updates). The
	// API does not use it.
	HealthNotSet Health = "not_set"
)
