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
	Form      *retentionForm // the dialog, if it is open
}

// retentionForm is the dialog in which the retention is changed.
type retentionForm struct {
	Present                      string // the retention now
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

// show opens the dialog on its page.
func (f *retentionForm) show(p *settingsPage) {
	f.Present = p.ActivityLog.Retention
	p.ActivityLog.Form = f
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

// retentionPath is the path of the dialog that changes the retention.
const retentionPath = "/settings/activity_log/edit"

// readActivitySection reads the section for its page.
func (s *settingsHandlers) readActivitySection(tx *store.Tx, p *settingsPage) error {
	kept, err := tx.Retention()
	p.ActivityLog = activitySettings{Retention: kept.String(), Edit: p.Control(page.AbilityActivitySettings, "Edit Settings", retentionPath)}
	return err
}

func (f *forwardingSection) state() subjectState {
	for _, r := range f.Receivers {
		if r.Failure != "" {
			return subjectState{"Nothing can be sent to the " + r.Label, "warning"}
		}
	}
	if len(f.Receivers) == 0 {
		return subjectState{Words: "Off"}
	}
	return subjectState{Words: "To " + page.Count(len(f.Receivers), "receiver", "receivers")}
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

// editActivitySettings answers GET /settings/activity_log/edit: the settings with an
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
	return s.renderSubject(w, r, subjectActivityLog, http.StatusOK, newRetentionForm(strconv.Itoa(kept.Value), kept.Unit).show)
}

// changeActivitySettings answers POST /settings/activity_log/edit.
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
		return s.renderSubject(w, r, subjectActivityLog, http.StatusUnprocessableEntity, f.show)
	}
	if err := s.Store.SetRetention(r.Context(), auth.From(r.Context()).Actor(), kept); err != nil {
		return err
	}
	s.SetFlash(w, r, "Entries of the activity log are kept for "+kept.String()+" now.")
	http.Redirect(w, r, subjectPath(subjectActivityLog), http.StatusSeeOther)
	return nil
}
