package page

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"trento/store"
	"trento/store/landscape"
)

// Product is the name of the product in texts for people.
const Product = "Trento"

// Frame has what all pages have in common. Every page is a struct that embeds
// it. Its template uses the fields of the struct and nothing else.
type Frame struct {
	Reader
	Product  string
	Version  string
	Title    string // title of the document, without the product
	Assets   PageAssets
	Theme    string // "light", "dark" or "" for the preference of the system
	Density  string // "compact" or ""
	Sidebar  string // "closed" or ""
	User     *FrameUser
	Nav      []navEntry
	Banners  []Banner // messages on every page
	Demo     bool     // all data are invented
	Searches bool     // the page has its own search box for everything
	Wall     bool     // the page is for a screen on a wall: it has no navigation
	Clock    string   // with Wall: the time of the day
	Live     string   // kinds and ids of the changes after which the script fetches the page again, see event.go
	Seq      uint64   // the last change that the page includes; the browser gets Cursor instead
	Cursor   string   // Seq, encrypted so that only this reader can send it back
	Snapshot string   // id of the snapshot, see fragment.go; empty if the page is not refreshed
	Refresh  int      // seconds between refreshes that the reader has chosen, or 0
	Flash    string   // message about what was just done, see SetFlash

	Themes, Densities []Option
}

// PageAssets are the files that a page loads. The icon is part of the page,
// because it is smaller than a request.
type PageAssets struct {
	Style, Script string // addresses
	Icon          template.URL
}

// PageFrame is the frame of a page that embeds it.
func (f *Frame) PageFrame() *Frame { return f }

type FrameUser struct{ Username, Email string }

// navEntry is a section of the console in the navigation.
type navEntry struct {
	Label, Path, Icon string
	Key               string // key that opens the section, pressed after the key g
	Current           bool
	Critical          int    // number of critical things
	Needs             string // ability to see it; empty: everybody
}

// Navigation returns the sections. A section is added here when it gets a page.
func Navigation() []navEntry {
	return []navEntry{
		{Label: "Dashboard", Path: "/", Icon: "dashboard", Key: "d"},
		{Label: "Hosts", Path: "/hosts", Icon: "host", Key: "h"},
		{Label: "Clusters", Path: "/clusters", Icon: "cluster", Key: "c"},
		{Label: "SAP Systems", Path: "/sap_systems", Icon: "sap-system", Key: "p"},
		{Label: "HANA Databases", Path: "/databases", Icon: "database", Key: "b"},
		{Label: "Checks Catalog", Path: "/catalog", Icon: "check", Key: "k"},
		{Label: "Agents", Path: "/agents", Icon: "agent", Key: "t", Needs: AbilityAPIKey},
		{Label: "Availability", Path: "/availability", Icon: "clock", Key: "v"},
		{Label: "Clean-up", Path: "/cleanup", Icon: "cleanup", Key: "u"},
		{Label: "Users", Path: "/users", Icon: "users", Key: "m", Needs: AbilityUsers},
		{Label: "Activity Log", Path: "/activity_log", Icon: "activity", Key: "a"},
		{Label: "Settings", Path: "/settings", Icon: "settings", Key: "s"},
		{Label: "About", Path: "/about", Icon: "about"},
	}
}

// The cookies for preferences of a reader. They are not secret. The script
// writes them as well.
const (
	cookieTheme   = "trento-theme"
	cookieSidebar = "trento-sidebar"
	cookieDensity = "trento-rows"
	// cookiePageSize, followed by a section, is the cookie with the page size of
	// the section.
	cookiePageSize = "trento-size-"
	// cookieColumns, followed by a section, is the cookie with the columns of the
	// section.
	cookieColumns = "trento-columns-"
)

// NewFrame returns the frame of a page. ReadFrame adds what needs the store.
func (s *Console) NewFrame(r *http.Request, title string) Frame {
	f := Frame{
		Reader: s.newReader(r), Product: Product, Version: s.Version, Title: title, Assets: s.pageAssets, Demo: s.Demo,
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
		f.Nav[i].Current = r.URL.Path == path || path != "/" && strings.HasPrefix(r.URL.Path, path+"/") || path == "/" && r.URL.Path == "/map" || path == "/users" && r.URL.Path == "/tokens" || path == "/activity_log" && r.URL.Path == "/alerts"
	}
	return f
}

// ReadFrame adds what the frame shows of the store.
func (s *Console) ReadFrame(f *Frame, tx *store.Tx) error {
	v, err := s.Snapshot(tx)
	if err == nil {
		f.Seq = v.Seq
		f.CountCritical(v)
	}
	return err
}

// CountCritical sets the number of critical things for each section of the
// navigation.
func (f *Frame) CountCritical(v *Snapshot) {
	for i := range f.Nav {
		switch e := &f.Nav[i]; e.Path {
		case "/hosts":
			e.Critical = countCritical(v.Hosts, func(h *landscape.Host) landscape.Health { return h.Health })
		case "/clusters":
			e.Critical = countCritical(v.Clusters, func(c *landscape.Cluster) landscape.Health { return c.Health })
		case "/databases":
			e.Critical = countCritical(v.Databases, func(db *landscape.Database) landscape.Health { return db.Health })
		case "/sap_systems":
			e.Critical = countCritical(v.Systems, func(s *landscape.SAPSystem) landscape.Health { return s.Health })
		}
	}
}

// cookieChoice returns the value of a cookie if it is one of the known ones;
// else "".
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
