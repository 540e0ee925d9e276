package page

import "net/http"

// Confirmation is a dialog that asks before something is done. It either
// sends a form of its own, to Action, or the one on the page that Form names.
type Confirmation struct {
	Title     string
	Sentences []string // what it brings
	Things    []string // what it is about, where that is several
	Added     []string // permissions
	Removed   []string
	Failure   string // why it was not done
	Action    string
	Form      string // id of the form it sends
	Keep      []HiddenInput
	Password  *Field // of the reader, where it is asked for
	Plan      string // what is confirmed, so that nothing else is done
	Verb      string
	Danger    bool
	CloseURL  string // where closing leads; empty: it just closes
}

// Refuse shows what is wrong with the password that was asked for. It reports
// false for any other error.
func (c *Confirmation) Refuse(err error) bool {
	faults, ok := FieldFaults(err)
	if !ok || c.Password == nil {
		return false
	}
	ApplyFaults(faults, c.Password)
	return true
}

// Status is the status of a page with the dialog above it.
func (c *Confirmation) Status() int {
	if c.Failure != "" || c.Password != nil && c.Password.Fault != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
