package account

import (
	"net/http"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/ui/api"
	"trento/ui/page"
)

// activitySettings is the section of the settings about the activity log.
type activitySettings struct {
	Retention string // "1 month"
	Edit      *page.Control
	// Forwarding is nil for readers who may not change the settings.
	Forwarding *forwardingSection
	Form       *retentionForm // the dialog, if it is open
}

// retentionForm is the dialog in which the retention is changed.
type retentionForm struct {
	Value, ValueFault, UnitFault string
	Units                        []page.Option
	Max                          int // largest value
}

func newRetentionForm(value string, unit activity.Unit) *retentionForm {
	f := &retentionForm{Value: value, Max: activity.MaxRetention}
	for _, u := range activity.Units {
		f.Units = append(f.Units, page.Option{Value: string(u), Label: string(u), Chosen: u == unit})
	}
	return f
}

// forwardingSection says where the activity log is forwarded to.
type forwardingSection struct{ Receivers []forwardingReceiver }

// forwardingReceiver is one of the receivers, and how the forwarding to it
// stands.
type forwardingReceiver struct {
	Label, Address string
	SentAt         *page.Timestamp // when an entry was last sent; nil: not since the start
	Waiting        *page.Timestamp // of the oldest entry that it does not have; nil: it has all
	Failure        string
	Since          page.Timestamp
}

// newActivitySettings reads the section.
func (s *settingsHandlers) newActivitySettings(tx *store.Tx, reader page.Reader) (activitySettings, error) {
	kept, err := tx.Retention()
	if err != nil {
		return activitySettings{}, err
	}
	section := activitySettings{
		Retention: kept.String(), Edit: reader.Control(page.AbilityActivitySettings, "Edit Settings", "/settings/activity_log"),
	}
	if reader.Can(page.AbilityActivitySettings) {
		section.Forwarding, err = s.newForwardingSection(tx)
	}
	return section, err
}

func (s *settingsHandlers) newForwardingSection(tx *store.Tx) (*forwardingSection, error) {
	section := new(forwardingSection)
	if s.Forwarding == nil {
		return section, nil
	}
	for _, status := range s.Forwarding() {
		r := forwardingReceiver{Label: status.Receiver.Label(), Address: status.Address, Failure: status.Failure, Since: s.Timestamp(status.Since)}
		if !status.SentAt.IsZero() {
			sent := s.Timestamp(status.SentAt)
			r.SentAt = &sent
		}
		waits, err := api.ForwardingWaitsSince(tx, status)
		if err != nil {
			return nil, err
		}
		if waits != nil {
			oldest := s.Timestamp(*waits)
			r.Waiting = &oldest
		}
		section.Receivers = append(section.Receivers, r)
	}
	return section, nil
}

// editActivitySettings answers GET /settings/activity_log: the settings with an
// open dialog.
func (s *settingsHandlers) editActivitySettings(w http.ResponseWriter, r *http.Request) error {
	var kept activity.Retention
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		kept, err = tx.Retention()
		return err
	})
	if err != nil {
		return err
	}
	return s.renderSettings(w, r, http.StatusOK, func(p *settingsPage) {
		p.ActivityLog.Form = newRetentionForm(strconv.Itoa(kept.Value), kept.Unit)
	})
}

// changeActivitySettings answers POST /settings/activity_log.
func (s *settingsHandlers) changeActivitySettings(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.PostForm.Get("value"))
	kept := activity.Retention{Unit: activity.Unit(r.PostForm.Get("unit"))}
	f := newRetentionForm(typed, kept.Unit)
	var err error
	if kept.Value, err = strconv.Atoi(typed); err != nil {
		f.ValueFault = "This is no whole number from 1 to " + strconv.Itoa(activity.MaxRetention)
	} else {
		f.ValueFault, f.UnitFault = kept.Faults()
	}
	if f.ValueFault != "" || f.UnitFault != "" {
		return s.renderSettings(w, r, http.StatusUnprocessableEntity, func(p *settingsPage) { p.ActivityLog.Form = f })
	}
	if err := s.Store.SetRetention(r.Context(), auth.From(r.Context()).Actor(), kept); err != nil {
		return err
	}
	s.SetFlash(w, r, "Entries of the activity log are kept for "+kept.String()+" now.")
	http.Redirect(w, r, "/settings#activity-log", http.StatusSeeOther)
	return nil
}
