package activity

import "fmt"

// AboutDisplay is the common part of events about a screen on a wall.
type AboutDisplay struct {
	DisplayID string `json:"display_id"`
	Display   string `json:"display"` // its name
}

// DisplayCreation says that a user has added a screen on a wall. It shows nothing
// before its browser has the code.
type DisplayCreation struct{ AboutDisplay }

func (*DisplayCreation) Type() Type { return TypeDisplayCreation }
func (e *DisplayCreation) message() string {
	return fmt.Sprintf(`Screen "%s" was added`, e.Display)
}

// DisplayPairing says that a browser has become a screen on a wall: from now on
// it sees the landscape.
type DisplayPairing struct {
	AboutDisplay
	Address string `json:"address"` // IP address of the browser
}

func (*DisplayPairing) Type() Type { return TypeDisplayPairing }
func (e *DisplayPairing) message() string {
	return fmt.Sprintf(`Screen "%s" was connected from %s`, e.Display, e.Address)
}

// DisplayDeletion says that a user has removed a screen on a wall. Its browser is
// refused from then on.
type DisplayDeletion struct{ AboutDisplay }

func (*DisplayDeletion) Type() Type { return TypeDisplayDeletion }
func (e *DisplayDeletion) message() string {
	return fmt.Sprintf(`Screen "%s" was removed`, e.Display)
}
