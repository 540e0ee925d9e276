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
	MaxSize        = 8_000_000 // bytes of a body; the limit is the same as that of a report
	maxDepth       = 200       // levels of messages within messages; a list or map in a value adds two or three
	maxTextBytes   = 255       // bytes of an id, source or type
	maxQuotedBytes = 80        // bytes of the sender's text that a fault repeats
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

// Agent returns the id of the agent that an answer names as its sender; "" for
// a message that is no answer.
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
// sender; a fault of the kind fault.TooLarge says that the body is larger than
// MaxSize. The envelope shares no memory with body.
func Decode(body []byte) (Envelope, error) {
	if len(body) > MaxSize {
		return Envelope{}, &fault.Error{Kind: fault.TooLarge, Detail: fmt.Sprintf("message of %d bytes; %d are read at most", len(body), MaxSize)}
	}
	var event wire.CloudEvent
	if err := unmarshal(body, &event); err != nil {
		return Envelope{}, unreadableFault("envelope", err)
	}
	e := Envelope{ID: event.Id, Source: event.Source}
	for _, text := range []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"type", event.Type}} {
		switch {
		case text.value == "":
			return Envelope{}, fault.Field(text.name, "is missing")
		case len(text.value) > maxTextBytes:
			return Envelope{}, fault.Field(text.name, fmt.Sprintf("is longer than %d bytes", maxTextBytes))
		}
	}
	if event.SpecVersion != specVersion {
		return Envelope{}, fault.Field("spec_version", "is "+quoteShortened(event.SpecVersion)+" instead of "+specVersion)
	}
	var err error
	if e.SentAt, err = timeAttributeOf(&event, timeAttribute); err != nil {
		return Envelope{}, err
	}
	if e.ExpiresAt, err = timeAttributeOf(&event, expiresAttribute); err != nil {
		return Envelope{}, err
	}
	if err := e.decodeContent(&event); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

// decodeContent reads the message in an envelope.
func (e *Envelope) decodeContent(event *wire.CloudEvent) error {
	data := event.GetProtoData()
	if data == nil {
		return fault.Field("proto_data", "is missing")
	}
	// Senders write the name with a prefix or without. Agents use this name,
	// not the type of the envelope.
	name := data.TypeUrl[strings.LastIndexByte(data.TypeUrl, '/')+1:]
	if name != event.Type {
		return fault.Field("type", "is "+quoteShortened(event.Type)+", but the data is "+quoteShortened(name))
	}
	var known bool
	if e.Message, known = Of(name); !known {
		return fault.Field("type", quoteShortened(name)+" is not known")
	}
	content := e.empty.ProtoReflect().New().Interface()
	if err := unmarshal(data.Value, content); err != nil {
		return unreadableFault(e.Type, err)
	}
	e.Content = content
	if e.Answer && e.Agent() == "" {
		return fault.Field("agent_id", "is missing")
	}
	return nil
}

// timeAttributeOf reads a time among the attributes of an envelope.
func timeAttributeOf(event *wire.CloudEvent, name string) (time.Time, error) {
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

func unreadableFault(what string, err error) error {
	return &fault.Error{Kind: fault.Malformed, Detail: what + " cannot be read", Cause: err}
}

// quoteShortened repeats a text of the sender, shortened.
func quoteShortened(text string) string {
	if len(text) > maxQuotedBytes {
		end := maxQuotedBytes
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return fmt.Sprintf("%q", text)
}
