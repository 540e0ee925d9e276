package landscape

import (
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/store/message"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/refresh"
)

// The abilities to ask agents for reports. They are the abilities to run
// checks: whoever may run checks, which is more work for an agent, may also ask
// for reports.
const (
	abilityRefreshHost    = "all:host_checks_execution"
	abilityRefreshCluster = "all:cluster_checks_execution"
)

// outstandingRefreshSeconds is how often a page is fetched again while the
// answer of an agent is outstanding, in seconds. The page cannot wait for an
// event, because an unchanged report causes none.
const outstandingRefreshSeconds = 2

// refreshPanel has the button that asks agents to report now, and the results
// of the last request. The templates "refresh-button" and "refresh-answers"
// draw it.
type refreshPanel struct {
	Action  string
	Refused string // why the reader may not ask; empty: the reader may
	// Unreachable says why no agent can be asked now; empty if at least one
	// can. Absent says which agents of a cluster cannot be asked now.
	Unreachable string
	Absent      []string
	Answers     []refreshAnswer
	Outstanding bool
	Here        string
}

// refreshAnswer is the result of the request for one report.
type refreshAnswer struct {
	ID     string
	Host   page.Link // only on pages of clusters
	Report string    // "Host report"
	Icon   string
	Words  string
	At     page.Timestamp // time of the report, or of the request
}

// refreshRoutes returns the routes of the buttons.
func (s *Pages) refreshRoutes() []api.Route {
	return []api.Route{
		{Method: "POST", Path: "/hosts/{id}/refresh", Access: auth.Needs(abilityRefreshHost), Tokens: auth.InSets("checks").As("POST /api/v1/hosts/{id}/refresh"), Handle: page.ReadForm(s.refreshHost)},
		{Method: "POST", Path: "/clusters/{id}/refresh", Access: auth.Needs(abilityRefreshCluster), Tokens: auth.InSets("checks").As("POST /api/v1/clusters/{id}/refresh"), Handle: page.ReadForm(s.refreshCluster)},
	}
}

// refreshHost answers POST /hosts/{id}/refresh.
func (s *Pages) refreshHost(w http.ResponseWriter, r *http.Request) error {
	id := landscape.HostID(strings.ToLower(page.PathVar(r, "id")))
	err := s.Refresher.AskHost(r.Context(), auth.From(r.Context()).Actor(), id)
	return s.redirectAfterRefresh(w, r, "/hosts/"+string(id), err)
}

// refreshCluster answers POST /clusters/{id}/refresh.
func (s *Pages) refreshCluster(w http.ResponseWriter, r *http.Request) error {
	id := landscape.ClusterID(strings.ToLower(page.PathVar(r, "id")))
	err := s.Refresher.AskCluster(r.Context(), auth.From(r.Context()).Actor(), id)
	return s.redirectAfterRefresh(w, r, "/clusters/"+string(id), err)
}

// redirectAfterRefresh redirects to the page of the thing, which shows the
// results. If the request could not be sent, the page says why.
func (s *Pages) redirectAfterRefresh(w http.ResponseWriter, r *http.Request, path string, err error) error {
	if kind, ok := fault.KindOf(err); ok && (kind == fault.Busy || kind == fault.Conflict) {
		s.SetFlash(w, r, fault.Of(err)[0].Detail)
		err = nil
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, path+"#refresh", http.StatusSeeOther)
	return nil
}

