package message

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"trento/store/fault"
)

// Bus carries messages to agents, and their answers back. The message endpoint
// inside this program is one, a broker elsewhere another.
type Bus interface {
	// Send sends a message to one agent. When it returns, the message waits for
	// the agent, who may be away until it expires. It fails with ErrNoQueue
	// for an agent that was never connected, and with ErrQueueFull.
	Send(context.Context, Request) (*Delivery, error)
	// Subscribe hands the answers of a kind to a function, in the order in
	// which each agent published them. One that fails counts as not received.
	// Each kind has one subscriber, and gets it before agents connect.
	Subscribe(Kind, func(context.Context, Envelope) error)
	// Connected reports whether an agent waits for messages of a kind. It is
	// not known for a broker elsewhere.
	Connected(agent string, kind Kind) (connected, known bool)
}

// Request is a message to an agent.
type Request struct {
	Agent     string
	Content   proto.Message
	ExpiresAt time.Time
	// Durable messages wait in the store, and so survive a restart.
	Durable bool
	// Once: a message that an agent may have begun to act on is not delivered
	// again, whatever happens to the connection. It cannot be durable.
	Once bool
}

// The reasons for which a message cannot be sent.
var (
	ErrNoQueue   = &fault.Error{Kind: fault.Conflict, Detail: "The agent has never connected to receive messages."}
	ErrQueueFull = &fault.Error{Kind: fault.Busy, Detail: "Too many messages wait for the agent already."}
)

// Delivery is what became of a message to an agent. It may be nil: then nobody
// asks.
type Delivery struct{ state atomic.Int32 }

// DeliveryState is a state of a Delivery.
type DeliveryState int32

const (
	Waiting      DeliveryState = iota // for the agent to come, or to take it
	Delivered                         // the agent has it
	Acknowledged                      // the agent did what it asks for
	Refused                           // the agent could not do it, or not understand it
	Expired                           // the agent did not take it in time
	Lost                              // the agent went away while it had it, or removed it unread
	HandedOver                        // a broker elsewhere has it; more is not known
)

// State returns what is known now.
func (d *Delivery) State() DeliveryState { return DeliveryState(d.state.Load()) }

// Set says what became of the message. It is for a Bus.
func (d *Delivery) Set(state DeliveryState) {
	if d != nil {
		d.state.Store(int32(state))
	}
}

// KindOf is the kind of a message; "" for one that is not among those that go
// to agents or come from them.
func KindOf(content proto.Message) Kind {
	m, _ := Of(typeOf(content))
	return m.Kind
}
