// Package ui answers all HTTP requests, of people and agents. The package
// itself is the console: server-rendered pages, each a typed struct and a
// template, and a few small scripts that refresh them. The REST interface is
// package api. Both are installed here, in one router inside one chain of
// middlewares.
package ui

import (
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/store"
	"trento/ui/account"
	activitypages "trento/ui/activity"
	"trento/ui/api"
	landscapepages "trento/ui/landscape"
	"trento/ui/metrics"
	"trento/ui/page"
	"trento/ui/stream"
	"trento/ui/table"
)

// Options are the settings of the console, and what it works with.
type Options = page.Options

type server struct {
	*page.Console
	landscape   *landscapepages.Pages
	activity    *activitypages.Pages
	account     *account.Pages
	api         *api.API
	router      *mux.Router
	startedAt   time.Time
	streamLimit *stream.Limit

	paletteRate paletteRate
}

// New returns the handler of all requests. An event stream ends with the
// context of its request, so a server that stops must end the base context
// before it waits for connections.
func New(o Options) (http.Handler, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.handler()
}

func newServer(o Options) (*server, error) {
	r, err := loadResources()
	if err != nil {
		return nil, err
	}
	c := page.New(o, r)
	activity, account := activitypages.New(c), account.New(c)
	deps := api.Deps{Store: o.Store, Auth: o.Auth, Index: o.Search, Log: o.Log, Version: o.Version, DocumentedURL: o.DocumentedURL, Refresher: c.Refresher, Endpoint: o.Endpoint, Backup: o.Backup, Doctor: o.Doctor, Metrics: o.Metrics.Handler(), Alerting: o.Alerting, Forwarding: o.Forwarding, Webhooks: o.Webhooks, Executions: c.Executions}
	if o.Certificate != nil {
		deps.CertificateFaults = func() []string { return o.Certificate().Faults }
	}
	streams := new(stream.Limit)
	deps.Streams = streams
	landscapepages.Lists(c, &deps.Lists)
	account.Lists(&deps.Lists)
	var s *server
	deps.Find = func(tx *store.Tx, words string, users bool) ([]api.FoundThing, error) {
		return s.find(tx, words, users)
	}
	s = &server{
		Console: c, landscape: landscapepages.New(c, activity), activity: activity, account: account,
		api:    api.New(deps),
		router: mux.NewRouter(), startedAt: o.Store.Now(), streamLimit: streams,
	}
	s.watchState()
	s.installRoutes()
	return s, s.checkCallback()
}

// watchState lets the metrics show the state of this server.
func (s *server) watchState() {
	sources := metrics.Sources{Store: s.Store, Index: s.Search, Log: s.Log, Endpoint: s.Endpoint, BodyBytes: s.api.BodyBytes}
	if s.Certificate != nil {
		sources.CertificateEnd = func() time.Time { return s.Certificate().NotAfter }
	}
	s.Metrics.Watch(sources)
}

// checkCallback fails if the configured path to which an identity provider
// sends browsers back is used by another route.
func (s *server) checkCallback() error {
	path := s.account.CallbackPath()
	if path == "" {
		return nil
	}
	owners := 0
	for _, route := range s.routes() {
		if route.Path == path {
			owners++
		}
	}
	var match mux.RouteMatch
	asked := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}
	if s.router.Match(asked, &match) && owners == 1 && !isAPI(asked) && !strings.ContainsAny(path, "{}") {
		if template, err := match.Route.GetPathTemplate(); err == nil && template == path {
			return nil
		}
	}
	return fmt.Errorf("the path %s of the callback address is one of this server's own: choose another one", path)
}

// handler returns the router inside its middlewares.
func (s *server) handler() (http.Handler, error) {
	var all http.Handler
	assistants := s.mcpHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { all.ServeHTTP(w, r) }))
	rooms, err := compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isMCP(r):
			assistants.ServeHTTP(w, r)
			return
		case isAPI(r):
			s.api.ServeHTTP(w, r)
			return
		}
		if err := api.CheckQuery(r.URL.RawQuery); err != nil {
			s.answerError(w, r, err)
			return
		}
		s.router.ServeHTTP(w, r)
	}))
	if err != nil {
		return nil, err
	}
	all = chain(rooms, page.NameRequests(s.Auth.IsFromTrustedProxy), s.logRequests, s.secureHeaders, limitBodies, s.offerFiles, s.inOneRead, s.Auth.Identify, s.limitTokens, s.refuseCrossOrigin)
	return all, nil
}

