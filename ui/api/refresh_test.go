package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/message"
	"trento/store/message/wire"
	"trento/ui/api"
	"trento/ui/refresh"
)

// agentBus is a message.Bus with agents that a test plays.
type agentBus struct {
	refused    error                        // of Send
	away       bool                         // no agent is connected
	deliveries map[string]*message.Delivery // by the type of discovery
	facts      func(context.Context, message.Envelope) error
	answer     func(*wire.FactsGatheringRequested) // answers a request for facts, if it is set
}

func (b *agentBus) Send(_ context.Context, r message.Request) (*message.Delivery, error) {
	if b.refused != nil {
		return nil, b.refused
	}
	d := new(message.Delivery)
	if asked, ok := r.Content.(*wire.FactsGatheringRequested); ok && b.answer != nil {
		go b.answer(asked)
	}
	if asked, ok := r.Content.(*wire.DiscoveryRequested); ok {
		b.deliveries[asked.DiscoveryType] = d
	}
	return d, nil
}

func (b *agentBus) Subscribe(_ message.Kind, handle func(context.Context, message.Envelope) error) {
	b.facts = handle
}

func (b *agentBus) Presence(string, message.Kind) message.Presence {
	if b.away {
		return message.Away
	}
	return message.Connected
}

// states reads the answers of a refresh, one line each.
func (got answer) states(t *testing.T) (lines []string) {
	t.Helper()
	var read struct {
		Reports []struct {
			Kind        string `json:"discovery_type"`
			State       string
			Outstanding bool
		}
	}
	got.decode(t, &read)
	for _, r := range read.Reports {
		lines = append(lines, fmt.Sprint(strings.TrimSuffix(r.Kind, "_discovery"), " ", r.State, " ", r.Outstanding))
	}
	return lines
}

// TestRefreshHost asks a host for its reports and follows what becomes of that.
func TestRefreshHost(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("runner", 4)
	f.user("reader")
	f.register(agentID, "vega01")
	saptune := report(agentID, "saptune_discovery", `{"saptune_installed":false,"package_version":null,"status":null}`)
	f.post(agent, collectPath, saptune).expect(t, http.StatusAccepted, "{}")
	path := "/api/v1/hosts/" + agentID + "/refresh"
	expect := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, f.get("reader", path).states(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f.post("reader", path, "").expect(t, http.StatusForbidden, forbidden)
	f.get("reader", path).expect(t, http.StatusOK, `{"reports":[]}`)
	f.clock.pass(time.Second)
	f.post("runner", path, "").expect(t, http.StatusAccepted, "*")
	f.post("runner", path, "").expect(t, http.StatusServiceUnavailable,
		`{"errors":[{"title":"Service Unavailable","detail":"The agent was asked a moment ago. Try again in ten seconds."}]}`)
	expect("host asked true", "cloud asked true", "subscription asked true", "saptune asked true", "ha_cluster asked true", "sap_system asked true")

	f.clock.pass(time.Second)
	f.post(agent, collectPath, saptune).expect(t, http.StatusAccepted, "{}") // unchanged, and an answer all the same
	f.post(agent, collectPath, report(agentID, "cloud_discovery", `[]`)).expect(t, http.StatusUnprocessableEntity, "*")
	f.bus.deliveries["subscription_discovery"].Set(message.Refused)
	f.bus.deliveries["ha_cluster_discovery"].Set(message.Acknowledged)
	expect("host asked true", "cloud unusable false", "subscription refused false", "saptune reported false", "ha_cluster nothing_to_report false", "sap_system asked true")
	f.clock.pass(time.Minute)
	f.bus.deliveries["host_discovery"].Set(message.Delivered)
	f.bus.away = true
	expect("host no_answer false", "cloud unusable false", "subscription refused false", "saptune reported false", "ha_cluster nothing_to_report false", "sap_system away true")
	f.bus.away = false // it is back, and has a minute from now
	expect("host no_answer false", "cloud unusable false", "subscription refused false", "saptune reported false", "ha_cluster nothing_to_report false", "sap_system asked true")
	f.clock.pass(10 * time.Minute)
	f.signIn("reader")
	f.get("reader", path).expect(t, http.StatusOK, `{"reports":[]}`)

	logged := f.entries(activity.TypeHostDiscoveryRequested)
	want := `{"discovery_types":["host_discovery","cloud_discovery","subscription_discovery","saptune_discovery","ha_cluster_discovery","sap_system_discovery"],` +
		`"host_id":"` + agentID + `","hostname":"vega01"}`
	if len(logged) != 1 || logged[0].Actor != "runner" || string(logged[0].Metadata) != want {
		t.Errorf("logged %d: %s", len(logged), logged[0].Metadata)
	}
}

// TestRefreshCluster asks the hosts of a cluster, which have never connected.
func TestRefreshCluster(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("runner", 3)
	f.register(agentID, "vega01")
	f.collect(reported(t, "cluster_offline", agentID))
	path := "/api/v1/clusters/" + string(clusterID) + "/refresh"
	f.post("runner", "/api/v1/hosts/"+agentID+"/refresh", "").expect(t, http.StatusForbidden, forbidden)
	f.bus.refused = message.ErrNoQueue
	if diff := cmp.Diff([]string{"ha_cluster never_connected false"}, f.post("runner", path, "").states(t)); diff != "" {
		t.Error(diff)
	}
	f.clock.pass(10 * time.Second)
	f.bus.refused = message.ErrQueueFull
	if diff := cmp.Diff([]string{"ha_cluster not_sent false"}, f.post("runner", path, "").states(t)); diff != "" {
		t.Error(diff)
	}
	if n := len(f.entries(activity.TypeClusterDiscoveryRequested)); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// TestRefreshOff asks a server without messages.
func TestRefreshOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("runner", 4)
	f.register(agentID, "vega01")
	f.handler = f.auth.Identify(api.New(api.Deps{Store: f.store, Auth: f.auth, Refresher: refresh.New(f.store, nil)}))
	const off = `{"errors":[{"title":"Conflict has occurred","detail":"Messages to agents are switched off on this server."}]}`
	f.post("runner", "/api/v1/hosts/"+agentID+"/refresh", "").expect(t, http.StatusConflict, off)
	f.get("runner", "/api/v1/hosts/"+agentID+"/refresh").expect(t, http.StatusConflict, off)
	f.get("runner", "/api/v1/hosts/"+otherID+"/refresh").expect(t, http.StatusNotFound, notFound)
	f.get("runner", "/api/v1/hosts/here/refresh").expect(t, http.StatusUnprocessableEntity, problems("/id", "Invalid format. Expected :uuid"))
}
