package api

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"trento/store"
	"trento/store/discovery"
	"trento/store/fault"
	"trento/store/landscape"
)

// collect answers POST /api/v1/collect, the report of an agent. Most reports
// repeat the one before. These are not even decoded.
func (a *API) collect(w http.ResponseWriter, r *http.Request) error {
	if !isJSON(r) {
		return errContentType
	}
	body := r.Body.(bodyBytes)
	if !a.deps.Store.Unchanged(body) {
		if err := a.observe(r, body); err != nil {
			return err
		}
	}
	writeJSON(w, http.StatusAccepted, []byte(`{}`)) // agents only read the status
	return nil
}

// observe applies a report to the landscape. If the report cannot be used, it
// records the reason in the status of the agent.
func (a *API) observe(r *http.Request, body bodyBytes) error {
	envelope, err := discovery.Open(body)
	if err != nil {
		return a.refuseReport(r, envelope, body, nil, err)
	}
	seen, err := discovery.Decode(envelope)
	if err != nil {
		return a.refuseReport(r, envelope, envelope.Payload, body, err)
	}
	return a.deps.Store.Observe(r.Context(), store.Report{Observation: seen, Body: body})
}

// refuseReport records in the status of the agent why a report could not be
// used, and returns err. text is the JSON that the pointers in the faults refer
// to. body is stored so that the report can be examined later; nil stores
// nothing.
func (a *API) refuseReport(r *http.Request, from discovery.Envelope, text []byte, body bodyBytes, err error) error {
	faults := fault.Of(err)
	if faults == nil {
		return err
	}
	if from.Agent == "" {
		a.unidentifiedReports.warn(a.deps.Log, a.deps.Auth.ClientAddress(r), a.deps.Store.Now(), faults)
		return err
	}
	refused := store.RefusedReport{Agent: from.Agent, Kind: landscape.Kind(from.Type), Body: body, Reason: faults.Error()}
	if !refused.Kind.Known() {
		refused.Kind = store.OtherDiscovery
		refused.Problems = append(refused.Problems, store.ReportProblem{
			Pointer: "/discovery_type", Detail: "names no discovery that is known", Read: quotedType(from.Type),
		})
	}
	for _, f := range faults {
		if refused.Kind == store.OtherDiscovery && (f.Field == "" || f.Field == "discovery_type") {
			continue // the problem above says this already
		}
		told := store.ReportProblem{Detail: "it has another shape than expected", Read: discovery.ReadAt(text, wholeRequest)}
		if f.Field != "" {
			told = store.ReportProblem{Pointer: pointerTo(f.Field), Detail: f.Detail, Read: discovery.ReadAt(text, pointerTo(f.Field))}
		}
		refused.Problems = append(refused.Problems, told)
	}
	if err := a.deps.Store.RefuseReport(r.Context(), refused); err != nil {
		return err
	}
	return err
}

// quotedType quotes the type of a discovery, unless it is empty.
func quotedType(name string) string {
	if name == "" {
		return ""
	}
	return strconv.Quote(name)
}

// unidentifiedReports limits how often the log warns of reports without a valid
// agent id.
type unidentifiedReports struct {
	mu       sync.Mutex
	warnedAt time.Time
	count    int // reports since the last warning
}

// unidentifiedWarningInterval is the shortest time between two such warnings.
const unidentifiedWarningInterval = time.Minute

// warn logs a report without a valid agent id, with the number of such reports
// since the last warning. It logs nothing if the last warning was less than
// unidentifiedWarningInterval ago.
func (u *unidentifiedReports) warn(log *slog.Logger, from netip.Addr, now time.Time, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count++; now.Sub(u.warnedAt) < unidentifiedWarningInterval {
		return
	}
	log.Warn("report without an agent was refused", "address", from, "reports", u.count, "reason", err)
	u.warnedAt, u.count = now, 0
}

// receiveHeartbeat answers POST /api/v1/hosts/{id}/heartbeat, by which an agent
// says that it is running.
func (a *API) receiveHeartbeat(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[landscape.HostID](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.Heartbeat(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
