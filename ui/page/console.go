// package page is what all pages of the console are made with: the frame, the
// templates, styles and scripts, the snapshot of the landscape, and the small
// things that pages are made of. It uses nothing of the other rooms.
//
// # Asking first
//
// What takes something away is asked before it is done, as a confirmation over
// the page it is about: a dialog with its own address, which names what ends
// and carries a fingerprint of it, so that what is confirmed is what was shown.
// A form whose change needs asking comes back with everything that was typed
// and the question above it. The permission picker shows the difference while
// somebody chooses, and says so in the form (reviewed); without scripts the
// question is the place where it is seen. What is shown once (a token, a key)
// is marked data-dirty, which live updates leave alone.
//
// # Style and script
//
// Style and script are written in parts and joined at the start (bundle.go),
// compressed then, and served under an address that names their content. A part
// may use little of the language of modules; what is not expected stops the
// start. So there is no bundler: esbuild as a library does the same in 10 ms,
// with 10 MB of program for 2,000 lines of script that import each other by
// name.
package page

import (
	"embed"
	"log/slog"
	"net/http"
	"sync/atomic"

	"trento/auth"
	"trento/search"
	"trento/store"
)

//go:embed *.html *.css icon.svg
var files embed.FS

//go:embed script
var scripts embed.FS

// Options of New. All fields are needed.
type Options struct {
	Store   *store.Store
	Auth    *auth.Auth
	Search  *search.Index
	Version string // of this build
	Log     *slog.Logger
}

// Console is what all pages are made with.
type Console struct {
	Options
	Templates    Templates
	Assets       Assets
	pageAssets   PageAssets
	snapshots    *shownFrames
	lastSnapshot atomic.Pointer[Snapshot] // the last snapshot made
	Answers      answers                  // to forms, kept for the redirect
	// FindBanners finds what the reader of a request should know.
	FindBanners func(*http.Request) ([]Banner, error)
}

// New reads the templates, styles and scripts of the rooms, and fails where one
// is missing or not used.
func New(o Options, rooms ...Room) (*Console, error) {
	s := &Console{Options: o, snapshots: NewShownFrames()}
	files, err := FilesOf(rooms)
	if err != nil {
		return nil, err
	}
	if s.Templates, err = parseTemplates(rooms, files); err != nil {
		return nil, err
	}
	if s.Assets, err = LoadAssets(files); err != nil {
		return nil, err
	}
	s.pageAssets = PageAssets{Style: s.Assets.Files[StyleFile].Address, Script: s.Assets.Files[ScriptFile].Address, Icon: iconURL(s.Assets.Icon)}
	return s, nil
}
