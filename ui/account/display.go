package account

import (
	"errors"
	"net/http"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
	"trento/ui/page"
)

const (
	displaysPath = "/settings/displays"
	// connectDisplayPath is where the browser of a screen takes its code.
	connectDisplayPath = "/wall/connect"
	wallPath           = "/wall"
)

// displaySection is the section of the settings with the screens on the wall.
type displaySection struct {
	Rows       []displayRow
	Full       bool   // there can be no more
	ConnectURL string // where the browser of a screen takes its code
	Name       page.Field
	Faults     []page.FaultLink
	Rest       []string // faults that belong to no field
}

// displayRow is a screen on the wall.
type displayRow struct {
	ID, Name  string
	Waiting   bool   // for its code
	Code      string // "": the reader has not added it
	Until     page.Timestamp
	Connected *page.Timestamp // nil: it waits, or its code has expired
	LastSeen  page.Timestamp
	Address   string
	CreatedBy string
	Created   page.Timestamp
	RemoveURL string
}

func newDisplayNameField() page.Field {
	return page.Field{Name: "name", Label: "Name of the screen", Type: "text", Autocomplete: "off", Required: true, Help: "Where it hangs, such as Control room."}
}

func (s *settingsHandlers) displayRoutes() []api.Route {
	users, reads := auth.Needs(page.AbilityUsers), auth.InSets("read_only", "user_management")
	adds, removes := auth.InSets("user_management").As("POST /api/v1/displays"), auth.InSets("user_management").As("DELETE /api/v1/displays/{id}")
	return []api.Route{
		{Method: "GET", Path: displaysPath, Access: users, Tokens: reads, Handle: api.Uncompressed(s.showSubject(subjectDisplays))},
		{Method: "POST", Path: displaysPath, Access: users, Tokens: adds, Handle: api.Uncompressed(page.ReadForm(s.addDisplay))},
		{Method: "GET", Path: displaysPath + "/{id}/remove", Access: users, Tokens: reads, Handle: s.removeDisplay},
		{Method: "POST", Path: displaysPath + "/{id}/remove", Access: users, Tokens: removes, Handle: page.ReadForm(s.removeDisplay)},
		{Method: "GET", Path: connectDisplayPath, Access: auth.Public, Handle: s.connectDisplay},
		{Method: "POST", Path: connectDisplayPath, Access: auth.Public, Handle: page.ReadForm(s.connectDisplay)},
	}
}

// readDisplaySection reads the screens on the wall.
func (s *settingsHandlers) readDisplaySection(tx *store.Tx, p *settingsPage) error {
	displays, err := tx.Displays()
	if err != nil {
		return err
	}
	known, err := s.secretsOf(tx, p.Identity())
	if err != nil {
		return err
	}
	p.Displays = displaySection{Full: len(displays) >= store.MaxDisplays, ConnectURL: p.Server + connectDisplayPath, Name: newDisplayNameField()}
	for _, d := range displays {
		row := displayRow{
			ID: d.ID, Name: d.Name, Waiting: d.IsWaiting(s.Store.Now()), Until: s.Timestamp(d.CodeUntil), LastSeen: s.Timestamp(d.LastSeenAt), Address: d.Address,
			CreatedBy: d.CreatedBy, Created: s.Timestamp(d.CreatedAt), RemoveURL: subjectPath(subjectDisplays, d.ID, "remove"),
		}
		if !d.PairedAt.IsZero() {
			row.Connected = new(s.Timestamp(d.PairedAt))
		}
		for _, shown := range known {
			if shown.Kind == displayCode && shown.ID == d.ID {
				row.Code = shown.Text
			}
		}
		p.Displays.Rows = append(p.Displays.Rows, row)
	}
	return nil
}

// state says how many screens show the landscape.
func (d displaySection) state() subjectState {
	connected := 0
	for _, row := range d.Rows {
		if row.Connected != nil {
			connected++
		}
	}
	if connected == 0 {
		return subjectState{Words: "None"}
	}
	return subjectState{Words: page.Count(connected, "screen", "screens")}
}

// addDisplay answers POST /settings/displays.
func (s *settingsHandlers) addDisplay(w http.ResponseWriter, r *http.Request) error {
	name := r.PostForm.Get("name")
	d, code, err := s.Auth.NewDisplay(r.Context(), auth.From(r.Context()), name)
	wrong, isFault := page.FieldFaults(err)
	switch {
	case isFault:
		return s.renderSubject(w, r, subjectDisplays, http.StatusUnprocessableEntity, func(p *settingsPage) {
			p.Displays.Name.Value = name
			p.Displays.Faults, p.Displays.Rest = page.ApplyFaults(wrong, &p.Displays.Name)
		})
	case err != nil:
		return err
	}
	s.keepSecret(r.Context(), secret{Kind: displayCode, ID: d.ID, Name: d.Name, Text: code})
	http.Redirect(w, r, displaysPath+"#display-"+d.ID, http.StatusSeeOther)
	return nil
}

// removeDisplay answers GET and POST /settings/displays/{id}/remove.
func (s *settingsHandlers) removeDisplay(w http.ResponseWriter, r *http.Request) error {
	var d *store.Display
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		d, err = tx.Display(page.PathVar(r, "id"))
		return err
	})
	if err != nil {
		return err
	}
	ask := &page.Confirmation{
		Title: "Remove the screen “" + d.Name + "”?", Action: r.URL.Path, Form: "confirmation-form", Verb: "Remove Screen", Danger: true,
		Plan: "yes", CloseURL: displaysPath,
		Sentences: []string{"It shows nothing from this moment. To show the landscape on it again, add it again and type the new code."},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderSubject(w, r, subjectDisplays, http.StatusOK, func(p *settingsPage) { p.Ask = ask })
	}
	if err := s.Store.DeleteDisplay(r.Context(), auth.From(r.Context()).Actor(), d.ID); err != nil {
		return err
	}
	s.SetFlash(w, r, "The screen “"+d.Name+"” was removed.")
	http.Redirect(w, r, displaysPath, http.StatusSeeOther)
	return nil
}

// connectPage asks the browser of a screen for its code.
type connectPage struct {
	page.Frame
	Code, Failure string
}

// Template implements page.Page.
func (*connectPage) Template() string { return "display" }

// connectDisplay answers GET and POST /wall/connect.
func (s *settingsHandlers) connectDisplay(w http.ResponseWriter, r *http.Request) error {
	p := connectPage{Frame: s.NewFrame(r, "Connect a screen")}
	p.User = nil // the page is the same for everybody
	if r.Method != http.MethodPost {
		return s.Render(w, r, http.StatusOK, &p)
	}
	p.Code = strings.TrimSpace(r.PostForm.Get("code"))
	status := http.StatusUnauthorized
	switch err := s.Auth.PairDisplay(w, r, p.Code); {
	case err == nil:
		http.Redirect(w, r, wallPath, http.StatusSeeOther)
		return nil
	case errors.Is(err, auth.ErrCredentials):
		p.Failure = "No screen waits for this code. It may be mistyped, used already, or older than ten minutes."
	case errors.Is(err, auth.ErrBusy):
		p.Failure, status = "Too many codes are being tried at this moment. Nothing was checked; try again.", http.StatusServiceUnavailable
	default:
		return err
	}
	return s.Write(w, r, status, &p)
}
