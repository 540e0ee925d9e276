package landscape

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
)

// factPage asks the agent of a host for a fact and shows it.
type factPage struct {
	page.Frame
	Host      page.Link
	Action    string
	Gatherers []page.Option
	Argument  string
	Refused   string // why the reader may not ask; "" if the reader may
	Faults    []string
	Answer    *shownFact // nil: nothing was asked yet
}

// Template implements page.Page.
func (*factPage) Template() string { return "fact" }

// shownFact is a fact, or why there is none.
type shownFact struct {
	Question      string
	At            page.Timestamp
	Value         string
	Type, Message string // of the error
}

// factRoutes returns the routes of the page that asks for facts.
func (s *Pages) factRoutes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/hosts/{id}/facts", Access: auth.SignedIn, Tokens: auth.InSets("read_only", "checks"), Handle: s.showFacts},
		{Method: "POST", Path: "/hosts/{id}/facts", Access: auth.Needs(abilityRefreshHost), Tokens: auth.InSets("checks").As("POST /api/v1/checks/facts"), Handle: page.ReadForm(s.askFact)},
	}
}

// showFacts answers GET /hosts/{id}/facts. The query parameters gatherer and
// argument fill the form.
func (s *Pages) showFacts(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	return s.renderFacts(w, r, http.StatusOK, check.FactQuestion{Gatherer: query.Get("gatherer"), Argument: query.Get("argument")}, nil, nil)
}

// askFact answers POST /hosts/{id}/facts: it waits for the agent and shows the
// fact.
func (s *Pages) askFact(w http.ResponseWriter, r *http.Request) error {
	id, err := pathGroup(r)
	if err != nil {
		return err
	}
	q := check.FactQuestion{Gatherer: r.PostForm.Get("gatherer"), Argument: strings.TrimSpace(r.PostForm.Get("argument"))}
	answers, err := s.Executions.AskFacts(r.Context(), auth.From(r.Context()).Actor(), landscape.HostID(id), []check.FactQuestion{q})
	if kind, ok := fault.KindOf(err); ok && slices.Contains([]fault.Kind{fault.Invalid, fault.Busy, fault.Conflict}, kind) {
		return s.renderFacts(w, r, http.StatusUnprocessableEntity, q, nil, factFaults(err))
	}
	if err != nil {
		return err
	}
	shown := &shownFact{Question: q.String(), At: s.Timestamp(s.Store.Now())}
	if e := answers[0].Error; e != nil {
		shown.Type, shown.Message = e.Type, e.Message
	} else if raw, err := json.Marshal(answers[0].Value.JSON()); err != nil {
		return err
	} else {
		shown.Value = prettyJSON(raw)
	}
	return s.renderFacts(w, r, http.StatusOK, q, shown, nil)
}

// factFaults says what is wrong with a question, or why there is no answer.
func factFaults(err error) (sentences []string) {
	for _, f := range fault.Of(err) {
		switch f.Field {
		case "requests/0/gatherer":
			sentences = append(sentences, "The gatherer "+f.Detail+".")
		case "requests/0/argument":
			sentences = append(sentences, "The argument "+f.Detail+".")
		default:
			sentences = append(sentences, f.Detail)
		}
	}
	return sentences
}

func (s *Pages) renderFacts(w http.ResponseWriter, r *http.Request, status int, q check.FactQuestion, answer *shownFact, faults []string) error {
	id, err := pathGroup(r)
	if err != nil {
		return err
	}
	p := factPage{Frame: s.NewFrame(r, ""), Action: groupPath(check.HostSubject, id) + "/facts", Argument: q.Argument, Answer: answer, Faults: faults}
	for _, name := range check.Gatherers() {
		p.Gatherers = append(p.Gatherers, page.Option{Value: name, Label: name, Chosen: name == q.Gatherer})
	}
	p.Refused = p.WhyRefused(abilityRefreshHost)
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		h, err := tx.Host(landscape.HostID(id))
		if err != nil {
			return err
		}
		p.Host, p.Title = page.Link{Name: h.Hostname, URL: groupPath(check.HostSubject, id)}, "Facts of "+h.Hostname
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	return s.Render(w, r, status, &p)
}
