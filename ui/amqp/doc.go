// Package amqp is the message endpoint. Agents connect to it for messages; they
// send their reports to the API. An agent connects to the endpoint before it
// sends its first report. If there is no endpoint, the agent exits.
//
// Broker speaks AMQP 0-9-1 as RabbitMQ does, as far as agents and other
// well-behaved clients go: TestLikeRabbitMQ runs one suite against both. It is
// not a general broker. There are three exchanges, one for each kind of
// message. Each agent has a queue at each exchange:
//
//	trento.checks       trento.checks.agents.AGENT         answers come with the key "executions"
//	trento.operations   trento.operations.agents.AGENT     answers come with the key "requests"
//	trento.discoveries  trento.discoveries.agents.AGENT    the answer is a report
//
// The rest of the program sees a message.Bus: it sends to one agent, and
// subscribes to answers. External is another Bus: it uses a broker outside of
// this program.
//
// # Who may what
//
// All agents share one credential, and they write it into the journals of their
// hosts. So it permits little: a connection belongs to the agent whose queue it
// declares first. It can use only the queues of that agent, and can publish
// only answers of that agent (delivery.go, Broker.receive). All wrong
// credentials get the same answer, after a delay and without a reason. The log
// and the page of the agents show the reason (access.go).
//
// # How it works
//
// One goroutine reads a connection and handles its frames, in order: an answer
// is stored before the next frame is handled. Output is appended to a buffer. A
// second goroutine sends the buffer, and ends when it is empty. So an idle
// connection needs one goroutine and a few kilobytes; there are thousands of
// idle connections (BenchmarkIdleConnections). If a peer does not read what was
// sent, it gets no deliveries, and its frames are not read, until it reads
// again.
//
// One lock protects queues, consumers and unacknowledged messages. Durable
// messages and the queues themselves are in the store as well. A message is
// deleted from the store after its acknowledgement. So after a crash it may be
// delivered twice, but it is never lost.
package amqp
