// Package message is the messages to agents and from them, as they are on the
// wire: which there are, and the envelope that each has. The .proto files beside
// it have the names and numbers that agents know; package wire is their code.
//
// A Bus carries them. Which there are is not known here.
package message

//go:generate go run ./generate

import (
	"google.golang.org/protobuf/proto"

	"trento/store/message/wire"
)

// Kind is what messages are about. Agents take part in each kind of their own:
// they wait for its requests, and publish its answers, apart from the others.
type Kind string

// The kinds of messages.
const (
	Checks      Kind = "checks"
	Operations  Kind = "operations"
	Discoveries Kind = "discoveries"
)

// Kinds are all kinds, in the order in which agents begin with them.
var Kinds = []Kind{Checks, Operations, Discoveries}

// Message is a message that there is.
type Message struct {
	Type string // its full name
	Kind Kind
	// Answer says that agents publish it. Others they consume.
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

// typeOf is the full name of a message.
func typeOf(m proto.Message) string { return string(m.ProtoReflect().Descriptor().FullName()) }

// Of returns the message of a type. It is not ok where there is none.
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
// where the answer of an agent is a report.
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
