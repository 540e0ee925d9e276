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

// Kinds are all kinds, in the order in which agents begin with them.
var Kinds = []Kind{Checks, Operations, Discoveries}

// Message describes a type of message.
type Message struct {
	Type string // its full name
	Kind Kind
	// Answer is true if agents publish it, and false if they consume it.
	Answer bool
	empty  proto.Message
}

var messages = []Message{
	request(Checks, (*wire.FactsGatheringRequested)(nil)),
	answer(Checks, (*wire.FactsGathered)(nil)),
	request(Operations, (*wire.OperatorExecutionRequested)(nil)),
	answer(Operations, (*wire.OperatorExecutionCompleted)(nil)),
	request(Discoveries, (*wire.DiscoveryRequested)(nil)),
}

func request(kind Kind, empty proto.Message) Message {
	return Message{Type: typeOf(empty), Kind: kind, empty: empty}
}

func answer(kind Kind, empty proto.Message) Message {
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
func (k Kind) Consumes() []string { return k.types(false) }

// Publishes returns the types of messages that agents publish. There are none
// if agents answer with a report.
func (k Kind) Publishes() []string { return k.types(true) }

func (k Kind) types(answers bool) []string {
	var types []string
	for _, m := range messages {
		if m.Kind == k && m.Answer == answers {
			types = append(types, m.Type)
		}
	}
	return types
}
