// Package ui is everything that speaks HTTP to people and agents. Its root is
// the console: server-rendered pages, each a typed struct and a template, and
// a few small scripts that keep them current. The REST interface is package
// api; both are installed here, in one router behind one chain.
package ui

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/ui/api"
)

// Options of New. All fields are needed.
type Options struct {
	Store   *store.Store
	Auth    *auth.Auth
	Search  *search.Index
	Version string // of this build
	Log     *slog.Logger
}

type server struct {
	options      Options
	api          *api.API
	templates    templates
	assets       assets
	pageAssets   pageAssets
	router       *mux.Router
	started      time.Time
	snapshots    *shownFrames
	streams      streams
	lastSnapshot atomic.Pointer[snapshot] // the last snapshot made
	answers      answers                  // to forms, kept for the redirect
	secrets      secrets                  // that are being shown
}

// New makes the handler of all there is. Streams end when the context of
// their request does, so whoever serves the handler has to end the base
// context before waiting for the connections to finish.
func New(o Options) (http.Handler, error) {
	s := &server{options: o, router: mux.NewRouter(), snapshots: newShownFrames(), started: o.Store.Now()}
	s.api = api.New(api.Deps{Store: o.Store, Auth: o.Auth, Index: o.Search, Log: o.Log, Version: o.Version})
	var err error
	if s.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	s.pageAssets = pageAssets{Style: s.assets.files[styleFile].address, Script: s.assets.files[scriptFile].address, Icon: iconURL(s.assets.icon)}
	s.install()
	rooms, err := compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r) {
			s.api.ServeHTTP(w, r)
			return
		}
		if err := api.CheckQuery(r.URL.RawQuery); err != nil {
			s.fail(w, r, err)
			return
		}
		s.router.ServeHTTP(w, r)
	}))
	if err != nil {
		return nil, err
	}
	return chain(rooms, nameRequest, s.logRequests, secureHeaders, limitBodies, o.Auth.Identify, s.refuseCrossOrigin), nil
}

