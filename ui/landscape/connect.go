package landscape

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/amqp"
	"trento/ui/page"
)

// connectPage says how to connect an agent to this server, and waits for it.
type connectPage struct {
	page.Frame
	Config agentConfig
	// Shown is Config as the page shows it: with the secrets masked, or with
	// placeholders if the reader may not see them.
	Shown      agentConfig
	MaySee     bool // the reader may see the secrets
	KeyExpired bool
	// Local is set if the page was opened under an address that other hosts
	// cannot use. HTTPS is set if agents use https or amqps.
	Local, HTTPS bool
	Ports        []string // that a host with an agent must reach
	// MessagesOff and Elsewhere say that this server is not the endpoint of
	// agents for messages.
	MessagesOff, Elsewhere bool
	Arrivals               arrivals
}

// Template implements page.Page.
func (*connectPage) Template() string { return "connect" }

// agentConfig has the values of the configuration of an agent.
type agentConfig struct {
	ServerURL, APIKey, FactsServiceURL string
}

// arrivals are the agents that have connected or reported since the page was
// opened.
type arrivals struct {
	Since     page.Timestamp
	First     bool // there are no hosts yet
	Hosts     []arrivedHost
	MoreHosts int
	// The fields below are filled only for readers who may see all agents.
	Faulty    []arrivedAgent // report, but cannot be registered
	Connected []arrivedAgent // are connected for messages, and do not report
	Refusals  []refusalRow
	// KeyRefused and PasswordRefused say which of the secrets was wrong.
	KeyRefused, PasswordRefused bool
	Here                        string // address of the page
	RestartURL                  string // address of the same page that counts from now on
}

// arrivedHost is a host that has registered.
type arrivedHost struct {
	Link page.Link
	At   page.Timestamp
}

// arrivedAgent is an agent without a registered host.
type arrivedAgent struct {
	ID     string
	Faults []string
	// Addresses are those that it is connected from.
	Addresses string
	At        page.Timestamp
	Refused   bool // requests from its address are refused for their API key
}

// maxArrivals is the number of hosts that the page lists, and of agents that are
// connected and do not report.
const maxArrivals = 10

// connectPath is the address of the page. Hosts that registered after the time
// in the parameter since count as new. The time is in the address so that
// loading the page again gives the same result.
const connectPath = "/agents/connect"

// showConnect answers GET /agents/connect.
func (s *Pages) showConnect(w http.ResponseWriter, r *http.Request) error {
	now := s.Store.Now().UTC()
	since, err := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	if err != nil || since.After(now) {
		http.Redirect(w, r, arrivalsSinceURL(now), http.StatusSeeOther)
		return nil
	}
	p := connectPage{Frame: s.NewFrame(r, "Connect an agent")}
	p.Live = "host agent_report agent_connection agent_refusal setting"
	p.MaySee = p.Can(page.AbilityAPIKey)
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		if err := s.describeConfig(tx, &p); err != nil {
			return err
		}
		if p.Arrivals, err = s.arrivalsSince(tx, since, p.MaySee); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Arrivals.Here, p.Arrivals.RestartURL = p.Here, arrivalsSinceURL(now)
	return s.Render(w, r, http.StatusOK, &p)
}

// arrivalsSinceURL returns the address of the page on which hosts count as new
// if they registered after since.
func arrivalsSinceURL(since time.Time) string {
	return connectPath + "?" + url.Values{"since": {since.UTC().Format(time.RFC3339)}}.Encode()
}

// mask is shown in place of a secret.
const mask = "••••••••••••"

