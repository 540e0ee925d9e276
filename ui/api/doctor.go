package api

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/finding"
)

// Doctor examines this installation.
type Doctor struct {
	// Report says what is wrong. With ask, it asks others anew, such as the
	// identity provider, which can take some seconds; else it says what they
	// have answered last.
	Report func(ctx context.Context, ask bool) (*finding.Report, error)
	// WriteSupport writes a support bundle.
	WriteSupport func(ctx context.Context, w io.Writer) error
}

// examine answers GET /api/v1/doctor with what is wrong with the installation.
func (a *API) examine(w http.ResponseWriter, r *http.Request) error {
	report, err := a.deps.Doctor.Report(r.Context(), true)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, report)
}

// createSupportBundle answers POST /api/v1/support_bundles with a support bundle.
func (a *API) createSupportBundle(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	in.optionalObject()
	if err := in.fault(); err != nil {
		return err
	}
	return SendSupport(w, r, a.deps.Doctor, a.deps.Store)
}

// SendSupport answers a request with a support bundle, and logs it. A bundle
// tells much about the server, so the caller must have permitted the request to
// those with all permissions only.
func SendSupport(w http.ResponseWriter, r *http.Request, d *Doctor, s *store.Store) error {
	var bundle bytes.Buffer
	if err := d.WriteSupport(r.Context(), &bundle); err != nil {
		return err
	}
	if err := s.LogSupportBundle(r.Context(), auth.From(r.Context()).Actor(), int64(bundle.Len())); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/gzip")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "trento-support-" + s.Now().UTC().Format("20060102T150405Z") + ".tar.gz"}))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(bundle.Bytes()) // a client that has gone needs nothing
	return nil
}
