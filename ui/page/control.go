package page

import "trento/auth"

// Control is a button that leads to where something is done. Refused says why
// it is not for this reader; the button is shown to everybody all the same.
type Control struct{ Label, URL, Refused string }

// NewControl is a button for those who have an ability.
func NewControl(id *auth.Identity, ability, label, url string) *Control {
	c := &Control{Label: label, URL: url}
	if !id.Can(ability) {
		c.Refused = "You are not authorized for this action: it needs the permission " + ability + "."
	}
	return c
}

// WhyRefused says why somebody may not do what needs an ability; it is empty for
// those who may.
func WhyRefused(id *auth.Identity, ability string) string {
	return NewControl(id, ability, "", "").Refused
}

// ActionLink is a link out of a dead end.
type ActionLink struct{ Label, URL string }
