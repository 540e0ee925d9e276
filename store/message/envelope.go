package message

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"trento/store/fault"
	"trento/store/message/wire"
)

// ContentType is the content type of messages.
const ContentType = "application/x-protobuf"

// The sources in the envelopes of this server and of agents.
const (
	ServerSource = "github.com/trento-project/web"
	AgentSource  = "https://github.com/trento-project/agent"
)

const (
	specVersion      = "1.0"
	typePrefix       = "type.googleapis.com/"
	timeAttribute    = "time"
	expiresAttribute = "expiration"
)

// The limits of Decode.
const (
	MaxSize    = 8_000_000 // bytes of a body, as of a report
	maxDepth   = 200       // messages within messages; a list or map in a value is two or three
	maxText    = 255       // bytes of an id, source or type
	maxInFault = 80        // bytes of the sender's text that a fault repeats
)

// Envelope is a message with its metadata.
type Envelope struct {
	Message
	ID     string
	Source string
	// SentAt is the sender's time, and ExpiresAt the time at which the message
	// expires. They are zero if the sender does not give them.
	SentAt, ExpiresAt time.Time
	Content           proto.Message // a message of package wire
}

// Agent returns the id of the agent that an answer says it is from; "" for a
// message that is no answer.
func (e *Envelope) Agent() string {
	if from, ok := e.Content.(interface{ GetAgentId() string }); ok {
		return from.GetAgentId()
	}
	return ""
}

// Encode returns a message in its envelope. Agents refuse a message that has
// expired by their own clock. It fails if content is not a known message or
// cannot be encoded.
func Encode(content proto.Message, sentAt, expiresAt time.Time) ([]byte, error) {
	m, ok := Of(typeOf(content))
	if !ok {
		return nil, fmt.Errorf("%s is no message to or from agents", typeOf(content))
	}
	attributes := make(map[string]*wire.CloudEventAttributeValue)
	for name, at := range map[string]time.Time{timeAttribute: sentAt, expiresAttribute: expiresAt} {
		stamp := timestamppb.New(at)
		if err := stamp.CheckValid(); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		attributes[name] = &wire.CloudEventAttributeValue{Attr: &wire.CloudEventAttributeValue_CeTimestamp{CeTimestamp: stamp}}
	}
	data, err := proto.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Type, err)
	}
	source := ServerSource
	if m.Answer {
		source = AgentSource
	}
	return proto.Marshal(&wire.CloudEvent{
		Id: uuid.NewString(), Source: source, SpecVersion: specVersion, Type: m.Type, Attributes: attributes,
		Data: &wire.CloudEvent_ProtoData{ProtoData: &anypb.Any{TypeUrl: typePrefix + m.Type, Value: data}},
	})
}

// Decode reads a message and its envelope. Every error is a fault of the
// sender; one of the kind fault.TooLarge says that the body is larger than
// MaxSize. What the envelope refers to is not part of body.
func Decode(body []byte) (Envelope, error) {
	if len(body) > MaxSize {
		return Envelope{}, &fault.Error{Kind: fault.TooLarge, Detail: fmt.Sprintf("message of %d bytes; %d are read at most", len(body), MaxSize)}
	}
	var event wire.CloudEvent
	if err := unmarshal(body, &event); err != nil {
		return Envelope{}, unreadable("envelope", err)
	}
	e := Envelope{ID: event.Id, Source: event.Source}
	for _, text := range []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"type", event.Type}} {
		switch {
		case text.value == "":
			return Envelope{}, fault.Field(text.name, "is missing")
		case len(text.value) > maxText:
			return Envelope{}, fault.Field(text.name, fmt.Sprintf("is longer than %d bytes", maxText))
		}
	}
	if event.SpecVersion != specVersion {
		return Envelope{}, fault.Field("spec_version", "is "+quote(event.SpecVersion)+" instead of "+specVersion)
	}
	var err error
	if e.SentAt, err = timeOf(&event, timeAttribute); err != nil {
		return Envelope{}, err
	}
	if e.ExpiresAt, err = timeOf(&event, expiresAttribute); err != nil {
		return Envelope{}, err
	}
	if err := e.open(&event); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

// open reads the message in an envelope.
func (e *Envelope) open(event *wire.CloudEvent) error {
	data := event.GetProtoData()
	if data == nil {
		return fault.Field("proto_data", "is missing")
	}
	// Senders write the name with a prefix or without. Agents use this name,
	// not the type of the envelope.
	name := data.TypeUrl[strings.LastIndexByte(data.TypeUrl, '/')+1:]
	if name != event.Type {
		return fault.Field("type", "is "+quote(event.Type)+", but the data is "+quote(name))
	}
	var known bool
	if e.Message, known = Of(name); !known {
		return fault.Field("type", quote(name)+" is not known")
	}
	content := e.empty.ProtoReflect().New().Interface()
	if err := unmarshal(data.Value, content); err != nil {
		return unreadable(e.Type, err)
	}
	e.Content = content
	if e.Answer && e.Agent() == "" {
		return fault.Field("agent_id", "is missing")
	}
	return nil
}

// timeOf reads a time among the attributes of an envelope.
func timeOf(event *wire.CloudEvent, name string) (time.Time, error) {
	attribute := event.Attributes[name]
	if attribute == nil {
		return time.Time{}, nil
	}
	stamp := attribute.GetCeTimestamp()
	if stamp == nil {
		return time.Time{}, fault.Field("attributes/"+name, "is no time")
	}
	if err := stamp.CheckValid(); err != nil {
		return time.Time{}, &fault.Error{Field: "attributes/" + name, Detail: "is no time", Cause: err}
	}
	return stamp.AsTime(), nil
}

// unmarshal reads a message. Members that we do not know are left out: newer
// agents may send more.
func unmarshal(data []byte, into proto.Message) error {
	return proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth}.Unmarshal(data, into)
}

func unreadable(what string, err error) error {
	return &fault.Error{Kind: fault.Malformed, Detail: what + " cannot be read", Cause: err}
}

// quote repeats a text of the sender, shortened.
func quote(text string) string {
	if len(text) > maxInFault {
		end := maxInFault
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return fmt.Sprintf("%q", text)
}