// routes are the pages of the console and what each demands.
func (s *server) routes() []api.Route {
	return slices.Concat(s.tagRoutes(), s.userRoutes(), s.profileRoutes(), []api.Route{
		{Method: "GET", Path: "/session/new", Access: auth.Public, Handle: api.Uncompressed(s.newSession)},
		{Method: "POST", Path: "/session", Access: auth.Public, Handle: form(s.createSession)},
		{Method: "GET", Path: "/session/totp", Access: auth.Public, Handle: api.Uncompressed(s.code)},
		{Method: "POST", Path: "/session/totp", Access: auth.Public, Handle: form(s.code)},
		{Method: "POST", Path: "/session/end", Access: auth.Public, Handle: s.endSession},

		{Method: "GET", Path: "/", Access: auth.SignedIn, Handle: s.dashboard},
		{Method: "GET", Path: "/dashboard.csv", Access: auth.SignedIn, Handle: exported(s, &dashboardTable)},
		{Method: "GET", Path: "/search", Access: auth.SignedIn, Handle: s.search},
		{Method: "GET", Path: "/hosts", Access: auth.SignedIn, Handle: s.hosts},
		{Method: "GET", Path: "/hosts.csv", Access: auth.SignedIn, Handle: exported(s, &hostsTable)},
		{Method: "GET", Path: "/clusters", Access: auth.SignedIn, Handle: s.clusters},
		{Method: "GET", Path: "/clusters.csv", Access: auth.SignedIn, Handle: exported(s, &clustersTable)},
		{Method: "GET", Path: "/databases", Access: auth.SignedIn, Handle: s.databases},
		{Method: "GET", Path: "/databases.csv", Access: auth.SignedIn, Handle: exported(s, &databasesTable)},
		{Method: "GET", Path: "/sap_systems", Access: auth.SignedIn, Handle: s.sapSystems},
		{Method: "GET", Path: "/sap_systems.csv", Access: auth.SignedIn, Handle: exported(s, &sapSystemsTable)},
		{Method: "GET", Path: "/agents", Access: auth.Needs(abilityAPIKey), Handle: s.showAgents},
		{Method: "GET", Path: "/agents.csv", Access: auth.Needs(abilityAPIKey), Handle: s.agentsCSV},
		{Method: "GET", Path: "/cleanup", Access: auth.SignedIn, Handle: s.cleanupList},
		{Method: "GET", Path: "/cleanup.csv", Access: auth.SignedIn, Handle: exported(s, &cleanupTable)},
		{Method: "POST", Path: "/cleanup/confirm", Access: auth.SignedIn, Handle: form(s.confirmCleanup)},
		{Method: "POST", Path: "/cleanup", Access: auth.SignedIn, Handle: form(s.cleanUpAll)},
		{Method: "GET", Path: "/hosts/{id}", Access: auth.SignedIn, Handle: s.host},
		{Method: "GET", Path: "/hosts/{id}/cleanup", Access: auth.Needs("cleanup:host"), Handle: s.cleanUpHost},
		{Method: "POST", Path: "/hosts/{id}/cleanup", Access: auth.Needs("cleanup:host"), Handle: form(s.cleanUpHost)},
		{Method: "GET", Path: "/clusters/{id}", Access: auth.SignedIn, Handle: s.cluster},
		{Method: "GET", Path: "/databases/{id}", Access: auth.SignedIn, Handle: s.database},
		{Method: "GET", Path: "/databases/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:database_instance"), Handle: s.cleanUpDatabaseInstance},
		{Method: "POST", Path: "/databases/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:database_instance"), Handle: form(s.cleanUpDatabaseInstance)},
		{Method: "GET", Path: "/sap_systems/{id}", Access: auth.SignedIn, Handle: s.sapSystem},
		{Method: "GET", Path: "/sap_systems/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:application_instance"), Handle: s.cleanUpApplicationInstance},
		{Method: "POST", Path: "/sap_systems/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:application_instance"), Handle: form(s.cleanUpApplicationInstance)},
		{Method: "GET", Path: "/activity_log", Access: auth.SignedIn, Handle: s.activityLog},
		{Method: "GET", Path: "/activity_log.csv", Access: auth.SignedIn, Handle: s.exportLog(csvFormat)},
		{Method: "GET", Path: "/activity_log.jsonl", Access: auth.SignedIn, Handle: s.exportLog(linesFormat)},
		{Method: "GET", Path: "/settings", Access: auth.SignedIn, Handle: api.Uncompressed(s.settings)},
		{Method: "GET", Path: "/settings/api_key", Access: auth.Needs(abilityAPIKey), Handle: api.Uncompressed(s.newKey)},
		{Method: "POST", Path: "/settings/api_key", Access: auth.Needs(abilityAPIKey), Handle: form(s.newKey)},
		{Method: "POST", Path: "/settings/api_key/shown", Access: auth.Needs(abilityAPIKey), Handle: form(s.closeKeySecret)},
		{Method: "GET", Path: "/expiry", Access: auth.SignedIn, Handle: s.expiryWords},
		{Method: "POST", Path: "/settings/personal_access_tokens", Access: auth.Needs(abilityTokenSettings), Handle: form(s.changeTokenSettings)},
		{Method: "GET", Path: "/settings/activity_log", Access: auth.Needs(abilityActivitySettings), Handle: api.Uncompressed(s.editActivitySettings)},
		{Method: "POST", Path: "/settings/activity_log", Access: auth.Needs(abilityActivitySettings), Handle: form(s.changeActivitySettings)},
		{Method: "GET", Path: "/about", Access: auth.SignedIn, Handle: s.about},

		{Method: "GET", Path: "/events", Access: auth.SignedIn, Handle: s.events},
		{Method: "POST", Path: "/views", Access: auth.SignedIn, Handle: form(s.saveView)},
		{Method: "POST", Path: "/views/remove", Access: auth.SignedIn, Handle: form(s.removeView)},
		{Method: "POST", Path: "/notices/dismiss", Access: auth.SignedIn, Handle: form(s.dismissBanner)},
		{Method: "POST", Path: "/preferences", Access: auth.SignedIn, Handle: form(s.setPreference)},
		{Method: "GET", Path: "/static/{hash}/{file}", Access: auth.Public, Handle: s.assets.serve},
	})
}

