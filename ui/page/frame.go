package page

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"trento/store"
	"trento/store/landscape"
)

// Product is what the product is called wherever a person reads it.
const Product = "Trento"

// Frame is what all pages have in common. Every page is a struct that embeds
// it; its template finds what it shows in the fields, and nothing else.
type Frame struct {
	Reader
	Product  string
	Version  string
	Title    string // of the document, without the product
	Assets   PageAssets
	Theme    string // "light", "dark" or "" for what the system says
	Density  string // "compact" or ""
	Sidebar  string // "closed" or ""
	User     *FrameUser
	Nav      []navEntry
	Banners  []Banner // what the reader should know on every page
	Searches bool     // the page has the box that searches everywhere itself
	Live     string   // what the page follows, see event.go
	Seq      uint64   // the change the page is as new as; the browser is told Cursor
	Cursor   string   // Seq, sealed for the reader
	Snapshot string   // id of what the reader is shown, see fragment.go; empty where it is not fetched again
	Refresh  int      // seconds between refreshes the reader asked for, or 0
	Flash    string   // what was done right before, see SetFlash

	Themes, Densities []Option
}

// PageAssets is what a page loads besides itself. The icon is part of the
// page: it is smaller than a request for it.
type PageAssets struct {
	Style, Script string // addresses
	Icon          template.URL
}

// PageFrame is the frame of a page that embeds it.
func (f *Frame) PageFrame() *Frame { return f }

type FrameUser struct{ Username, Email string }

// navEntry is a way to a section of the console.
type navEntry struct {
	Label, Path, Icon string
	Key               string // pressed after g
	Current           bool
	Critical          int    // things in trouble there
	Needs             string // ability to see it; empty: anybody may
}

// Navigation lists the sections there are. A section is added here on the day
// it has a page.
func Navigation() []navEntry {
	return []navEntry{
		{Label: "Dashboard", Path: "/", Icon: "dashboard", Key: "d"},
		{Label: "Hosts", Path: "/hosts", Icon: "host", Key: "h"},
		{Label: "Clusters", Path: "/clusters", Icon: "cluster", Key: "c"},
		{Label: "SAP Systems", Path: "/sap_systems", Icon: "sap-system", Key: "p"},
		{Label: "HANA Databases", Path: "/databases", Icon: "database", Key: "b"},
		{Label: "Agents", Path: "/agents", Icon: "agent", Key: "t", Needs: AbilityAPIKey},
		{Label: "Clean-up", Path: "/cleanup", Icon: "cleanup", Key: "u"},
		{Label: "Users", Path: "/users", Icon: "users", Key: "m", Needs: AbilityUsers},
		{Label: "Activity Log", Path: "/activity_log", Icon: "activity", Key: "a"},
		{Label: "Settings", Path: "/settings", Icon: "settings", Key: "s"},
		{Label: "About", Path: "/about", Icon: "about"},
	}
}

// The cookies that remember how a person likes the console. They are not
// secret, and the script writes them, too.
const (
	cookieTheme   = "trento-theme"
	cookieSidebar = "trento-sidebar"
	cookieDensity = "trento-rows"
	// cookieSize, followed by a section, remembers how long its pages are.
	cookieSize = "trento-size-"
)

// NewFrame is the frame of a page for this request, but for what needs a read
// of the store: see fill.
func (s *Console) NewFrame(r *http.Request, title string) Frame {
	f := Frame{
		Reader: NewReader(r), Product: Product, Version: s.Version, Title: title, Assets: s.pageAssets,
		Theme: cookieChoice(r, cookieTheme, "light", "dark"), Sidebar: cookieChoice(r, cookieSidebar, "closed"),
		Density: cookieChoice(r, cookieDensity, "compact"),
	}
	if f.identity == nil {
		return f
	}
	f.User = &FrameUser{Username: f.identity.User.Username, Email: f.identity.User.Email}
	f.Themes = Choices(f.Theme, "", "System", "light", "Light", "dark", "Dark")
	f.Densities = Choices(f.Density, "", "Comfortable", "compact", "Compact")
	f.Nav = slices.DeleteFunc(Navigation(), func(e navEntry) bool { return e.Needs != "" && !f.Can(e.Needs) })
	for i := range f.Nav {
		path := f.Nav[i].Path
		f.Nav[i].Current = r.URL.Path == path || path != "/" && strings.HasPrefix(r.URL.Path, path+"/") || path == "/users" && r.URL.Path == "/tokens"
	}
	return f
}

// ReadFrame adds what the frame shows of the landscape.
func (s *Console) ReadFrame(f *Frame, tx *store.Tx) error {
	v, err := s.Snapshot(tx)
	if err == nil {
		f.Seq = v.Seq
		f.CountTrouble(v)
	}
	return err
}

// CountTrouble puts the number of critical things beside their section.
func (f *Frame) CountTrouble(v *Snapshot) {
	for i := range f.Nav {
		switch e := &f.Nav[i]; e.Path {
		case "/hosts":
			e.Critical = trouble(v.Hosts, func(h *landscape.Host) landscape.Health { return h.Health })
		case "/clusters":
			e.Critical = trouble(v.Clusters, func(c *landscape.Cluster) landscape.Health { return c.Health })
		case "/databases":
			e.Critical = trouble(v.Databases, func(db *landscape.Database) landscape.Health { return db.Health })
		case "/sap_systems":
			e.Critical = trouble(v.Systems, func(s *landscape.SAPSystem) landscape.Health { return s.Health })
		}
	}
}

// cookieChoice is the value of a cookie if it is one of those that are known.
func cookieChoice(r *http.Request, name string, known ...string) string {
	if c, err := r.Cookie(name); err == nil {
		for _, value := range known {
			if c.Value == value {
				return value
			}
		}
	}
	return ""
}
