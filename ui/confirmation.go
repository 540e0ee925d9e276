package ui

import "net/http"

// confirmation is a dialog that asks before something is done. It either
// sends a form of its own, to Action, or the one on the page that Form names.
type confirmation struct {
	Title     string
	Sentences []string // what it brings
	Things    []string // what it is about, where that is several
	Added     []string // permissions
	Removed   []string
	Failure   string // why it was not done
	Action    string
	Form      string // id of the form it sends
	Keep      []hiddenInput
	Password  *field // of the reader, where it is asked for
	Plan      string // what is confirmed, so that nothing else is done
	Verb      string
	Danger    bool
	CloseURL  string // where closing leads; empty: it just closes
}

// refuse shows what is wrong with the password that was asked for. It reports
// false for any other error.
func (c *confirmation) refuse(err error) bool {
	faults, ok := fieldFaults(err)
	if !ok || c.Password == nil {
		return false
	}
	applyFaults(faults, c.Password)
	return true
}

// status is the status of a page with the dialog above it.
func (c *confirmation) status() int {
	if c.Failure != "" || c.Password != nil && c.Password.Fault != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
