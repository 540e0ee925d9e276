package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// showHealth answers GET /api/healthz, which tells whether the store works and,
// with TLS, whether clients accept the certificate and it will be renewed. The
// status is about the store alone: a restart does not mend a certificate.
func (a *API) showHealth(w http.ResponseWriter, _ *http.Request) error {
	answer := struct {
		Database    string `json:"database"`
		Certificate string `json:"certificate,omitempty"`
	}{Database: "pass"}
	if faults := a.deps.CertificateFaults; faults != nil {
		answer.Certificate = "pass"
		if len(faults()) > 0 {
			answer.Certificate = "fail"
		}
	}
	status := http.StatusOK
	if err := a.deps.Store.Ready(); err != nil {
		a.deps.Log.Error("the store does not answer", "id", w.Header().Get(RequestIDHeader), "error", err)
		answer.Database, status = "fail", http.StatusInternalServerError
	}
	return send(w, status, answer)
}

// failureAnswer is something that does not work, in answers of the API.
type failureAnswer struct {
	Name     string    `json:"name"`
	Since    timestamp `json:"since"`
	Critical bool      `json:"critical"`
	Text     string    `json:"text"`
	Advice   string    `json:"advice"`
}

// showReadiness answers GET /api/readyz, which tells whether the server can do
// what it is for, and what does not work.
func (a *API) showReadiness(w http.ResponseWriter, _ *http.Request) error {
	failures := a.deps.Store.Failures()
	answer := struct {
		Ready    bool            `json:"ready"`
		Failures []failureAnswer `json:"failures,omitempty"`
	}{Ready: a.deps.Store.Ready() == nil && failures.Ready()}
	for _, f := range failures.Present() {
		answer.Failures = append(answer.Failures, failureAnswer{f.Name(), timestamp(f.Since.UTC()), f.Critical(), f.Text(), f.Advice()})
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	WriteRetryAfter(w.Header(), status)
	return send(w, status, answer)
}

// metricsPath is where Prometheus expects metrics.
const metricsPath = "/metrics"

// showMetrics answers GET /metrics in the text format of Prometheus.
func (a *API) showMetrics(w http.ResponseWriter, r *http.Request) error {
	a.deps.Metrics.ServeHTTP(w, r)
	return nil
}

// slesForSAP is the product whose subscriptions are counted.
const slesForSAP = "SLES_SAP"

// showAbout answers GET /api/v1/about with the version and the number of
// subscriptions for slesForSAP. Existing clients expect the versions of programs
// that the existing server consists of, or works with. This server has none of
// them.
func (a *API) showAbout(w http.ResponseWriter, _ *http.Request) error {
	answer := struct {
		Version           string  `json:"version"`
		SLESSubscriptions int     `json:"sles_subscriptions"`
		Flavor            string  `json:"flavor"`
		WandaVersion      *string `json:"wanda_version"`
		PostgresVersion   *string `json:"postgres_version"`
		RabbitMQVersion   *string `json:"rabbitmq_version"`
		PrometheusVersion *string `json:"prometheus_version"`
	}{Version: a.deps.Version, Flavor: "Community"}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		for h, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			for _, s := range h.Subscriptions {
				if s.Identifier == slesForSAP {
					answer.SLESSubscriptions++
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// ability is an ability in answers of the API.
type ability struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Resource string `json:"resource"`
	Label    string `json:"label"`
}

// listAbilities answers GET /api/v1/abilities with all abilities.
func (a *API) listAbilities(w http.ResponseWriter, _ *http.Request) error {
	all := auth.Abilities()
	answer := make([]ability, len(all))
	for i, known := range all {
		answer[i] = ability(known)
	}
	return send(w, http.StatusOK, answer)
}
