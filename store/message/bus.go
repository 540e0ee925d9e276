package message

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"trento/store/fault"
)

// Bus carries messages to agents, and their answers back. One implementation is
// the message endpoint inside this program, another uses an external broker.
type Bus interface {
	// Send sends a message to one agent. When Send returns, the message waits
	// in the queue of the agent until the agent takes it or the message
	// expires. Send fails with ErrNoQueue if the agent was never connected, and
	// with ErrQueueFull.
	Send(context.Context, Request) (*Delivery, error)
	// Subscribe hands the answers of a kind to a function, in the order in
	// which each agent published them. If the function fails, the answer counts
	// as not received. Each kind has one subscriber; Subscribe must be called
	// before agents connect.
	Subscribe(Kind, func(context.Context, Envelope) error)
	// Presence reports whether an agent takes messages of a kind.
	Presence(agent string, kind Kind) Presence
}

// Presence says whether an agent takes messages.
type Presence int

const (
	PresenceUnknown Presence = iota // an external broker does not tell
	NeverConnected                  // no queue of the agent exists, so nothing can be sent to it
	Away                            // messages wait until the agent connects again
	Connected
)

// Request is a message to an agent.
type Request struct {
	Agent     string
	Content   proto.Message
	ExpiresAt time.Time
	// Durable messages wait in the store, and so survive a restart.
	Durable bool
	// Once: a message that an agent may have begun to act on is not delivered
	// again, even if the connection is lost. Such a message cannot be durable.
	Once bool
}

// The reasons for which a message cannot be sent.
var (
	ErrNoQueue   = &fault.Error{Kind: fault.Conflict, Detail: "The agent has never connected to receive messages."}
	ErrQueueFull = &fault.Error{Kind: fault.Busy, Detail: "Too many messages wait for the agent already."}
)

// Delivery says what has happened to a message to an agent. It may be nil if
// nobody needs to know.
type Delivery struct{ state atomic.Int32 }

// DeliveryState is a state of a Delivery.
type DeliveryState int32

const (
	Waiting      DeliveryState = iota // the agent has not taken the message yet
	Delivered                         // the agent has the message
	Acknowledged                      // the agent did what the message asks for
	Refused                           // the agent could not do or not understand what the message asks for
	Expired                           // the agent did not take the message in time
	Lost                              // the agent was disconnected while it had the message, or deleted it unread
	HandedOver                        // an external broker has the message; more is not known
)

// State returns the present state.
func (d *Delivery) State() DeliveryState { return DeliveryState(d.state.Load()) }

// Set changes the state. Only implementations of Bus call it.
func (d *Delivery) Set(state DeliveryState) {
	if d != nil {
		d.state.Store(int32(state))
	}
}

// KindOf returns the kind of a message; "" if it is neither a message to agents
// nor one from agents.
func KindOf(content proto.Message) Kind {
	m, _ := Of(typeOf(content))
	return m.Kind
}
