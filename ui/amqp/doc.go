// Package amqp is the message endpoint: what agents connect to for messages,
// beside the API to which they report. An agent dials it before it sends its
// first report, and ends when it finds none.
//
// Broker speaks AMQP 0-9-1 as RabbitMQ does, as far as agents and other
// well-behaved clients go: TestLikeRabbitMQ runs one suite against both. It is
// no broker for everything. There are three exchanges, one a kind of message,
// and each agent has a queue at each:
//
//	trento.checks       trento.checks.agents.AGENT         answers come with the key "executions"
//	trento.operations   trento.operations.agents.AGENT     answers come with the key "requests"
//	trento.discoveries  trento.discoveries.agents.AGENT    the answer is a report
//
// The rest of the program sees a message.Bus: it sends to one agent, and
// subscribes to answers. External is the other Bus, for a broker elsewhere.
//
// # Who may what
//
// All agents share one credential, which they write into the journals of their
// hosts. So it opens little: a connection belongs to the agent whose queue it
// declares first, uses the queues of that agent only, and publishes only what
// agents publish, in its own name (delivery.go, Broker.receive). Wrong
// credentials are answered alike, late, and without a reason; the log and the
// page of the agents have it (access.go).
//
// # How it works
//
// One goroutine reads a connection and handles its frames, in order: an answer
// is stored before the next frame is looked at. What is sent is appended to a
// buffer that a goroutine empties which ends with it, so that a connection that
// waits has one goroutine and some kilobytes: there are thousands of them
// (BenchmarkIdleConnections). A peer that does not read gets no deliveries, and
// is not read from, until it does.
//
// One lock protects queues, consumers and what is not acknowledged. Durable
// messages and the queues themselves are in the store as well; a message is
// deleted there after its acknowledgement, so that it may come twice after a
// crash, but not never.
package amqp
