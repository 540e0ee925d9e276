package fleet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"trento/auth"
	"trento/packaging/servertest"
	"trento/store"
	"trento/store/landscape"
	"trento/store/message"
	"trento/store/message/wire"
	"trento/store/storetest"
	"trento/ui/amqp"
	"trento/ui/api"
)

// server is a server with an API and a message endpoint.
type server struct {
	t       *testing.T
	store   *store.Store
	handler http.Handler
	key     string
	address string // of the endpoint
	*amqp.Broker
	stopEndpoint func()

	mu      sync.Mutex
	reports map[string]int // accepted reports by agent and kind
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, store: storetest.Open(t), address: "127.0.0.1:0", reports: make(map[string]int)}
	a, err := auth.New(auth.Options{
		Store: s.store, SessionLifetime: time.Hour, EnableAPIKey: true,
		Secrets: auth.Secrets{Base: bytes.Repeat([]byte("b"), 64), Access: bytes.Repeat([]byte("a"), 64), Refresh: bytes.Repeat([]byte("r"), 64)},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = a.Identify(api.New(api.Deps{Store: s.store, Auth: a, Log: slog.New(slog.DiscardHandler)}))
	err = s.store.View(func(tx *store.Tx) error {
		key, err := tx.APIKey()
		s.key = a.APIKeyText(key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.startEndpoint()
	return s
}

// startEndpoint starts the endpoint, on the address that it had before.
func (s *server) startEndpoint() {
	s.t.Helper()
	var err error
	s.Broker, err = amqp.New(amqp.Options{
		Store: s.store, Log: slog.New(slog.DiscardHandler), Generation: func() uint64 { return 1 },
		Check: func(user, password string) bool { return user == "trento" && password == "s/cret" },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func() error{
		func() error { return s.Serve(ctx, l) },
		func() error { return s.Run(ctx) },
	} {
		running.Go(func() {
			if err := run(); err != nil {
				s.t.Errorf("the endpoint ended: %v", err)
			}
		})
	}
	s.stopEndpoint = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	s.t.Cleanup(s.stopEndpoint)
}

// ServeHTTP counts the reports that the API accepts.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	status := &statusWriter{ResponseWriter: w}
	s.handler.ServeHTTP(status, r)
	if r.URL.Path != "/api/v1/collect" || status.code != http.StatusAccepted {
		return
	}
	var report struct {
		Agent string `json:"agent_id"`
		Kind  string `json:"discovery_type"`
	}
	if err := json.Unmarshal(body, &report); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports[report.Agent+" "+report.Kind]++
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

func (s *server) accepted(h *Host, kind landscape.Kind) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reports[string(h.ID)+" "+string(kind)]
}

// runningFeed is a feed that runs in the background.
type runningFeed struct {
	stop func()

	mu   sync.Mutex
	last Stats
}

func (s *runningFeed) stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// startFeed runs a feed with messages. Agents connect again at once.
func (s *server) startFeed(hosts int, address string) *runningFeed {
	s.t.Helper()
	reports := httptest.NewServer(s)
	s.t.Cleanup(reports.Close)
	sim := &runningFeed{}
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	o := FeedOptions{
		Server: reports.URL, APIKey: s.key, Seed: 3, Hosts: hosts,
		Messages: "amqp://trento:s%2Fcret@" + address + "/",
		backoff:  func(int) time.Duration { return 5 * time.Millisecond },
		Progress: func(stats Stats) {
			sim.mu.Lock()
			defer sim.mu.Unlock()
			sim.last = stats
		},
	}
	go func() { ended <- Feed(ctx, o) }()
	sim.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("Feed: %v", err)
		}
		reports.Close()
	})
	s.t.Cleanup(sim.stop)
	return sim
}

// allConnected waits until the hosts receive messages of all kinds.
func (s *server) allConnected(hosts []*Host) {
	s.t.Helper()
	for _, h := range hosts {
		for _, kind := range message.Kinds {
			servertest.Soon(s.t, fmt.Sprintf("%s receives %s", h.Name, kind), func() bool {
				return s.Presence(string(h.ID), kind) == message.Connected
			})
		}
	}
}

func (s *server) send(h *Host, content proto.Message) *message.Delivery {
	s.t.Helper()
	d, err := s.Send(s.t.Context(), message.Request{Agent: string(h.ID), Content: content, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *server) wait(d *message.Delivery, want message.DeliveryState) {
	s.t.Helper()
	servertest.Soon(s.t, fmt.Sprintf("the message is in state %d", want), func() bool { return d.State() == want })
}

func discoveryRequest(kind landscape.Kind, h *Host) *wire.DiscoveryRequested {
	return &wire.DiscoveryRequested{DiscoveryType: string(kind), Targets: []string{string(h.ID)}}
}

func factsRequest(h *Host) *wire.FactsGatheringRequested {
	return &wire.FactsGatheringRequested{ExecutionId: "1", GroupId: "2", Targets: []*wire.FactsGatheringRequestedTarget{{AgentId: string(h.ID)}}}
}

func TestAgentsAnswerMessages(t *testing.T) {
	s := newServer(t)
	hosts := New(3, 3).Hosts()
	sim := s.startFeed(3, s.address)
	s.allConnected(hosts)
	// Agents report subscriptions only every 15 minutes, and possibly not at once.
	const kind = landscape.SubscriptionDiscovery
	for _, h := range hosts {
		servertest.Soon(t, h.Name+" has reported", func() bool { return s.accepted(h, landscape.SAPSystemDiscovery) > 0 })
	}
	h, other := hosts[0], hosts[1]
	before := s.accepted(h, kind)
	s.wait(s.send(h, discoveryRequest(kind, h)), message.Acknowledged)
	if n := s.accepted(h, kind); n != before+1 {
		t.Errorf("%d reports, want %d", n, before+1)
	}
	s.wait(s.send(h, discoveryRequest(kind, other)), message.Acknowledged)
	for _, refused := range []proto.Message{
		discoveryRequest("nonsense", h),
		&wire.OperatorExecutionRequested{OperationId: "1", Operator: "saptuneapplysolution@v1"},
	} {
		s.wait(s.send(h, refused), message.Refused)
	}
	if n, m := s.accepted(h, kind), s.accepted(other, kind); n != before+1 || m != 1 {
		t.Errorf("%d and %d reports after messages that ask for none", n, m)
	}
	servertest.Soon(t, "all is counted", func() bool { m := sim.stats().Messages; return m.Connected == 9 && m.Refused == 2 })
	sim.stop()
	m := sim.stats().Messages
	if want := (MessageStats{Wanted: 9, Connected: 9, Acknowledged: 2, Refused: 2}); m != want {
		t.Errorf("stats: %+v, want %+v", m, want)
	}
	if line := sim.stats().String(); !strings.Contains(line, "9 of 9 message connections, 0 failures, 2 messages acknowledged, 2 refused") {
		t.Errorf("stats: %s", line)
	}
}

// TestAnswers checks which messages an agent refuses: requests for a report
// that the API refuses or that the host does not have, and everything that
// cannot be read.
func TestAnswers(t *testing.T) {
	f := New(2, 25)
	old := f.Hosts()[slices.IndexFunc(f.Hosts(), func(h *Host) bool { return h.agent == oldAgentVersion })]
	now := time.Now()
	for name, c := range map[string]struct {
		host    *Host
		content proto.Message
		body    []byte
		expires time.Duration
		status  int
		want    string // in the failure; "" if there is none
		reports int
		answers int // that are published
	}{
		"a report":                  {content: discoveryRequest(landscape.CloudDiscovery, f.hosts[0]), reports: 1},
		"a report without a change": {content: discoveryRequest(landscape.HostDiscovery, f.hosts[0]), reports: 1},
		"for another":               {content: discoveryRequest(landscape.HostDiscovery, f.hosts[1])},
		"for nobody":                {content: &wire.DiscoveryRequested{DiscoveryType: "host_discovery"}},
		"old agent":                 {host: old, content: discoveryRequest(landscape.SaptuneDiscovery, old), want: "cannot report"},
		"old agent, other kind":     {host: old, content: discoveryRequest(landscape.HostDiscovery, old), reports: 1},
		"unknown kind":              {content: discoveryRequest("nonsense", f.hosts[0]), want: `cannot report "nonsense"`},
		"facts":                     {content: factsRequest(f.hosts[0]), answers: 1},
		"facts of another":          {content: factsRequest(f.hosts[1])},
		"operator":                  {content: &wire.OperatorExecutionRequested{}, want: "not supported"},
		"an answer":                 {content: &wire.FactsGathered{AgentId: string(f.hosts[0].ID)}, want: "not supported"},
		"expired":                   {content: discoveryRequest(landscape.HostDiscovery, f.hosts[0]), expires: -time.Second, want: "expired"},
		"empty":                     {body: []byte{}, want: "missing"},
		"garbage":                   {body: []byte("garbage"), want: "cannot be read"},
		"refused by the API":        {content: discoveryRequest(landscape.HostDiscovery, f.hosts[0]), status: 422, want: "422", reports: 1},
	} {
		t.Run(name, func(t *testing.T) {
			server := newTestServer()
			server.answer = func(w http.ResponseWriter, _ *http.Request) bool {
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				return c.status != 0
			}
			o := FeedOptions{Server: "http://trento.example", APIKey: "key", Client: &http.Client{Transport: handlerTransport{server}}}
			schedule := &schedule{fleet: f}
			host := c.host
			if host == nil {
				host = f.hosts[0]
			}
			agent := &consumer{agentMessaging: newMessaging(t.Context(), o, newSender(o, nil), schedule), host: host}
			body := c.body
			if body == nil {
				if c.expires == 0 {
					c.expires = time.Minute
				}
				var err error
				if body, err = message.Encode(c.content, now, now.Add(c.expires)); err != nil {
					t.Fatal(err)
				}
			}
			published := 0
			err := agent.answer(t.Context(), body, func(context.Context, message.Kind, []byte) error { published++; return nil })
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("failure: %v, want %q", err, c.want)
			}
			if published != c.answers {
				t.Errorf("%d answers published, want %d", published, c.answers)
			}
			if server.requests != c.reports || len(server.faults) > 0 {
				t.Errorf("%d reports, want %d; %s", server.requests, c.reports, server.faults)
			}
		})
	}
}

func TestAgentsReconnect(t *testing.T) {
	s := newServer(t)
	hosts := New(3, 4).Hosts()
	sim := s.startFeed(4, s.address)
	s.allConnected(hosts)
	s.stopEndpoint()
	s.startEndpoint()
	waits := s.send(hosts[2], discoveryRequest(landscape.HostDiscovery, hosts[2]))
	s.allConnected(hosts)
	s.wait(waits, message.Acknowledged)
	servertest.Soon(t, "all is counted", func() bool {
		m := sim.stats().Messages
		return m.Connected == 12 && m.Failures >= 12 && m.Acknowledged == 1
	})
}

func TestAgentsWithTheWrongPassword(t *testing.T) {
	s := newServer(t)
	m := s.messaging(t.Context(), "amqp://trento:wrong@"+s.address)
	h := New(3, 1).Hosts()[0]
	m.followHost(h, true)
	servertest.Soon(t, "three failures", func() bool { return m.sender.stats.total().Messages.Failures >= 3 })
	m.stop()
	if sum := m.sender.stats.total(); sum.Messages.Connected != 0 || !strings.Contains(sum.LastFailure, "403") || strings.Contains(sum.LastFailure, "wrong") {
		t.Errorf("stats: %+v", sum)
	}
}

// messaging returns the message connections of agents without a feed.
func (s *server) messaging(ctx context.Context, url string) *agentMessaging {
	o := FeedOptions{Messages: url, backoff: func(int) time.Duration { return time.Millisecond }}
	return newMessaging(ctx, o, newSender(o, nil), &schedule{})
}

// TestAgentsFollowTheirHosts checks that the agent of a host that is down has
// no connections.
func TestAgentsFollowTheirHosts(t *testing.T) {
	s := newServer(t)
	m := s.messaging(t.Context(), "amqp://trento:s%2Fcret@"+s.address+"/")
	defer m.stop()
	hosts := New(3, 2).Hosts()
	for _, h := range hosts {
		m.followHost(h, true)
		m.followHost(h, true)
	}
	s.allConnected(hosts)
	m.followHost(hosts[0], false)
	m.followHost(hosts[0], false)
	servertest.Soon(t, "its connections are closed", func() bool {
		connections := s.Connections()
		return len(connections) == 3 && !slices.ContainsFunc(connections, func(c amqp.Connection) bool { return c.Agent != string(hosts[1].ID) })
	})
	servertest.Soon(t, "it is counted", func() bool { return m.sender.stats.total().Messages.Connected == 3 })
	m.followHost(hosts[0], true)
	s.allConnected(hosts)
	if n := len(s.Connections()); n != 6 {
		t.Errorf("%d connections", n)
	}
	if got := m.sender.stats.total().Messages; got.Wanted != 6 || got.Failures != 0 {
		t.Errorf("stats: %+v", got)
	}
}

// TestAgentsStopInOrder checks with a proxy how agents stop: they close both
// channels, then the AMQP connection, and then the TCP connection.
func TestAgentsStopInOrder(t *testing.T) {
	s := newServer(t)
	p := startProxy(t, s.address)
	sim := s.startFeed(2, p.address)
	servertest.Soon(t, "all agents are ready", func() bool { return sim.stats().Messages.Connected == 6 })
	sim.stop()
	p.running.Wait()
	if len(p.sent) != 6 {
		t.Errorf("%d connections, want 6", len(p.sent))
	}
	for _, bytes := range p.sent {
		methods := methodsOf(t, bytes)
		want := []string{
			"10.11", "10.31", "10.40", // start-ok, tune-ok, open
			"20.10 on 1", "20.10 on 2", "60.10 on 1", "40.10 on 1", "50.10 on 1", "50.20 on 1", "60.20 on 1",
			"20.40 on 1", "20.40 on 2", "10.50", // channel.close, channel.close, connection.close
		}
		if !slices.Equal(methods, want) {
			t.Errorf("an agent has sent %q, want %q", methods, want)
		}
	}
}

// proxy forwards connections and records what agents have sent.
type proxy struct {
	address string
	running sync.WaitGroup

	mu   sync.Mutex
	sent [][]byte
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{address: l.Addr().String()}
	go func() {
		for {
			agent, err := l.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.pass(t, agent, target) })
		}
	}()
	return p
}

func (p *proxy) pass(t *testing.T, agent net.Conn, target string) {
	defer agent.Close()
	endpoint, err := net.Dial("tcp", target)
	if err != nil {
		t.Error(err)
		return
	}
	defer endpoint.Close()
	go io.Copy(agent, endpoint)
	var sent bytes.Buffer
	if _, err := io.Copy(endpoint, io.TeeReader(agent, &sent)); err != nil {
		t.Errorf("the agent did not end the connection in order: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sent.Bytes())
}

// methodsOf returns the methods among frames, as class and method numbers.
func methodsOf(t *testing.T, sent []byte) (methods []string) {
	t.Helper()
	const header, frameHeader, methodFrame = 8, 7, 1
	for rest := sent[header:]; len(rest) > 0; {
		channel, size := binary.BigEndian.Uint16(rest[1:]), binary.BigEndian.Uint32(rest[3:])
		payload := rest[frameHeader : frameHeader+size]
		if rest[0] == methodFrame {
			method := fmt.Sprintf("%d.%d", binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:]))
			if channel > 0 {
				method += fmt.Sprintf(" on %d", channel)
			}
			methods = append(methods, method)
		}
		rest = rest[frameHeader+size+1:]
	}
	return methods
}

// TestAgentsLeaveNoGoroutine checks that no goroutine is left when agents stop:
// with an endpoint that works, one that stops, and one that never answers.
func TestAgentsLeaveNoGoroutine(t *testing.T) {
	s := newServer(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	before := runtime.NumGoroutine()
	hosts := New(3, 5).Hosts()
	sim := s.startFeed(5, s.address)
	s.allConnected(hosts)
	sim.stop()

	unanswered := s.messaging(t.Context(), "amqp://"+silent.Addr().String())
	refused := s.messaging(t.Context(), "amqp://127.0.0.1:1")
	for _, h := range hosts {
		unanswered.followHost(h, true)
		refused.followHost(h, true)
	}
	servertest.Soon(t, "failures", func() bool { return refused.sender.stats.total().Messages.Failures > 15 })
	unanswered.stop()
	refused.stop()
	servertest.Soon(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}

func TestAgentBackoff(t *testing.T) {
	for attempt, most := range []time.Duration{5, 10, 20, 40, 80, 80, 80} {
		most *= time.Second
		for range 100 {
			if wait := agentBackoff(attempt); wait > most || wait < most*3/4 {
				t.Errorf("attempt %d: %s, want at most %s, at least 3/4 of it", attempt, wait, most)
			}
		}
	}
}

func TestMessagesURLIsChecked(t *testing.T) {
	for _, url := range []string{"http://trento:secret@host", "amqp://trento:secret@ho st", "amqp://trento:secret@host:x", "amqp://tre%zznto:secret@host"} {
		err := Feed(t.Context(), FeedOptions{Server: "http://127.0.0.1:1", Hosts: 1, Messages: url})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