// userRoutes are for those who manage users.
func (s *server) userRoutes() []api.Route {
	managers := auth.Needs(abilityUsers)
	return []api.Route{
		{Method: "GET", Path: "/users", Access: managers, Handle: s.users},
		{Method: "GET", Path: "/users.csv", Access: managers, Handle: s.usersCSV},
		{Method: "GET", Path: "/users/permissions", Access: managers, Handle: s.permissions},
		{Method: "GET", Path: "/users/new", Access: managers, Handle: api.Uncompressed(s.newUser)},
		{Method: "POST", Path: "/users/new", Access: managers, Handle: form(s.createUser)},
		{Method: "GET", Path: "/users/{id}/edit", Access: managers, Handle: api.Uncompressed(s.editUser)},
		{Method: "POST", Path: "/users/{id}/edit", Access: managers, Handle: form(s.changeUser)},
		{Method: "GET", Path: "/users/{id}/delete", Access: managers, Handle: s.deleteUser},
		{Method: "POST", Path: "/users/{id}/delete", Access: managers, Handle: form(s.deleteUser)},
		{Method: "POST", Path: "/users/{id}/password/shown", Access: managers, Handle: form(s.closePasswordSecret)},
		{Method: "GET", Path: "/users/{id}/sessions/end", Access: managers, Handle: s.endAllSessionsOf},
		{Method: "POST", Path: "/users/{id}/sessions/end", Access: managers, Handle: form(s.endAllSessionsOf)},
		{Method: "GET", Path: "/users/{id}/sessions/{session}/end", Access: managers, Handle: s.endSessionOf},
		{Method: "POST", Path: "/users/{id}/sessions/{session}/end", Access: managers, Handle: form(s.endSessionOf)},
		{Method: "GET", Path: "/users/{id}/tokens/log", Access: managers, Handle: s.tokenUses},
		{Method: "GET", Path: "/users/{id}/tokens/{token}/expire", Access: managers, Handle: s.expireTokenOf},
		{Method: "POST", Path: "/users/{id}/tokens/{token}/expire", Access: managers, Handle: form(s.expireTokenOf)},
		{Method: "GET", Path: "/users/{id}/tokens/{token}/delete", Access: managers, Handle: s.deleteTokenOf},
		{Method: "POST", Path: "/users/{id}/tokens/{token}/delete", Access: managers, Handle: form(s.deleteTokenOf)},
		{Method: "GET", Path: "/tokens", Access: managers, Handle: s.tokens},
		{Method: "GET", Path: "/tokens.csv", Access: managers, Handle: s.tokensCSV},
	}
}

