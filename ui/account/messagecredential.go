package account

import (
	"fmt"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
)

// messageSettings is the section of the settings about the user and password of
// agents for messages.
type messageSettings struct {
	Off, Elsewhere bool // agents get no messages, or those of a broker elsewhere
	User           string
	Port           int
	TLS            bool // the port is for connections with TLS
	Created        page.Timestamp
	Configured     bool // the configuration sets the password
	// Password and Address, the value of facts-service-url, are empty if the
	// reader may not see them.
	Password, Address string
	Replace           *page.Control // nil if the password cannot be replaced here
}

// newMessageSettings reads the section.
func (s *settingsHandlers) newMessageSettings(tx *store.Tx, reader page.Reader) (messageSettings, error) {
	if s.Endpoint == nil {
		return messageSettings{Off: s.Messages == nil, Elsewhere: s.Messages != nil}, nil
	}
	c, err := s.Auth.MessageCredential(tx)
	if err != nil {
		return messageSettings{}, err
	}
	m := messageSettings{User: c.User, Port: s.Endpoint.Port(), TLS: s.Endpoint.Scheme() == "amqps", Created: s.Timestamp(c.CreatedAt), Configured: c.Configured}
	if !c.Configured {
		m.Replace = reader.Control(page.AbilityAPIKey, "Replace Password", messagePasswordPath)
	}
	if reader.Can(page.AbilityAPIKey) {
		m.Password, m.Address = c.Password, c.Address(s.Endpoint.Scheme(), reader.ServerHost(), m.Port)
	}
	return m, nil
}

// readMessageSection reads the section for its page.
func (s *settingsHandlers) readMessageSection(tx *store.Tx, p *settingsPage) (err error) {
	p.Messages, err = s.newMessageSettings(tx, p.Reader)
	return err
}

func (m messageSettings) state() subjectState {
	switch {
	case m.Off:
		return subjectState{Words: "Switched off"}
	case m.Elsewhere:
		return subjectState{Words: "Over another broker"}
	case m.TLS:
		return subjectState{Words: fmt.Sprintf("Port %d, with TLS", m.Port)}
	}
	return subjectState{Words: fmt.Sprintf("Port %d, without TLS", m.Port)}
}

// messagePasswordPath is the path of the dialog that replaces the password.
const messagePasswordPath = "/settings/messages/password"

// replaceMessagePassword answers GET and POST /settings/messages/password.
func (s *settingsHandlers) replaceMessagePassword(w http.ResponseWriter, r *http.Request) error {
	section := subjectPath(subjectMessages)
	replaceable, err := s.canReplaceMessagePassword(r)
	if err != nil {
		return err
	}
	if !replaceable { // the section says why
		http.Redirect(w, r, section, http.StatusSeeOther)
		return nil
	}
	ask := &page.Confirmation{
		Title: "Replace the password for messages?", Action: messagePasswordPath, Form: "confirmation-form", Verb: "Replace Password", Danger: true,
		Plan: "yes", CloseURL: section,
		Sentences: []string{
			"All agents lose their connection for messages at once, and cannot start again until their facts-service-url is changed. Running agents go on reporting.",
			"Settings show the new address. The present password cannot be brought back.",
		},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderSubject(w, r, subjectMessages, http.StatusOK, func(p *settingsPage) { p.Ask = ask })
	}
	if err := s.Auth.RotateMessageCredential(r.Context(), auth.From(r.Context())); err != nil {
		return err
	}
	s.SetFlash(w, r, "The password for messages was replaced. All agents need the new facts-service-url.")
	http.Redirect(w, r, section, http.StatusSeeOther)
	return nil
}

// canReplaceMessagePassword reports whether agents use the stored password.
func (s *settingsHandlers) canReplaceMessagePassword(r *http.Request) (can bool, err error) {
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		if s.Endpoint == nil {
			return nil
		}
		c, err := s.Auth.MessageCredential(tx)
		can = !c.Configured
		return err
	})
	return can, err
}
