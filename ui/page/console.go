// Package page is what all pages of the console are made with: the frame, the
// templates, styles and scripts, the snapshot of the landscape, and common
// parts of pages. It imports none of the other rooms.
//
// # Asking first
//
// A removal needs a confirmation. It is a dialog over the page, with its own
// address. It names everything that is removed, and has a fingerprint of that,
// so that exactly what was shown is confirmed. A form whose change needs a
// question comes back with all its input and the question. The permission
// picker shows the difference during the choice and notes that in the form
// (reviewed); without scripts the question shows it. A secret that is shown
// once (a token, a key) is marked data-dirty, so that live updates leave it
// alone.
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

	"trento/auth"
	"trento/search"
	"trento/store"
)

//go:embed *.html *.css icon.svg
var files embed.FS

//go:embed script
var scripts embed.FS

// Options are what New needs. All fields are required.
type Options struct {
	Store   *store.Store
	Auth    *auth.Auth
	Search  *search.Index
	Version string // of this build
	Log     *slog.Logger
}

// Resources are what the pages of all rooms are made of. They never change, so
// any number of consoles may share them.
type Resources struct {
	Templates Templates
	Assets    Assets
}

// LoadResources reads the templates, styles and scripts of the rooms. It fails
// if one is missing or not used.
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

// Console is what all pages are made with.
type Console struct {
	Options
	*Resources
	pageAssets   PageAssets
	snapshots    *shownFrames
	lastSnapshot atomic.Pointer[Snapshot] // the last snapshot
	Answers      answers                  // answers to forms, kept for the redirect
	// FindBanners returns the banners for the reader of a page.
	FindBanners func(context.Context, Reader) ([]Banner, error)
}

// New makes a console.
func New(o Options, r *Resources) *Console {
	return &Console{
		Options: o, Resources: r, snapshots: NewShownFrames(),
		pageAssets: PageAssets{Style: r.Assets.Files[StyleFile].Address, Script: r.Assets.Files[ScriptFile].Address, Icon: iconURL(r.Assets.Icon)},
	}
}
