package page

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
)

// Page is a struct that embeds Frame.
type Page interface {
	PageFrame() *Frame
	// Template is the name of the file that draws the page, without its suffix.
	Template() string
}

// iconURL is a picture as an address that holds all of it. It is a file of
// ours, escaped as a whole, so there is nothing in it that a template would
// have to keep apart.
func iconURL(svg []byte) template.URL {
	return template.URL("data:image/svg+xml," + url.PathEscape(strings.TrimSpace(string(svg))))
}

// Render writes a page or, where it answers a form, keeps it and redirects to
// it. It is made in memory first, so that a fault of a template is an error and
// not half a page, and so that nothing is read from the store while a slow
// client takes its time.
func (s *Console) Render(w http.ResponseWriter, r *http.Request, status int, p Page) error {
	if s.redirectToAnswer(w, r, status, p) {
		return nil
	}
	return s.Write(w, r, status, p)
}

// Write writes a page.
func (s *Console) Write(w http.ResponseWriter, r *http.Request, status int, p Page) error {
	f := p.PageFrame()
	w.Header().Add("Vary", FragmentHeader)
	block, shown := fragmentOf(r)
	if block != "frame" || f.User == nil {
		block, shown = "layout", ""
		f.Flash = takeFlash(w, r)
	}
	if f.User != nil {
		f.Cursor = s.Auth.SealCursor(auth.From(r.Context()).User, f.Seq)
		var err error
		if f.Banners, err = s.FindBanners(r); err != nil {
			return err
		}
		if f.Live != "" || f.Refresh > 0 {
			f.Snapshot = newSnapshotID()
		}
	}
	var body bytes.Buffer
	if err := s.Templates[p.Template()].ExecuteTemplate(&body, block, p); err != nil {
		return fmt.Errorf("page %s: %w", p.Template(), err)
	}
	text := body.Bytes()
	if f.Snapshot != "" {
		user := auth.From(r.Context()).User.ID
		pieces := s.snapshots.Pieces(text)
		s.snapshots.Keep(f.Snapshot, user, pieces)
		text = without(text, pieces, s.snapshots.known(shown, user))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(text)
	return IgnoreGone(err)
}
