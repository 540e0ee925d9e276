package ui

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/account"
	activitypages "trento/ui/activity"
	landscapepages "trento/ui/landscape"
	"trento/ui/page"
)

// paletteOptions are the options that the palette shows for a text.
type paletteOptions struct{ Groups []paletteGroup }

// paletteGroup has the options of one kind, under a label.
type paletteGroup struct {
	ID, Label string
	Options   []paletteOption
	distance  int // of the best option
}

// paletteOption is a link or, if it has no URL, a button of a form or dialog
// that is on every page.
type paletteOption struct {
	ID      string // of the element
	Name    string
	URL     string
	Icon    string
	Health  *page.HealthMark // instead of the icon
	Details string

	Form, Field, Value string // form of the button, with its field and value
	Dialog             string // id of the dialog that the button opens
}

const (
	// maxPaletteThings is the number of things of a kind that the palette shows.
	// The list or the page of the search has all of them.
	maxPaletteThings = 5
	// maxPaletteOptions limits the options of other groups.
	maxPaletteOptions = 6
	// maxRecentThings limits the things that a browser can ask for as recent.
	maxRecentThings = 8
)

// showPalette answers GET /palette?q=words: the options for what somebody has
// typed. The script fetches them. Without words, they are the things with the
// addresses in the parameters recent, the usual commands, and all pages.
func (s *server) showPalette(w http.ResponseWriter, r *http.Request) error {
	if !s.paletteRate.permits(auth.From(r.Context()).User.ID) {
		return errPaletteTooOften
	}
	reader := s.NewFrame(r, "").Reader
	text := firstBytes(strings.TrimSpace(r.URL.Query().Get("q")), maxSearchLength)
	var groups []paletteGroup
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		if text == "" {
			groups = s.offer(v, reader, r.URL.Query()["recent"])
			return nil
		}
		groups, err = s.answerPalette(tx, v, reader, text)
		return err
	})
	if err != nil {
		return err
	}
	nameOptions(groups)
	var body bytes.Buffer
	if err := s.Templates[(*searchPage)(nil).Template()].ExecuteTemplate(&body, "palette", paletteOptions{groups}); err != nil {
		return fmt.Errorf("palette: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(body.Bytes())
	return page.IgnoreGone(err)
}

// nameOptions numbers the options, so that each has an id.
func nameOptions(groups []paletteGroup) {
	n := 0
	for _, g := range groups {
		for i := range g.Options {
			n++
			g.Options[i].ID = fmt.Sprintf("palette-option-%d", n)
		}
	}
}

// offer returns what the palette shows before anything is typed.
func (s *server) offer(v *page.Snapshot, reader page.Reader, recent []string) (groups []paletteGroup) {
	add := func(id, label string, options []paletteOption) {
		if len(options) > 0 {
			groups = append(groups, paletteGroup{ID: id, Label: label, Options: options})
		}
	}
	add("recent", "Opened last", s.recentThings(v, recent))
	var pages, commands []paletteOption
	for _, c := range s.permittedCommands(reader) {
		switch {
		case c.isRare:
		case c.isPage:
			pages = append(pages, c.paletteOption)
		default:
			commands = append(commands, c.paletteOption)
		}
	}
	add("commands", "Commands", commands)
	add("pages", "Pages", pages)
	return groups
}

// recentThings returns the things with the given addresses. It leaves out what
// is gone by now.
func (s *server) recentThings(v *page.Snapshot, addresses []string) (options []paletteOption) {
	for _, address := range addresses[:min(len(addresses), maxRecentThings)] {
		row := cmp.Or(hostFinder.rowAt(s, v, address), clusterFinder.rowAt(s, v, address), sapSystemFinder.rowAt(s, v, address), databaseFinder.rowAt(s, v, address))
		if row != nil {
			options = append(options, row.option())
		}
	}
	return options
}

// rowAt returns the thing with an address in the console; nil if there is none.
func (f finder[T]) rowAt(s *server, v *page.Snapshot, address string) *foundRow {
	id, ok := strings.CutPrefix(address, f.table.Path+"/")
	if !ok {
		return nil
	}
	all := f.table.List(v)
	i := slices.IndexFunc(all, func(thing T) bool { return f.table.ID(thing) == id })
	if i < 0 {
		return nil
	}
	row := f.row(s, all[i])
	return &row
}

func (row foundRow) option() paletteOption {
	const maxDetails = 3
	details := row.Details[:min(len(row.Details), maxDetails)]
	return paletteOption{Name: row.Name.Name, URL: row.Name.URL, Health: row.Health, Details: strings.Join(details, " · ")}
}

// answerPalette returns what the palette shows for a text: the groups with the
// best names first, and the ways to search elsewhere last.
func (s *server) answerPalette(tx *store.Tx, v *page.Snapshot, reader page.Reader, text string) ([]paletteGroup, error) {
	found, err := s.findThings(tx, v, text, reader.Can(page.AbilityUsers), maxPaletteThings)
	if err != nil {
		return nil, err
	}
	var groups []paletteGroup
	for _, g := range found {
		group := paletteGroup{ID: g.ID, Label: g.Label, distance: g.distance}
		for _, row := range g.Rows {
			option := row.option()
			if option.Health == nil {
				option.Icon = g.Icon
			}
			group.Options = append(group.Options, option)
		}
		if g.Count > len(g.Rows) {
			group.Options = append(group.Options, paletteOption{Name: fmt.Sprintf("Show all %d", g.Count), URL: g.URL, Icon: g.Icon})
		}
		groups = append(groups, group)
	}
	words := parseSearch(text)
	groups = slices.Concat(groups, s.findCommands(reader, words), thingCommands(v, reader, words))
	slices.SortStableFunc(groups, func(a, b paletteGroup) int { return cmp.Compare(a.distance, b.distance) })
	return append(groups, paletteGroup{ID: "elsewhere", Label: "Search", Options: []paletteOption{
		{Name: "Search everywhere for “" + text + "”", URL: page.WithQuery("/search", url.Values{"q": {text}}), Icon: "search"},
		{Name: "Look for “" + text + "” in the activity log", URL: page.WithQuery("/activity_log", url.Values{"search": {text}, "severity": activitypages.SeverityNames()}), Icon: "activity"},
	}}), nil
}

// paletteCommand is something that a reader can open or do from the palette. It leads
// to a page, or is a button that every page has: nothing is changed that the
// console would not ask about elsewhere.
type paletteCommand struct {
	paletteOption
	words           string // what people may call it, in lower case
	requiredAbility string // ability that the page demands; "": none
	isPage          bool
	isRare          bool // it is shown only if it is searched for
}

// permittedCommands returns the commands that a reader may use.
func (s *server) permittedCommands(reader page.Reader) []paletteCommand {
	return slices.DeleteFunc(s.allCommands(), func(c paletteCommand) bool { return c.requiredAbility != "" && !reader.Can(c.requiredAbility) })
}

// allCommands returns the commands of this installation.
func (s *server) allCommands() []paletteCommand {
	var all []paletteCommand
	for _, e := range page.Navigation() {
		all = append(all, paletteCommand{paletteOption: paletteOption{Name: e.Label, URL: e.Path, Icon: e.Icon}, requiredAbility: e.Needs, isPage: true})
	}
	for _, x := range account.Subjects() {
		all = append(all, paletteCommand{paletteOption: paletteOption{Name: x.Label, URL: x.URL, Icon: x.Icon, Details: "Settings"}, words: "settings " + x.Words, requiredAbility: x.Needs, isPage: true, isRare: true})
	}
	all = append(all, otherPages()...)
	if s.Auth.Provider() == nil {
		all = append(all, paletteCommand{paletteOption: paletteOption{Name: "Create a user", URL: "/users/new", Icon: "plus"}, words: "new add account person", requiredAbility: page.AbilityUsers})
	}
	return append(all, otherCommands()...)
}

// otherPages returns the pages that the navigation does not have.
func otherPages() []paletteCommand {
	return []paletteCommand{
		{paletteOption: paletteOption{Name: "Alerts", URL: "/alerts", Icon: "bell"}, words: "mail e-mail notification sent", isPage: true},
		{paletteOption: paletteOption{Name: "Tokens of all users", URL: "/tokens", Icon: "key"}, words: "personal access pat", requiredAbility: page.AbilityUsers, isPage: true, isRare: true},
		{paletteOption: paletteOption{Name: "Profile", URL: "/profile", Icon: "user"}, words: "my account password second factor totp tokens sessions time zone", isPage: true},
		{paletteOption: paletteOption{Name: "Map of hosts", URL: "/map", Icon: "host"}, words: "sites providers regions zones", isPage: true, isRare: true},
		{paletteOption: paletteOption{Name: "Show on a wall", URL: "/wall", Icon: "dashboard"}, words: "screen display full monitor tv", isPage: true, isRare: true},
		{paletteOption: paletteOption{Name: "API documentation", URL: "/api/doc", Icon: "about"}, words: "openapi rest swagger", isPage: true, isRare: true},
	}
}

// otherCommands returns the commands that do not depend on the installation.
func otherCommands() []paletteCommand {
	all := []paletteCommand{
		{paletteOption: paletteOption{Name: "Connect an agent", URL: "/agents/connect", Icon: "agent"}, words: "add new host install"},
		{paletteOption: paletteOption{Name: "Create a personal access token", URL: "/profile/tokens/new", Icon: "key"}, words: "new pat api"},
	}
	for _, export := range []struct{ name, url, words, needs string }{
		{"hosts", "/hosts.csv", "", ""},
		{"clusters", "/clusters.csv", "", ""},
		{"SAP systems", "/sap_systems.csv", "", ""},
		{"HANA databases", "/databases.csv", "", ""},
		{"health of all SAP systems", "/dashboard.csv", "dashboard", ""},
		{"activity log", "/activity_log.csv", "events", ""},
		{"users", "/users.csv", "accounts", page.AbilityUsers},
		{"agents", "/agents.csv", "", page.AbilityAPIKey},
	} {
		all = append(all, paletteCommand{
			paletteOption: paletteOption{Name: "Export " + export.name + " as CSV", URL: export.url, Icon: "download"},
			words:         "download list table excel " + export.words, requiredAbility: export.needs, isRare: true,
		})
	}
	const look = "look appearance mode colour color"
	for _, theme := range []struct{ name, value string }{{"light", "light"}, {"dark", "dark"}, {"system’s", ""}} {
		all = append(all, paletteCommand{paletteOption: paletteOption{Name: "Use the " + theme.name + " theme", Icon: "settings", Form: "preferences", Field: "theme", Value: theme.value}, words: look, isRare: true})
	}
	return append(all,
		paletteCommand{paletteOption: paletteOption{Name: "Use comfortable rows", Icon: "settings", Form: "preferences", Field: "rows"}, words: look + " density", isRare: true},
		paletteCommand{paletteOption: paletteOption{Name: "Use compact rows", Icon: "settings", Form: "preferences", Field: "rows", Value: "compact"}, words: look + " density", isRare: true},
		paletteCommand{paletteOption: paletteOption{Name: "Keyboard shortcuts", Icon: "keyboard", Dialog: "keys"}, words: "help keys"},
		paletteCommand{paletteOption: paletteOption{Name: "Sign out", Icon: "exit", Form: "sign-out"}, words: "log out logout leave end session"},
	)
}

// findCommands returns the pages and commands that contain all words, the best
// names first.
func (s *server) findCommands(reader page.Reader, words searchWords) []paletteGroup {
	pages, commands := paletteGroup{ID: "pages", Label: "Pages", distance: elsewhere}, paletteGroup{ID: "commands", Label: "Commands", distance: elsewhere}
	typed := strings.Join(words, " ")
	for distance := sameName; distance <= elsewhere; distance++ {
		for _, c := range s.permittedCommands(reader) {
			if nameDistance(c.Name, typed) != distance || !containsWords(strings.ToLower(c.Name)+" "+c.words, words) {
				continue
			}
			g := &commands
			if c.isPage {
				g = &pages
			}
			if len(g.Options) < maxPaletteOptions {
				g.Options = append(g.Options, c.paletteOption)
				g.distance = min(g.distance, distance)
			}
		}
	}
	return slices.DeleteFunc([]paletteGroup{pages, commands}, func(g paletteGroup) bool { return len(g.Options) == 0 })
}

// containsWords reports whether each word begins a word of a text.
func containsWords(text string, words searchWords) bool {
	text = " " + strings.ReplaceAll(text, "-", " ")
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, " "+word) })
}

