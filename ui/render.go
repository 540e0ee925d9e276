package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
)

//go:embed templates
var templateFiles embed.FS

// The templates of the pages. Each file defines "content".
const (
	pageSearch   = "search"
	pageHosts    = "hosts"
	pageHost     = "host"
	pageAgents   = "agents"
	pageCluster  = "cluster"
	pageSystem   = "system"
	pageActivity = "activity"
	pageFlow     = "activityflow"

	pageDashboard  = "dashboard"
	pageClusters   = "clusters"
	pageDatabases  = "databases"
	pageSAPSystems = "sapsystems"
	pageAttention  = "attention"
	pageAsk        = "cleanupask"
	pageTag        = "tag"

	pageUsers   = "users"
	pageUser    = "user"
	pageProfile = "profile"
	pageTokens  = "tokens"
	pageUses    = "uses"

	pageSignIn   = "signin"
	pageSettings = "settings"
	pageAbout    = "about"
	pageError    = "error"
)

// page is a struct that embeds Frame.
type page interface{ frame() *Frame }

// templates are the pages, parsed once.
type templates map[string]*template.Template

func parseTemplates() (templates, error) {
	shared, err := template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/details.html", "templates/overview.html", "templates/tags.html", "templates/views.html", "templates/activityentry.html", "templates/activitysetting.html", "templates/forms.html", "templates/picker.html", "templates/tokenparts.html", "templates/icons.html")
	if err != nil {
		return nil, err
	}
	pages := make(templates)
	for _, name := range []string{pageDashboard, pageSearch, pageHosts, pageAgents, pageClusters, pageDatabases, pageSAPSystems, pageAttention, pageAsk, pageTag, pageHost, pageCluster, pageSystem, pageActivity, pageFlow, pageUsers, pageUser, pageProfile, pageTokens, pageUses, pageSignIn, pageSettings, pageAbout, pageError} {
		t, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if pages[name], err = t.ParseFS(templateFiles, "templates/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// iconURL is a picture as an address that holds all of it. It is a file of
// ours, escaped as a whole, so there is nothing in it that a template would
// have to keep apart.
func iconURL(svg []byte) template.URL {
	return template.URL("data:image/svg+xml," + url.PathEscape(strings.TrimSpace(string(svg))))
}

// render writes a page or, where it answers a form, keeps it and redirects to
// it. It is made in memory first, so that a fault of a template is an error and
// not half a page, and so that nothing is read from the store while a slow
// client takes its time.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) error {
	if s.redirectToAnswer(w, r, status, name, p) {
		return nil
	}
	f := p.frame()
	w.Header().Add("Vary", fragmentHeader)
	block, shown := fragmentOf(r)
	if block != "frame" || f.User == nil {
		block, shown = "layout", ""
		f.News = takeFlash(w, r)
	}
	if f.User != nil {
		f.Cursor = s.options.Auth.SealCursor(auth.From(r.Context()).User, f.Seq)
		var err error
		if f.Notices, err = s.banners(r); err != nil {
			return err
		}
		if f.Live != "" || f.Refresh > 0 {
			f.Snapshot = newSnapshotID()
		}
	}
	var body bytes.Buffer
	if err := s.templates[name].ExecuteTemplate(&body, block, p); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	text := body.Bytes()
	if f.Snapshot != "" {
		user := auth.From(r.Context()).User.ID
		pieces := s.snapshots.pieces(text)
		s.snapshots.keep(f.Snapshot, user, pieces)
		text = without(text, pieces, s.snapshots.known(shown, user))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(text)
	return ignoreGone(err)
}
