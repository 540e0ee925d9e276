package activity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Event is something that happened and is written to the log. Each type has a
// struct of its own, whose fields are the metadata; a pointer to it is the
// Event. The catalogue says which type has which struct.
type Event interface {
	// Type is the type of the entry that tells of the event. It does not depend
	// on what the fields say.
	Type() Type
}

// Encode is the metadata of an event as it is stored: an object with its
// members in the order of their names.
func Encode(e Event) (json.RawMessage, error) {
	document, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", e.Type(), err)
	}
	var members [][2]string // name and text
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

// Decode is the reverse of Encode. Where a member is not of the form that the
// type has today, its field is empty: part of what happened says more than an
// error. A type that the catalogue does not know becomes a Foreign event.
func Decode(t Type, metadata json.RawMessage) Event {
	e := newEvent(t)
	_ = json.Unmarshal(metadata, e) // goes on behind a member of another form
	return e
}

// Event is what the entry tells of.
func (e *Entry) Event() Event { return Decode(e.Type, e.Metadata) }

func newEvent(t Type) Event {
	if d := byType[t]; d != nil {
		return d.event()
	}
	return &Foreign{Of: t}
}

// The optional methods of events. They take precedence over what the
// catalogue says of the type.
type (
	messenger interface{ message() string }
	holder    interface{ resource() string }
	judge     interface{ severity() Severity }
)

// Foreign is an event that nothing here writes: of a feature that is still to
// come, of an older version, or of another product.
type Foreign struct {
	Of       Type
	Metadata map[string]any
}

// Type is what the event was said to be.
func (e *Foreign) Type() Type { return e.Of }

// MarshalJSON writes the metadata.
func (e *Foreign) MarshalJSON() ([]byte, error) {
	if e.Metadata == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(e.Metadata)
}

// UnmarshalJSON reads the metadata.
func (e *Foreign) UnmarshalJSON(document []byte) error { return json.Unmarshal(document, &e.Metadata) }

// Correlated is part of the events that share a correlation id with the others
// that have the same cause. The id is filled in when the event is logged.
type Correlated struct {
	CorrelationID string `json:"correlation_id,omitempty"`
}

// Correlation leads to the id.
func (c *Correlated) Correlation() *Correlated { return c }

// CorrelationID is the id that the entry shares with all that have the same
// cause; empty where it has none.
func (e *Entry) CorrelationID() string {
	var c Correlated
	_ = json.Unmarshal(e.Metadata, &c) // what is not of that form has none
	return c.CorrelationID
}

// The events that have a part in common.
type (
	// CorrelatedEvent has a Correlated.
	CorrelatedEvent interface{ Correlation() *Correlated }
	// HostEvent has an AboutHost.
	HostEvent interface{ Host() *AboutHost }
	// ClusterEvent has an AboutCluster.
	ClusterEvent interface{ Cluster() *AboutCluster }
	// SAPSystemEvent has an AboutSAPSystem.
	SAPSystemEvent interface{ SAPSystem() *AboutSAPSystem }
	// DatabaseEvent has an AboutDatabase.
	DatabaseEvent interface{ Database() *AboutDatabase }
	// UserEvent has an AboutUser, or a TokenOwner.
	UserEvent interface{ User() AboutUser }
	// TagEvent has a TaggedResource.
	TagEvent interface{ Tagged() *TaggedResource }
)

// AboutHost is part of the events about a host. The name is filled in when the
// event is logged, unless it is given; it stays empty where nobody knows it.
type AboutHost struct {
	HostID   string `json:"host_id"`
	Hostname string `json:"hostname,omitempty"`
}

// Host leads to the id and the name.
func (a *AboutHost) Host() *AboutHost { return a }

// AboutCluster is part of the events about a cluster. The name is filled in
// when the event is logged, unless it is given; not every cluster has one.
type AboutCluster struct {
	ClusterID string  `json:"cluster_id"`
	Name      *string `json:"name"`
}

// Cluster leads to the id and the name.
func (a *AboutCluster) Cluster() *AboutCluster { return a }

// AboutSAPSystem is part of the events about an SAP system. The SID is filled
// in when the event is logged, unless it is given; a system that is not
// complete has none.
type AboutSAPSystem struct {
	SAPSystemID string `json:"sap_system_id"`
	SID         string `json:"sid,omitempty"`
}

// SAPSystem leads to the id and the SID.
func (a *AboutSAPSystem) SAPSystem() *AboutSAPSystem { return a }

// AboutDatabase is part of the events about a database. The SID is filled in
// when the event is logged, unless it is given.
type AboutDatabase struct {
	DatabaseID string `json:"database_id"`
	SID        string `json:"sid,omitempty"`
}

// Database leads to the id and the SID.
func (a *AboutDatabase) Database() *AboutDatabase { return a }

// AboutUser is part of the events about an account.
type AboutUser struct {
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
}

// User returns the id and the name.
func (a AboutUser) User() AboutUser { return a }

// Change is part of the events about a value that has changed: what it was, and
// why it changed, each empty where it is not known.
type Change struct {
	Old   string `json:"old,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// Sentence says that something has changed: from what to what, and why, as far
// as it is known. It has no full stop.
func (c *Change) Sentence(what, now string) string {
	sentence := what + " changed"
	if now != "" {
		if c.Old != "" && c.Old != now {
			sentence += " from " + c.Old
		}
		sentence += " to " + now
	}
	if c.Cause != "" {
		sentence += " because of " + c.Cause
	}
	return sentence
}

// Redacted stands for a secret that somebody has given. The log says that it
// was given, and nothing else.
type Redacted bool

const redacted = `"REDACTED"`

// MarshalJSON writes a text that no secret can be.
func (r Redacted) MarshalJSON() ([]byte, error) {
	if !r {
		return []byte("null"), nil
	}
	return []byte(redacted), nil
}

// UnmarshalJSON reads whether there is any value.
func (r *Redacted) UnmarshalJSON(document []byte) error {
	*r = string(document) != "null"
	return nil
}

// Document is a part of the metadata whose form belongs to somebody else, such
// as an object of the API. Whoever logs the event gives a value that can be
// encoded; whoever reads the entry finds its JSON.
type Document struct{ Value any }

// MarshalJSON writes the value.
func (d Document) MarshalJSON() ([]byte, error) { return json.Marshal(d.Value) }

// UnmarshalJSON keeps the JSON as it is.
func (d *Document) UnmarshalJSON(document []byte) error {
	d.Value = json.RawMessage(bytes.Clone(document))
	return nil
}

// Nullable is a member that can be absent, null or a value.
type Nullable[T any] struct {
	Given bool // false: the member is absent
	Value *T   // nil: it is null
}

// IsZero reports whether the member is absent; encoding/json asks it for
// members marked with omitzero.
func (n Nullable[T]) IsZero() bool { return !n.Given }

// MarshalJSON writes the value.
func (n Nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

// UnmarshalJSON reads a value that is not absent.
func (n *Nullable[T]) UnmarshalJSON(document []byte) error {
	n.Given = true
	return json.Unmarshal(document, &n.Value)
}