// thingCommand is a command about one thing.
type thingCommand struct {
	words           string // what people may call it, in lower case
	requiredAbility string
	make            func(row paletteOption) paletteOption
}

// thingCommands returns the commands about things that the words name: "clean up
// hana01", "hana01 tag", or hana01 alone.
func thingCommands(v *page.Snapshot, reader page.Reader, words searchWords) []paletteGroup {
	clean := thingCommand{"clean up cleanup remove delete deregister", "cleanup:host", func(o paletteOption) paletteOption {
		return paletteOption{Name: "Clean up host " + o.Name, URL: o.URL + "/cleanup", Icon: "cleanup"}
	}}
	options := slices.Concat(
		commandsAbout(hostFinder, v, reader, words, clean, (*landscapepages.HostItem).CanBeCleanedUp),
		tagCommands(hostFinder, v, reader, words, page.HostTags),
		tagCommands(sapSystemFinder, v, reader, words, page.SAPSystemTags),
		tagCommands(databaseFinder, v, reader, words, page.DatabaseTags),
		tagCommands(clusterFinder, v, reader, words, page.ClusterTags),
	)
	if len(options) == 0 {
		return nil
	}
	return []paletteGroup{{ID: "actions", Label: "Actions", Options: options[:min(len(options), maxPaletteOptions)], distance: nameBegins}}
}

