package activity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Event is an event that is written to the log. Each type has its own struct,
// whose fields are the metadata. A pointer to the struct is an Event. The
// catalogue assigns the structs to the types.
type Event interface {
	// Type returns the type of the entry. It does not depend on the fields,
	// except for the types that share a struct.
	Type() Type
}

// Encode returns the metadata of an event in its stored form: a JSON object
// whose members are sorted by name.
func Encode(e Event) (json.RawMessage, error) {
	document, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", e.Type(), err)
	}
	var members [][2]string // pairs of name and JSON text
	gjson.ParseBytes(document).ForEach(func(key, value gjson.Result) bool {
		members = append(members, [2]string{key.Str, key.Raw + ":" + value.Raw})
		return true
	})
	slices.SortFunc(members, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	sorted := append(make([]byte, 0, len(document)), '{')
	for i, member := range members {
		if i > 0 {
			sorted = append(sorted, ',')
		}
		sorted = append(sorted, member[1]...)
	}
	return append(sorted, '}'), nil
}

// Decode returns the event with the metadata. If a member does not have the
// form that the type has today, its field is empty: an incomplete event is more
// useful than an error. For an unknown type it returns a Foreign event.
func Decode(t Type, metadata json.RawMessage) Event {
	e := newEvent(t)
	_ = json.Unmarshal(metadata, e) // continues after a member of another form
	return e
}

// Event returns the event of the entry.
func (e *Entry) Event() Event { return Decode(e.Type, e.Metadata) }

func newEvent(t Type) Event {
	if d := definitionByType[t]; d != nil {
		return d.event()
	}
	return &Foreign{Of: t}
}

// Optional methods of events. They take precedence over the catalogue.
type (
	eventWithMessage  interface{ message() string }
	eventWithResource interface{ resource() string }
	eventWithSeverity interface{ severity() Severity }
)

// Foreign is an event that this program never writes: of a future feature, an
// older version, or another product.
type Foreign struct {
	Of       Type
	Metadata map[string]any
}

// Type returns the type that the event was read as.
func (e *Foreign) Type() Type { return e.Of }

// MarshalJSON returns the metadata.
func (e *Foreign) MarshalJSON() ([]byte, error) {
	if e.Metadata == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(e.Metadata)
}

// UnmarshalJSON reads the metadata.
func (e *Foreign) UnmarshalJSON(document []byte) error { return json.Unmarshal(document, &e.Metadata) }

// Correlated is the common part of events with a correlation id. All events
// with the same cause have the same id. The store sets it when it logs the
// event.
type Correlated struct {
	CorrelationID string `json:"correlation_id,omitempty"`
}

// Correlation returns the correlation id for reading and writing.
func (c *Correlated) Correlation() *Correlated { return c }

// CorrelationID returns the id that all entries with the same cause have; "" if
// the entry has none.
func (e *Entry) CorrelationID() string {
	var c Correlated
	_ = json.Unmarshal(e.Metadata, &c) // metadata of another form has no correlation id
	return c.CorrelationID
}

// The events with a common part.
type (
	// CorrelatedEvent is an event with a Correlated.
	CorrelatedEvent interface{ Correlation() *Correlated }
	// HostEvent is an event with an AboutHost.
	HostEvent interface{ Host() *AboutHost }
	// ClusterEvent is an event with an AboutCluster.
	ClusterEvent interface{ Cluster() *AboutCluster }
	// SAPSystemEvent is an event with an AboutSAPSystem.
	SAPSystemEvent interface{ SAPSystem() *AboutSAPSystem }
	// DatabaseEvent is an event with an AboutDatabase.
	DatabaseEvent interface{ Database() *AboutDatabase }
	// UserEvent is an event with an AboutUser or a TokenOwner.
	UserEvent interface{ User() AboutUser }
	// TagEvent is an event with a TaggedResource.
	TagEvent interface{ Tagged() *TaggedResource }
)

