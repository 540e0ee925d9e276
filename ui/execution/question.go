package execution

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/store/message"
	"trento/store/message/wire"
)

// MaxQuestions is how many facts an agent can be asked for at once, to see them.
const MaxQuestions = 20

// answerTime is how long a person waits for facts.
const answerTime = 20 * time.Second

// The reasons for which there are no facts to see.
var (
	errNotConnected = &fault.Error{Kind: fault.Conflict, Detail: "The agent of the host is not connected for messages, so it cannot be asked. Start it, or look at its log."}
	errAskedAlready = &fault.Error{Kind: fault.Busy, Detail: "The agent of the host is being asked already. Try again in a moment."}
	errNoAnswer     = &fault.Error{Kind: fault.Busy, Detail: fmt.Sprintf("The agent of the host did not answer within %d seconds. Try again, or look at its log.", int(answerTime.Seconds()))}
)

// question is a question for facts that waits for its answer.
type question struct {
	agent    string
	deadline time.Time
	answer   chan []check.GatheredFact // of one slot; closed when there will be none
}

// AskFacts asks the agent of a host for facts and waits for its answer, which has
// one element for each question. It logs who has asked for what, because facts
// can be secrets. It fails with faults of "requests/N/gatherer" and
// "requests/N/argument", with store.ErrNotFound, or if the agent cannot be asked
// or does not answer.
func (r *Runner) AskFacts(ctx context.Context, by store.Actor, host landscape.HostID, questions []check.FactQuestion) ([]check.Answer, error) {
	if r.Off() {
		return nil, ErrOff
	}
	if err := checkQuestions(questions); err != nil {
		return nil, err
	}
	var names []string
	for _, q := range questions {
		names = append(names, q.String())
	}
	agent := string(host)
	id, by := uuid.NewString(), by
	by.Correlation = id
	q, err := r.addQuestion(id, agent)
	if err != nil {
		return nil, err
	}
	defer r.removeQuestion(id)
	if err := r.Store.LogFactsRequest(ctx, by, host, names); err != nil {
		return nil, err
	}
	if err := r.sendQuestions(ctx, id, agent, questions); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case facts, answered := <-q.answer:
		if !answered {
			return nil, errNoAnswer
		}
		return answersTo(questions, facts), nil
	}
}

func checkQuestions(questions []check.FactQuestion) error {
	var faults fault.Errors
	if len(questions) == 0 || len(questions) > MaxQuestions {
		return fault.Field("requests", fmt.Sprintf("should have 1 to %d item(s)", MaxQuestions))
	}
	for i, q := range questions {
		if member, detail := q.Check(); member != "" {
			faults.Add("requests/"+strconv.Itoa(i)+"/"+member, detail)
		}
	}
	return faults.Err()
}

// addQuestion notes that an agent is asked. An agent is asked once at a time.
func (r *Runner) addQuestion(id, agent string) (*question, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.questions {
		if other.agent == agent {
			return nil, errAskedAlready
		}
	}
	if !r.Connected(agent) {
		return nil, errNotConnected
	}
	q := &question{agent: agent, deadline: r.Store.Now().Add(answerTime), answer: make(chan []check.GatheredFact, 1)}
	r.questions[id] = q
	return q, nil
}

func (r *Runner) removeQuestion(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.questions, id)
}

// sendQuestions sends questions to an agent. The name of each fact is its number.
func (r *Runner) sendQuestions(ctx context.Context, id, agent string, questions []check.FactQuestion) error {
	target := &wire.FactsGatheringRequestedTarget{AgentId: agent}
	for i, q := range questions {
		target.FactRequests = append(target.FactRequests, &wire.FactRequest{CheckId: askedFact, Name: strconv.Itoa(i), Gatherer: q.Gatherer, Argument: q.Argument})
	}
	_, err := r.Bus.Send(ctx, message.Request{
		Agent: agent, ExpiresAt: r.Store.Now().Add(messageLifetime),
		Content: &wire.FactsGatheringRequested{ExecutionId: id, GroupId: agent, Targets: []*wire.FactsGatheringRequestedTarget{target}},
	})
	if errors.Is(err, message.ErrNoQueue) {
		return errNotConnected
	}
	return err
}

// askedFact stands in requests for the id of a check where there is none.
const askedFact = "facts"

// answersTo returns the answer to each question. What the agent left out was not
// delivered.
func answersTo(questions []check.FactQuestion, facts []check.GatheredFact) []check.Answer {
	answers := make([]check.Answer, len(questions))
	for i := range answers {
		n := slices.IndexFunc(facts, func(f check.GatheredFact) bool { return f.Name == strconv.Itoa(i) })
		if n < 0 {
			answers[i].Error = &check.FactError{Type: check.NotDelivered, Message: "The agent did not deliver the fact. It may not know the gatherer."}
			continue
		}
		answers[i] = facts[n].Answer
	}
	return answers
}

// receiveAnswer takes the answer to a question, and reports whether there is one.
// The caller holds the lock.
func (r *Runner) receiveAnswer(facts *wire.FactsGathered) bool {
	q := r.questions[facts.GetExecutionId()]
	if q == nil || q.agent != facts.GetAgentId() {
		return false
	}
	select {
	case q.answer <- gatheredFacts(facts):
	default: // it has answered already
	}
	return true
}

// expireQuestions ends the questions that wait too long. The caller holds the
// lock.
func (r *Runner) expireQuestions(now time.Time) {
	for id, q := range r.questions {
		if !now.Before(q.deadline) {
			delete(r.questions, id)
			close(q.answer)
		}
	}
}