// describeConfig fills in the configuration of an agent for this server.
func (s *Pages) describeConfig(tx *store.Tx, p *connectPage) error {
	key, err := tx.APIKey()
	if err != nil {
		return err
	}
	p.KeyExpired = key.Expired(s.Store.Now())
	p.Config.ServerURL, p.Shown.ServerURL = p.Server, p.Server
	p.HTTPS = strings.HasPrefix(p.Server, "https:")
	p.Local = isLocal(p.ServerHost())
	p.Ports = []string{portOf(p.Server)}
	p.Shown.APIKey = "<the API key>"
	if p.MaySee {
		p.Config.APIKey, p.Shown.APIKey = s.Auth.APIKeyText(key), mask
	}
	if s.Endpoint == nil {
		p.MessagesOff, p.Elsewhere = s.Messages == nil, s.Messages != nil
		p.Shown.FactsServiceURL = "<the address of the message broker>"
		p.Config.FactsServiceURL = p.Shown.FactsServiceURL
		return nil
	}
	credential, err := s.Auth.MessageCredential(tx)
	if err != nil {
		return err
	}
	scheme, port := s.Endpoint.Scheme(), s.Endpoint.Port()
	p.HTTPS = p.HTTPS || scheme == "amqps"
	p.Ports = append(p.Ports, strconv.Itoa(port))
	p.Shown.FactsServiceURL = scheme + "://" + credential.User + ":<the password>@" + net.JoinHostPort(p.ServerHost(), strconv.Itoa(port)) + "/"
	if p.MaySee {
		p.Config.FactsServiceURL = credential.Address(scheme, p.ServerHost(), port)
		p.Shown.FactsServiceURL = strings.Replace(p.Shown.FactsServiceURL, "<the password>", mask, 1)
	}
	return nil
}

// isLocal reports whether a host name or address always refers to the machine
// that uses it, such as localhost.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// portOf returns the port of an address.
func portOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// arrivalsSince reads which agents have connected or reported since a time.
// Agents without a registered host are only read if all is set.
func (s *Pages) arrivalsSince(tx *store.Tx, since time.Time, all bool) (arrivals, error) {
	a := arrivals{Since: s.Timestamp(since), First: true}
	var hosts []*landscape.Host
	for h, err := range tx.Hosts() {
		if err != nil {
			return a, err
		}
		if a.First = false; !h.RegisteredAt.Before(since) {
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts, func(a, b *landscape.Host) int {
		return cmp.Or(b.RegisteredAt.Compare(a.RegisteredAt), cmp.Compare(a.ID, b.ID))
	})
	a.MoreHosts = max(0, len(hosts)-maxArrivals)
	for _, h := range hosts[:len(hosts)-a.MoreHosts] {
		a.Hosts = append(a.Hosts, arrivedHost{page.Link{Name: h.Hostname, URL: "/hosts/" + string(h.ID)}, s.Timestamp(h.RegisteredAt)})
	}
	if !all {
		return a, nil
	}
	s.addRefusals(&a, since)
	return a, s.addUnregistered(tx, &a, since)
}

// addRefusals adds the addresses from which agents were refused.
func (s *Pages) addRefusals(a *arrivals, since time.Time) {
	a.Refusals = s.refusals(since)
	for _, r := range a.Refusals {
		switch {
		case r.Of == refusedReports:
			a.KeyRefused = true
		case strings.HasPrefix(r.Reason, amqp.WrongCredential):
			a.PasswordRefused = true
		}
	}
}

// addUnregistered adds the agents without a registered host: those that report,
// and those that are only connected for messages.
func (s *Pages) addUnregistered(tx *store.Tx, a *arrivals, since time.Time) error {
	agents, err := tx.Agents()
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for _, agent := range agents {
		known[string(agent.ID)] = true
		if agent.Host != nil || agent.LastReport().Before(since) {
			continue
		}
		arrived := arrivedAgent{ID: string(agent.ID), At: s.Timestamp(agent.LastReport())}
		for i := range agent.Status {
			if status := &agent.Status[i]; status.Faulty() {
				what, outcome := reportSentence(status)
				arrived.Faults = append(arrived.Faults, what+" "+outcome)
			}
		}
		a.Faulty = append(a.Faulty, arrived)
	}
	if s.Endpoint == nil {
		return nil
	}
	for id, connections := range s.Endpoint.ConnectionsByAgent() {
		if id == "" || known[id] {
			continue
		}
		item := agentItem{connections: connections, hasEndpoint: true}
		arrived := arrivedAgent{ID: id, Addresses: item.addresses(), At: s.Timestamp(connections[0].Since)}
		arrived.Refused = slices.ContainsFunc(a.Refusals, func(r refusalRow) bool {
			return r.Of == refusedReports && slices.ContainsFunc(connections, func(c amqp.Connection) bool { return c.Address == r.Address })
		})
		a.Connected = append(a.Connected, arrived)
	}
	slices.SortFunc(a.Connected, func(a, b arrivedAgent) int { return cmp.Compare(a.ID, b.ID) })
	a.Connected = a.Connected[:min(len(a.Connected), maxArrivals)]
	return nil
}
