package activity

import "fmt"

// AboutSharedView is the common part of events about a view of a list that
// everybody sees.
type AboutSharedView struct {
	ViewID string `json:"view_id"`
	View   string `json:"view"`   // its name
	Screen string `json:"screen"` // path of the list
}

// SharedViewCreation says that a user has saved a view for everybody.
type SharedViewCreation struct {
	AboutSharedView
	Query string `json:"query"` // query of the address of the list
}

func (*SharedViewCreation) Type() Type { return TypeSharedViewCreation }
func (e *SharedViewCreation) message() string {
	return fmt.Sprintf(`View "%s" of %s was shared with everybody`, e.View, e.Screen)
}

// SharedViewModification says that a shared view shows something else.
type SharedViewModification struct {
	AboutSharedView
	From string `json:"from"` // query before
	To   string `json:"to"`   // query after
}

func (*SharedViewModification) Type() Type { return TypeSharedViewModification }
func (e *SharedViewModification) message() string {
	return fmt.Sprintf(`Shared view "%s" of %s was changed`, e.View, e.Screen)
}

// SharedViewDeletion says that a user has taken a view away from everybody.
type SharedViewDeletion struct {
	AboutSharedView
	Query string `json:"query"`
}

func (*SharedViewDeletion) Type() Type { return TypeSharedViewDeletion }
func (e *SharedViewDeletion) message() string {
	return fmt.Sprintf(`Shared view "%s" of %s was removed`, e.View, e.Screen)
}
