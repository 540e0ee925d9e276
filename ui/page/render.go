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
	// Template returns the name of the template file, without its suffix.
	Template() string
}

// iconURL returns a picture as a data: address. The picture is a file of ours
// and escaped as a whole, so the conversion is safe.
func iconURL(svg []byte) template.URL {
	return template.URL("data:image/svg+xml," + url.PathEscape(strings.TrimSpace(string(svg))))
}

// Render writes a page or, if it answers a form, keeps it and redirects to it.
// The page is built in memory first. So a fault of a template is an error
// instead of half a page, and no transaction is open while a slow client reads.
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
	block, shown := requestedFragment(r)
	switch {
	case block == "frame" && f.Wall:
		block = "wall-frame"
	case block != "frame" || f.User == nil:
		block, shown = "layout", ""
		f.Flash = takeFlash(w, r)
	}
	f.Banners = s.failureBanners()
	if f.User != nil && !f.Wall {
		f.Cursor = s.Auth.SealCursor(auth.From(r.Context()).User, f.Seq)
		banners, err := s.FindBanners(r.Context(), f.Reader)
		if err != nil {
			return err
		}
		f.Banners = append(f.Banners, banners...)
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
		pieces := s.recentFrames.Pieces(text)
		s.recentFrames.Keep(f.Snapshot, user, pieces)
		text = removePieces(text, pieces, s.recentFrames.knownPieces(shown, user))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(text)
	return IgnoreGone(err)
}

// Document returns a page as a file that people keep. It needs no other file.
func (s *Console) Document(p Page) ([]byte, error) {
	var body bytes.Buffer
	if err := s.Templates[p.Template()].ExecuteTemplate(&body, "document", p); err != nil {
		return nil, fmt.Errorf("document %s: %w", p.Template(), err)
	}
	return body.Bytes(), nil
}
