package ui

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
	Keep      []hidden
	Password  *field // of the reader, where it is asked for
	Plan      string // what is confirmed, so that nothing else is done
	Verb      string
	Danger    bool
	CloseURL  string // where closing leads; empty: it just closes
}