// newRefreshPanel returns the panel of a thing with these hosts.
func (s *Pages) newRefreshPanel(tx *store.Tx, f *page.Frame, path, ability string, hosts []landscape.HostID, kinds []landscape.Kind) (refreshPanel, error) {
	p := refreshPanel{Action: path + "/refresh", Refused: f.WhyRefused(ability), Here: f.Here}
	if s.Refresher.Off() {
		p.Refused = refresh.ErrOff.Detail
		return p, nil
	}
	if p.Refused == "" {
		if err := s.describePresence(tx, &p, hosts, ability == abilityRefreshCluster); err != nil {
			return p, err
		}
	}
	answers, err := s.Refresher.Status(tx, hosts, kinds)
	if err != nil {
		return p, err
	}
	for _, a := range answers {
		shown := refreshAnswer{
			ID: string(a.Host) + "-" + string(a.Kind), Report: capitalize(activity.ReportName(string(a.Kind))), At: s.Timestamp(a.AskedAt),
		}
		shown.Icon, shown.Words = refreshWords(a.State)
		if !a.AnsweredAt.IsZero() {
			shown.At = s.Timestamp(a.AnsweredAt)
		}
		if ability == abilityRefreshCluster {
			h, err := tx.Host(a.Host)
			if err != nil {
				return p, err
			}
			shown.Host = page.Link{Name: h.Hostname, URL: "/hosts/" + string(a.Host)}
		}
		p.Outstanding = p.Outstanding || a.State.Outstanding()
		p.Answers = append(p.Answers, shown)
	}
	if p.Outstanding {
		f.Refresh = outstandingRefreshSeconds
	}
	return p, nil
}

// describePresence says in the panel which agents cannot be asked now.
func (s *Pages) describePresence(tx *store.Tx, p *refreshPanel, hosts []landscape.HostID, isCluster bool) error {
	var away, never []string // hostnames
	for _, id := range hosts {
		presence := s.Refresher.Presence(id)
		if presence != message.Away && presence != message.NeverConnected {
			continue
		}
		h, err := tx.Host(id)
		if err != nil {
			return err
		}
		if presence == message.Away {
			away = append(away, h.Hostname)
		} else {
			never = append(never, h.Hostname)
		}
	}
	switch reachable := len(hosts) - len(away) - len(never); {
	case reachable == 0 && !isCluster && len(away) > 0:
		p.Unreachable = "Its agent is not connected for messages. " + reconnectWords
	case reachable == 0 && !isCluster:
		p.Unreachable = "Its agent has not connected for messages in the last 24 hours."
	case reachable == 0 && len(away) > 0:
		p.Unreachable = "No agent of its hosts is connected for messages. " + reconnectWords
	case reachable == 0:
		p.Unreachable = "No agent of its hosts has connected for messages in the last 24 hours."
	default:
		if len(away) > 0 {
			p.Absent = append(p.Absent, "Not connected for messages, so asked when it is, for five minutes: "+listNames(away)+".")
		}
		if len(never) > 0 {
			p.Absent = append(p.Absent, "Not connected for messages in the last 24 hours, so not asked: "+listNames(never)+".")
		}
	}
	return nil
}

// reconnectWords says when an agent that is not connected can be expected to
// connect.
const reconnectWords = "After a restart of the server it may take 80 seconds."

// maxListedNames is the largest number of names in a sentence.
const maxListedNames = 5

// listNames joins names for a sentence. If there are too many, it lists the
// first ones and the number of the others.
func listNames(names []string) string {
	slices.Sort(names)
	if len(names) > maxListedNames {
		return strings.Join(names[:maxListedNames], ", ") + " and " + page.Count(len(names)-maxListedNames, "more", "more")
	}
	return strings.Join(names, ", ")
}

// refreshWords returns the symbol and the text for the result of a request.
func refreshWords(state refresh.State) (icon, words string) {
	switch state {
	case refresh.Asked:
		return "clock", "Asked, no answer yet"
	case refresh.Away:
		return "clock", "Waiting for the agent to reconnect. After a restart of the server it may take 80 seconds"
	case refresh.Reported:
		return "passing", "Reported"
	case refresh.Unusable:
		return "warning", "Reported, but the report could not be used"
	case refresh.Refused:
		return "warning", "The agent cannot do it on this host. Its journal says why: journalctl -u trento-agent"
	case refresh.NothingToReport:
		return "passing", "Done, nothing to report"
	case refresh.NeverConnected:
		return "warning", "The agent has never connected to receive messages"
	case refresh.NotSent:
		return "warning", "Not asked: too many messages wait for the agent already"
	}
	return "warning", "The agent did not answer in time"
}