// AboutHost is the common part of events about a host. If Hostname is "", the
// store sets it when it logs the event. It stays "" if it is not known.
type AboutHost struct {
	HostID   string `json:"host_id"`
	Hostname string `json:"hostname,omitempty"`
}

// Host returns the id and the name for reading and writing.
func (a *AboutHost) Host() *AboutHost { return a }

// AboutCluster is the common part of events about a cluster. If Name is nil,
// the store sets it when it logs the event. It stays nil if the cluster has
// none.
type AboutCluster struct {
	ClusterID string  `json:"cluster_id"`
	Name      *string `json:"name"`
}

// Cluster returns the id and the name for reading and writing.
func (a *AboutCluster) Cluster() *AboutCluster { return a }

// AboutSAPSystem is the common part of events about an SAP system. If SID is
// "", the store sets it when it logs the event. It stays "" if the system is
// incomplete.
type AboutSAPSystem struct {
	SAPSystemID string `json:"sap_system_id"`
	SID         string `json:"sid,omitempty"`
}

// SAPSystem returns the id and the SID for reading and writing.
func (a *AboutSAPSystem) SAPSystem() *AboutSAPSystem { return a }

// AboutDatabase is the common part of events about a database. If SID is "",
// the store sets it when it logs the event.
type AboutDatabase struct {
	DatabaseID string `json:"database_id"`
	SID        string `json:"sid,omitempty"`
}

// Database returns the id and the SID for reading and writing.
func (a *AboutDatabase) Database() *AboutDatabase { return a }

// AboutUser is the common part of events about a user.
type AboutUser struct {
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
}

// User returns the id and the name.
func (a AboutUser) User() AboutUser { return a }

// Change is the common part of events about a changed value: the value before,
// and the cause of the change as a clause, such as "saptune is not compliant".
// Each is "" if it is not known.
type Change struct {
	Old   string `json:"old,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// Before returns the value before the change; "" if it is not known.
func (c *Change) Before() string { return c.Old }

// Sentence says that a value has changed, with the value before, the value now
// and the cause, as far as they are known. The sentence has no full stop.
func (c *Change) Sentence(what, now string) string {
	sentence := what + " changed"
	if now != "" {
		if c.Old != "" && c.Old != now {
			sentence += " from " + c.Old
		}
		sentence += " to " + now
	}
	if c.Cause != "" {
		sentence += ": " + c.Cause
	}
	return sentence
}

// Redacted replaces a secret in a request. The log shows only that the request
// contained the secret.
type Redacted bool

const redactedJSON = `"REDACTED"`

// MarshalJSON returns a fixed text if a secret was given, otherwise null.
func (r Redacted) MarshalJSON() ([]byte, error) {
	if !r {
		return []byte("null"), nil
	}
	return []byte(redactedJSON), nil
}

// UnmarshalJSON records whether there is a value.
func (r *Redacted) UnmarshalJSON(document []byte) error {
	*r = string(document) != "null"
	return nil
}

// Document is a part of the metadata whose form is defined elsewhere, such as
// an object of the API. When an event is logged, Value is a value that
// encoding/json can encode. When an entry is read, Value is its JSON.
type Document struct{ Value any }

// MarshalJSON returns the value as JSON.
func (d Document) MarshalJSON() ([]byte, error) { return json.Marshal(d.Value) }

// UnmarshalJSON keeps the JSON unchanged.
func (d *Document) UnmarshalJSON(document []byte) error {
	d.Value = json.RawMessage(bytes.Clone(document))
	return nil
}

// Nullable is a JSON member that can be absent, null or a value.
type Nullable[T any] struct {
	Given bool // false: the member is absent
	Value *T   // nil: the member is null
}

// IsZero reports whether the member is absent. encoding/json calls it for
// members with the option omitzero.
func (n Nullable[T]) IsZero() bool { return !n.Given }

// MarshalJSON returns the value as JSON.
func (n Nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

// UnmarshalJSON reads a member that is present.
func (n *Nullable[T]) UnmarshalJSON(document []byte) error {
	n.Given = true
	return json.Unmarshal(document, &n.Value)
}
