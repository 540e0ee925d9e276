package message

import (
	"strings"

	"github.com/google/uuid"
)

// RequestKey is the routing key of messages to agents.
const RequestKey = "agents"

// Exchange is the name of the exchange of a kind.
func (k Kind) Exchange() string { return "trento." + string(k) }

// AnswerKey is the routing key that agents give their answers; "" if they
// answer with reports.
func (k Kind) AnswerKey() string {
	switch k {
	case Checks:
		return "executions"
	case Operations:
		return "requests"
	}
	return ""
}

// Queue is the name of the queue from which an agent takes messages of a kind.
func (k Kind) Queue(agent string) string { return k.Exchange() + ".agents." + agent }

// QueueOwner returns the kind and the agent that a queue belongs to. ok is
// false if no agent can have a queue of that name.
func QueueOwner(queue string) (kind Kind, agent string, ok bool) {
	for _, kind := range Kinds {
		agent, ok := strings.CutPrefix(queue, kind.Queue(""))
		if !ok {
			continue
		}
		if id, err := uuid.Parse(agent); err != nil || id.String() != agent {
			return "", "", false
		}
		return kind, agent, true
	}
	return "", "", false
}
