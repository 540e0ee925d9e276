// Package message defines the messages to and from agents, and their envelopes.
// The .proto files have the names and numbers that agents know; package wire is
// generated from them.
//
// A Bus carries the messages. Its implementations are in package amqp.
package message

//go:generate go run ./generate

import (
	"google.golang.org/protobuf/proto"

	"trento/store/message/wire"
)

// Kind is what messages are about. Agents handle each kind separately: each
// kind has its own exchange, and each agent has its own queue at that exchange.
type Kind string

// The kinds of messages.
const (
	Checks      Kind = "checks"
	Operations  Kind = "operations"
	Discoveries Kind = "discoveries"
)

// Kinds are all kinds, in the order in which agents connect for them.
var Kinds = []Kind{Checks, Operations, Discoveries}

// Message describes a type of message.
type Message struct {
	Type string // its full name
	Kind Kind
	// Answer is true if agents publish messages of the type, and false if they
	// consume them.
	Answer bool
	empty  proto.Message
}

var messages = []Message{
	newRequestType(Checks, (*wire.FactsGatheringRequested)(nil)),
	newAnswerType(Checks, (*wire.FactsGathered)(nil)),
	newRequestType(Operations, (*wire.OperatorExecutionRequested)(nil)),
	newAnswerType(Operations, (*wire.OperatorExecutionCompleted)(nil)),
	newRequestType(Discoveries, (*wire.DiscoveryRequested)(nil)),
}

func newRequestType(kind Kind, empty proto.Message) Message {
	return Message{Type: typeOf(empty), Kind: kind, empty: empty}
}

func newAnswerType(kind Kind, empty proto.Message) Message {
	return Message{Type: typeOf(empty), Kind: kind, Answer: true, empty: empty}
}

// typeOf returns the full name of the type of a message.
func typeOf(m proto.Message) string { return string(m.ProtoReflect().Descriptor().FullName()) }

// Of returns the message of a type. ok is false if the type is not known.
func Of(typeName string) (m Message, ok bool) {
	for _, m := range messages {
		if m.Type == typeName {
			return m, true
		}
	}
	return Message{}, false
}

// Consumes returns the types of messages that agents consume.
func (k Kind) Consumes() []string { return k.messageTypes(false) }

// Publishes returns the types of the messages of this kind that agents publish.
// There are none for a kind that agents answer with a report over HTTP.
func (k Kind) Publishes() []string { return k.messageTypes(true) }

func (k Kind) messageTypes(answers bool) []string {
	var types []string
	for _, m := range messages {
		if m.Kind == k && m.Answer == answers {
			types = append(types, m.Type)
		}
	}
	return types
}