// profileRoutes are for everybody, about themselves.
func (s *server) profileRoutes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/profile", Access: auth.SignedIn, Handle: s.profile},
		{Method: "POST", Path: "/profile", Access: auth.SignedIn, Handle: form(s.changeProfile)},
		{Method: "GET", Path: "/profile/password", Access: auth.SignedIn, Handle: api.Uncompressed(s.password)},
		{Method: "POST", Path: "/profile/password", Access: auth.SignedIn, Handle: form(s.password)},
		{Method: "GET", Path: "/profile/totp", Access: auth.SignedIn, Handle: api.Uncompressed(s.secondFactor)},
		{Method: "POST", Path: "/profile/totp", Access: auth.SignedIn, Handle: form(s.secondFactor)},
		{Method: "GET", Path: "/profile/totp/disable", Access: auth.SignedIn, Handle: s.endSecondFactor},
		{Method: "POST", Path: "/profile/totp/disable", Access: auth.SignedIn, Handle: form(s.endSecondFactor)},
		{Method: "POST", Path: "/profile/totp/cancel", Access: auth.SignedIn, Handle: form(s.giveUpSecondFactor)},
		{Method: "POST", Path: "/profile/tokens/shown", Access: auth.SignedIn, Handle: form(s.closeTokenSecret)},
		{Method: "POST", Path: "/profile/sessions/end", Access: auth.SignedIn, Handle: form(s.endOtherSessions)},
		{Method: "POST", Path: "/profile/sessions/{id}/end", Access: auth.SignedIn, Handle: form(s.endOneSession)},
		{Method: "GET", Path: "/profile/tokens/new", Access: auth.SignedIn, Handle: api.Uncompressed(s.newToken)},
		{Method: "POST", Path: "/profile/tokens/new", Access: auth.SignedIn, Handle: form(s.newToken)},
		{Method: "GET", Path: "/profile/tokens/delete", Access: auth.SignedIn, Handle: form(s.deleteTokens)},
		{Method: "POST", Path: "/profile/tokens/delete", Access: auth.SignedIn, Handle: form(s.deleteTokens)},
		{Method: "GET", Path: "/profile/tokens/log", Access: auth.SignedIn, Handle: s.tokenUses},
		{Method: "GET", Path: "/profile/tokens/{token}/edit", Access: auth.SignedIn, Handle: s.editToken},
		{Method: "POST", Path: "/profile/tokens/{token}/edit", Access: auth.SignedIn, Handle: form(s.editToken)},
		{Method: "GET", Path: "/profile/tokens/{token}/regenerate", Access: auth.SignedIn, Handle: api.Uncompressed(s.regenerateToken)},
		{Method: "POST", Path: "/profile/tokens/{token}/regenerate", Access: auth.SignedIn, Handle: form(s.regenerateToken)},
		{Method: "GET", Path: "/profile/tokens/{token}/expire", Access: auth.SignedIn, Handle: s.expireToken},
		{Method: "POST", Path: "/profile/tokens/{token}/expire", Access: auth.SignedIn, Handle: form(s.expireToken)},
	}
}

// install puts the routes into the router. What a route demands is asked
// right before it is handled, and nowhere else.
func (s *server) install() {
	routes := s.routes()
	for _, route := range slices.Concat(routes, s.answerRoutes(routes)) {
		methods := []string{route.Method}
		if route.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		s.router.Path(route.Path).Methods(methods...).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err := s.options.Auth.Permit(r, route.Access, route.Tokens, "")
			if errors.Is(err, auth.ErrForbidden) && route.Access != auth.SignedIn {
				err = &refusal{ability: route.Access.String(), action: "To do that"}
			}
			if err == nil && r.Method == http.MethodPost {
				var done func()
				done, err = s.api.ReceiveForm(w, r)
				defer done()
			}
			if err == nil && asksForAnswer(r) {
				err = s.showAnswer(w, r)
			} else if err == nil {
				err = route.Handle(w, r)
			}
			if err != nil {
				s.fail(w, r, err)
			}
		})
	}
	s.router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, errNoRoute)
	})
	s.router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(s.allowed(r), ", "))
		s.fail(w, r, errMethod)
	})
}

// answerRoutes are the addresses at which the answers to forms are shown where
// the form's address has no page of its own. Without an answer they lead to
// the page above.
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
		added = append(added, api.Route{Method: http.MethodGet, Path: route.Path, Access: route.Access, Handle: func(w http.ResponseWriter, r *http.Request) error {
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

// form reads the form of a console request before it is handled.
func form(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: %w", errForm, err)
		}
		for name, values := range r.PostForm {
			if !utf8.ValidString(name + strings.Join(values, "")) {
				return fmt.Errorf("%w: invalid UTF-8", errForm)
			}
		}
		return handle(w, r)
	}
}

// allowed are the methods an address knows; the router does not tell.
func (s *server) allowed(r *http.Request) []string {
	var methods []string
	for _, method := range []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"} {
		asked := r.Clone(r.Context())
		asked.Method = method
		var match mux.RouteMatch
		if s.router.Match(asked, &match) && match.MatchErr == nil {
			methods = append(methods, method)
		}
	}
	return methods
}

// timestamp is a time as a page made now shows it.
func (s *server) timestamp(t time.Time) Timestamp {
	return Timestamp{at: t, now: s.options.Store.Now()}
}

// timestampOf is the timestamp of a time; none where that is nil.
func (s *server) timestampOf(t *time.Time) Timestamp {
	if t == nil {
		return Timestamp{}
	}
	return s.timestamp(*t)
}