// tagCommands returns the commands that add a tag to a thing: they open the
// field for it on the page of the thing.
func tagCommands[T any](f finder[T], v *page.Snapshot, reader page.Reader, words searchWords, kind page.Taggable) []paletteOption {
	tag := thingCommand{"add new tag label", kind.Ability, func(o paletteOption) paletteOption {
		id := strings.TrimPrefix(o.URL, kind.Path+"/")
		return paletteOption{Name: "Add a tag to " + kind.Noun + " " + o.Name, URL: o.URL + "#tags-" + id + "-new", Icon: "plus"}
	}}
	return commandsAbout(f, v, reader, words, tag, func(T) bool { return true })
}

// commandsAbout returns a command for the things that the words name. Words that
// name the command itself do not count. If all of them name things, only those
// whose name begins with the first get the command.
func commandsAbout[T any](f finder[T], v *page.Snapshot, reader page.Reader, words searchWords, c thingCommand, applies func(T) bool) (options []paletteOption) {
	const maxThings, minLength = 2, 2
	if !reader.Can(c.requiredAbility) {
		return nil
	}
	names := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return containsWords(c.words, searchWords{word}) })
	if len(names) == 0 || len(names[0]) < minLength {
		return nil
	}
	limit := nameBegins
	if len(names) < len(words) {
		limit = nameContains
	}
	for _, h := range f.hits(v, names) {
		if h.distance > limit || len(options) == maxThings {
			break
		}
		if applies(h.thing) {
			link := f.name(h.thing)
			options = append(options, c.make(paletteOption{Name: link.Name, URL: link.URL}))
		}
	}
	return options
}

// paletteRate limits how often each user can ask for the options of the palette.
// That is more often than people type.
type paletteRate struct {
	mu     sync.Mutex
	byUser map[int64]*rate.Limiter
}

const (
	palettePerSecond = 20
	paletteBurst     = 60
	// maxPaletteUsers limits the users whose rate is known. If there are more, all
	// begin anew.
	maxPaletteUsers = 10_000
)

var errPaletteTooOften = &fault.Error{Kind: fault.TooOften, Detail: "The palette was asked too often. Try again in a few seconds."}

// permits reports whether a user may ask now, and counts the request.
func (p *paletteRate) permits(user int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byUser == nil || len(p.byUser) >= maxPaletteUsers && p.byUser[user] == nil {
		p.byUser = make(map[int64]*rate.Limiter)
	}
	if p.byUser[user] == nil {
		p.byUser[user] = rate.NewLimiter(palettePerSecond, paletteBurst)
	}
	return p.byUser[user].Allow()
}
