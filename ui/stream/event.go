package stream

import (
	"encoding/json"
	"time"

	"trento/store/activity"
)

// Event is an event in the form that programs receive, in the event stream of
// the API and by webhook. Each entry of the activity log is one event. The id
// of an entry never changes, so a program can recognise an event that it gets
// twice.
type Event struct {
	ID       string            `json:"id"` // id of the entry in the activity log
	Type     activity.Topic    `json:"type"`
	Time     string            `json:"time"` // RFC 3339 in UTC, with microseconds
	Severity activity.Severity `json:"severity"`
	Message  string            `json:"message"`
	Actor    string            `json:"actor"`
	// Resources are the things that the event names. The event is about the
	// first one.
	Resources     []Resource      `json:"resources"`
	CorrelationID *string         `json:"correlation_id"` // nil: there is none
	ActivityType  activity.Type   `json:"activity_type"`
	Metadata      json.RawMessage `json:"metadata"`
}

// Resource is a thing that an event names.
type Resource struct {
	Kind activity.ThingKind `json:"kind"`
	ID   string             `json:"id"`
	Name *string            `json:"name"` // nil: the event does not contain it
}

// HiddenActor replaces the name of an actor that the receiver may not see. Its
// length is fixed, so it says nothing about the name.
const HiddenActor = "••••••••"

// timeLayout is the layout of all times in the API.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// NewEvent returns the event for an entry. actor is the name of the actor that
// the receiver may see.
func NewEvent(e *activity.Entry, actor string) Event {
	event := Event{
		ID: e.ID, Type: e.Type.Topic(), Time: FormatTime(e.OccurredOn()), Severity: e.Severity, Message: e.Message(), Actor: actor,
		Resources: []Resource{}, ActivityType: e.Type, Metadata: e.Metadata,
	}
	for _, thing := range activity.Things(e.Event()) {
		if thing.ID == "" {
			continue
		}
		resource := Resource{Kind: thing.Kind, ID: thing.ID}
		if thing.Name != "" {
			resource.Name = &thing.Name
		}
		event.Resources = append(event.Resources, resource)
	}
	if id := e.CorrelationID(); id != "" {
		event.CorrelationID = &id
	}
	return event
}

// FormatTime formats a time as in events.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }
