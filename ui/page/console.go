// Package page has what all pages of the console use: the frame, the templates,
// styles and scripts, the snapshot of the landscape, and common parts of pages.
// It imports none of the other rooms.
//
// # Asking first
//
// A removal needs a confirmation. It is a dialog over the page, with its own
// address. The dialog lists everything that is removed. Its form has a
// fingerprint of the list, so that nothing else is removed than was shown. A
// form whose change needs a question comes back with all its input and the
// question. The permission picker shows the difference as soon as a permission
// is chosen, and notes that in the form (reviewed); without scripts the
// question shows the difference. A secret that is shown once (a token, a key)
// is marked data-dirty, so that live updates do not replace it.
//
// # Style and script
//
// Style and script are written in several files, joined and compressed at the
// start (bundle.go), and served under addresses that contain their hash. A file
// may use a small part of the module syntax; anything else stops the start. So
// no bundler is needed: esbuild as a library does the same in 10 ms, with 10 MB
// of program for 2,000 lines of script that import each other by name.
package page

import (
	"context"
	"embed"
	"log/slog"
	"sync/atomic"
	"time"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/backup"
	"trento/store/check"
	"trento/store/message"
	"trento/ui/alerting"
	"trento/ui/amqp"
	"trento/ui/api"
	"trento/ui/eventing"
	"trento/ui/execution"
	"trento/ui/forward"
	"trento/ui/metrics"
	"trento/ui/refresh"
)

//go:embed *.html *.css icon.svg
var files embed.FS

//go:embed script
var scripts embed.FS

// Options are the settings of a Console, and what it works with. All fields are
// required, unless they say something else.
type Options struct {
	Store   *store.Store
	Auth    *auth.Auth
	Search  *search.Index
	Version string // of this build
	Log     *slog.Logger
	// Certificate returns the present TLS certificate of this server; nil if it
	// has none.
	Certificate func() Certificate
	// Demo says that all data are invented, and gone when the server ends.
	Demo bool
	// Encrypted says that nobody on the network can read what is sent to this
	// server.
	Encrypted bool
	// LastBackup returns when a backup was last made on request; the zero time
	// if that is not known. nil: nobody knows.
	LastBackup func(context.Context) time.Time
	// DocumentedURL is the address of this server in the API document; "" means
	// the one at which a client asks for the document.
	DocumentedURL string
	// HSTSMaxAge is how long browsers must use https after a visit; 0: they
	// need not.
	HSTSMaxAge time.Duration
	// Messages carries messages to agents; nil if they are off.
	Messages message.Bus
	// Endpoint is Messages if it is the message endpoint of this program; nil
	// if it is a broker elsewhere.
	Endpoint *amqp.Broker
	// Backup is what backups are made of. BackupSchedule is nil if they are only
	// made on request.
	Backup         *backup.Source
	BackupSchedule *backup.Schedule
	// Doctor examines this installation.
	Doctor *api.Doctor
	// Alerting are the ways by which alerts leave.
	Alerting *alerting.Channels
	// Metrics counts requests; nil: nothing does.
	Metrics *metrics.Metrics
	// Webhooks sends tests to webhooks.
	Webhooks *eventing.Webhooks
	// MCP is what assistants are offered. The zero value is MCPOff.
	MCP MCPMode
	// Executions runs checks; nil: none can be run.
	Executions *execution.Runner
	// Forwarding returns how the forwarding of the activity log stands; nil if
	// there is none.
	Forwarding func() []forward.Status
}

// MCPMode is what assistants are offered over the Model Context Protocol.
type MCPMode string

// The modes. Which tools work is decided by the token of the assistant.
const (
	MCPOff   MCPMode = ""      // nothing
	MCPRead  MCPMode = "read"  // tools that change nothing
	MCPWrite MCPMode = "write" // also tools that change something
)

// Resources are the templates and assets of all parts of the console. They
// never change, so any number of consoles may share them.
type Resources struct {
	Templates Templates
	Assets    Assets
}

// LoadResources reads the templates, styles and scripts of the parts of the
// console. It fails if one is missing or not used.
func LoadResources(rooms ...Room) (*Resources, error) {
	files, err := FilesOf(rooms)
	if err != nil {
		return nil, err
	}
	r := new(Resources)
	if r.Templates, err = parseTemplates(rooms, files); err != nil {
		return nil, err
	}
	if r.Assets, err = LoadAssets(files); err != nil {
		return nil, err
	}
	return r, nil
}

// Console has what the pages of all parts of the console use: the store, the
// templates and assets, and common methods.
type Console struct {
	Options
	*Resources
	pageAssets   PageAssets
	recentFrames *sentFrames
	lastSnapshot atomic.Pointer[Snapshot] // the newest snapshot, shared by all readers
	Refresher    *refresh.Refresher
	Answers      keptAnswers // answers to forms, kept until the browser follows its redirect
	// FindBanners returns the banners for the reader of a page.
	FindBanners func(context.Context, Reader) ([]Banner, error)
}

// New makes a console.
func New(o Options, r *Resources) *Console {
	if o.Executions == nil {
		o.Executions = execution.New(execution.Options{Store: o.Store, Log: o.Log, Catalogue: func() *check.Catalogue { return new(check.Catalogue) }})
	}
	return &Console{
		Options: o, Resources: r, Refresher: refresh.New(o.Store, o.Messages), recentFrames: NewSentFrames(),
		pageAssets: PageAssets{Style: r.Assets.Files[StyleFile].Address, Script: r.Assets.Files[ScriptFile].Address, Icon: iconURL(r.Assets.Icon)},
	}
}