// routes returns the routes of the console.
func (s *server) routes() []api.Route {
	return slices.Concat(table.New(s.Console).Routes(), s.landscape.Routes(), s.activity.Routes(), s.account.Routes(), []api.Route{
		{Method: "GET", Path: "/search", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showSearch},
		{Method: "GET", Path: "/palette", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showPalette},
		{Method: "GET", Path: "/about", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showAbout},
		{Method: "POST", Path: checksPath, Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("GET /api/v1/doctor"), Handle: page.ReadForm(s.checkAgain)},
		{Method: "POST", Path: "/about/support", Access: auth.Needs(allAbilities), Tokens: auth.InPerson(), Handle: page.ReadForm(s.downloadSupportBundle)},
		{Method: "GET", Path: "/wall/events", Access: auth.OnWall, Tokens: auth.InSets("read_only"), Handle: s.streamWall},
		{Method: "GET", Path: "/events", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.streamEvents},
		{Method: "POST", Path: "/banners/dismiss", Access: auth.SignedIn, Handle: page.ReadForm(s.DismissBanner)},
		{Method: "POST", Path: "/preferences", Access: auth.SignedIn, Handle: page.ReadForm(s.SetPreference)},
		{Method: "GET", Path: "/static/{hash}/{file}", Access: auth.Public, Handle: s.Assets.Serve},
	})
}

// installRoutes adds the routes to the router. Access is checked right before a
// handler is called, and nowhere else.
func (s *server) installRoutes() {
	routes := s.routes()
	for _, route := range slices.Concat(routes, s.answerRoutes(routes)) {
		methods := []string{route.Method}
		if route.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		s.router.Path(route.Path).Methods(methods...).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			metrics.NameRoute(r, route.Path)
			err := s.Auth.Permit(r, route.Access, route.Tokens, "")
			if errors.Is(err, auth.ErrForbidden) && route.Access != auth.SignedIn {
				err = page.Missing(route.Access.String(), "To do that")
			}
			if err == nil && r.Method == http.MethodPost {
				var done func()
				done, err = s.receiveForm(w, r, route)
				defer done()
			}
			if err == nil && page.AsksForAnswer(r) {
				err = s.ShowAnswer(w, r)
			} else if err == nil {
				err = route.Handle(w, r)
			}
			if err != nil {
				s.answerError(w, r, err)
			}
		})
	}
	s.router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answerError(w, r, page.ErrNoRoute)
	})
	s.router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !api.AnswerMethods(w, r, s.router) {
			s.answerError(w, r, page.ErrMethod)
		}
	})
}

// receiveForm reads the body of a request. Messages of identity providers may
// be larger than what people type.
func (s *server) receiveForm(w http.ResponseWriter, r *http.Request, route api.Route) (done func(), err error) {
	if slices.Contains(account.SAMLInbox(), route.Path) {
		return s.api.ReceiveMessage(w, r)
	}
	return s.api.ReceiveForm(w, r)
}

// answerRoutes returns routes for the answers to forms whose address has no
// page of its own. If an answer is not kept any more, they redirect to the page
// one level up.
func (s *server) answerRoutes(routes []api.Route) (added []api.Route) {
	hasPage := func(path string) bool {
		return slices.ContainsFunc(routes, func(r api.Route) bool { return r.Method == http.MethodGet && r.Path == path })
	}
	for _, route := range routes {
		if route.Method != http.MethodPost || route.Access == auth.Public || hasPage(route.Path) {
			continue
		}
		above, levels := path.Dir(route.Path), 1
		for !hasPage(above) {
			above, levels = path.Dir(above), levels+1
		}
		added = append(added, api.Route{Method: http.MethodGet, Path: route.Path, Access: route.Access, Tokens: auth.InSets("read_only"), Handle: func(w http.ResponseWriter, r *http.Request) error {
			to := r.URL.Path
			for range levels {
				to = path.Dir(to)
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}})
	}
	return added
}

//go:embed *.html *.css
var files embed.FS

// consoleParts are the parts of the console.
var consoleParts = []page.Room{
	{Files: files, Pages: []page.Page{&searchPage{}, &aboutPage{}, &errorPage{}}},
	table.Room, landscapepages.Room, activitypages.Room, account.Room,
}

// loadResources loads the templates and assets once per process.
var loadResources = sync.OnceValues(func() (*page.Resources, error) { return page.LoadResources(consoleParts...) })
