package ui

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"trento/store/message"
	"trento/ui/page"
)

// agentBus is a message.Bus with an agent that a test plays.
type agentBus struct {
	sent     []*message.Delivery
	refused  error                       // of Send
	presence map[string]message.Presence // by agent; those left out are connected
	facts    func(context.Context, message.Envelope) error
	answer   func(message.Request) // answers a request, if it is set
}

func (b *agentBus) Send(_ context.Context, r message.Request) (*message.Delivery, error) {
	if b.refused != nil {
		return nil, b.refused
	}
	if b.answer != nil {
		go b.answer(r)
	}
	d := new(message.Delivery)
	b.sent = append(b.sent, d)
	return d, nil
}

func (b *agentBus) Subscribe(_ message.Kind, handle func(context.Context, message.Envelope) error) {
	b.facts = handle
}

func (b *agentBus) Presence(agent string, _ message.Kind) message.Presence {
	if p, ok := b.presence[agent]; ok {
		return p
	}
	return message.Connected
}

// TestRefreshNow presses the button on the page of a host, and follows the
// answers there.
func TestRefreshNow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("runner", 4)
	f.user("plain")
	id := f.host(1, "vega01")
	path := "/hosts/" + string(id)
	f.options.Messages, f.options.Endpoint = nil, nil
	f.restart(f.options)
	has(".actions [aria-disabled]", "Refresh now . Messages to agents are switched off on this server.").check(t, f.page(t, path, "runner"))

	bus := new(agentBus)
	f.options.Messages = bus
	f.restart(f.options)
	has(".actions [aria-disabled]", "it needs the permission all:host_checks_execution").check(t, f.page(t, path, "plain"))
	press := func(as string, status int) {
		t.Helper()
		w := f.do(call{method: http.MethodPost, target: path + "/refresh", as: as, form: url.Values{}})
		if w.Code != status || status == http.StatusSeeOther && w.Header().Get("Location") != path+"#refresh" {
			t.Fatalf("status %d to %q", w.Code, w.Header().Get("Location"))
		}
	}
	press("plain", http.StatusForbidden)
	press("runner", http.StatusSeeOther)
	press("runner", http.StatusSeeOther) // too soon: the page says so
	if len(bus.sent) != 6 {
		t.Fatalf("%d messages", len(bus.sent))
	}
	shown := f.page(t, path, "plain")
	has("#frame[data-refresh=2]", "").check(t, shown)
	has("#refresh [role=status] #refresh-"+string(id)+"-saptune_discovery", "Asked, no answer yet").check(t, shown)
	has("#refresh .plain-only", "Look again").check(t, shown)

	f.clock.pass(time.Second)
	f.host(1, "vega01")
	for _, d := range bus.sent[1:] {
		d.Set(message.Refused)
	}
	shown = f.page(t, path, "plain")
	has("#refresh-"+string(id)+"-host_discovery", "Reported").check(t, shown)
	has("#refresh-"+string(id)+"-subscription_discovery", "The agent cannot do it on this host.").check(t, shown)
	hasNot("#frame[data-refresh]").check(t, shown) // no answer is outstanding
}

// TestRefreshTellsBeforehand checks that the button says before it is pressed
// which agents cannot be asked.
func TestRefreshTellsBeforehand(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.user("runner", 3, 4)
	bus := &agentBus{presence: map[string]message.Presence{}}
	f.options.Messages, f.options.Endpoint = bus, nil
	f.restart(f.options)
	host, cluster := "/hosts/"+string(hostID(1)), clusterPath("hana")
	const button = ".actions .button"
	for _, path := range []string{host, cluster} {
		page := f.page(t, path, "runner")
		has(".actions form button", "Refresh now").check(t, page)
		hasNot("#refresh-why").check(t, page)
	}
	for presence, want := range map[message.Presence]string{
		message.Away:           "Its agent is not connected for messages. After a restart of the server it may take 80 seconds.",
		message.NeverConnected: "Its agent has not connected for messages in the last 24 hours.",
	} {
		bus.presence[string(hostID(1))] = presence
		page := f.page(t, host, "runner")
		has(button+"[aria-disabled][aria-describedby=refresh-why]", "Refresh now").check(t, page)
		has("#refresh-why", want).check(t, page)
		hasNot(".actions form").check(t, page)
	}
	bus.presence[string(hostID(1))] = message.PresenceUnknown
	hasNot("#refresh-why").check(t, f.page(t, host, "runner"))

	bus.presence[string(hostID(1))] = message.Away
	page := f.page(t, cluster, "runner")
	has(".actions form button[aria-describedby=refresh-why]", "Refresh now").check(t, page)
	has("#refresh-why", "Not connected for messages, so asked when it is, for five minutes: hana01.").check(t, page)
	bus.presence[string(hostID(2))] = message.NeverConnected
	page = f.page(t, cluster, "runner")
	has(button+"[aria-disabled]", "Refresh now").check(t, page)
	has("#refresh-why", "No agent of its hosts is connected for messages. After a restart").check(t, page)
	bus.presence[string(hostID(1))] = message.NeverConnected
	has("#refresh-why", "No agent of its hosts has connected for messages in the last 24 hours.").check(t, f.page(t, cluster, "runner"))
}

// TestRefreshNowInBrowser checks that the answers appear on the page by
// themselves, also those of reports that change nothing.
func TestRefreshNowInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	f := newFixtureAt(t, &clock{now: time.Now().Truncate(time.Second)})
	f.user("ada", 1)
	id := f.host(1, "vega01")
	bus := new(agentBus)
	var err error
	if f.handler, err = New(page.Options{Store: f.store, Auth: f.auth, Search: f.index, Version: "1.2.3", Log: newTestLog(f.log), Messages: bus}); err != nil {
		t.Fatal(err)
	}
	tab := newTabOn(t, startBrowser(t), f, f.serve())
	tab.loadAxe()
	tab.signedIn()
	tab.live("/hosts/" + string(id))
	tab.click(".actions form button")
	tab.until(exists("#refresh [role=status] tbody tr"))
	tab.findsNoBarrierInAnyLook("/hosts/{id}, asked")
	tab.wants("document.querySelectorAll('#refresh .inline-mark.clock').length", "6")
	for _, d := range bus.sent {
		d.Set(message.Acknowledged)
	}
	tab.until("document.querySelectorAll('#refresh .inline-mark.passing').length === 6")
	tab.until("!document.getElementById('frame').dataset.refresh")
}
