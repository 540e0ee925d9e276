package account

import (
	"net/http"
	"time"

	"trento/store/backup"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

const (
	backupPath   = "/settings/backup"
	allAbilities = "all:all"
)

// backupSettings is the section of the settings about backups.
type backupSettings struct {
	Faults                   []page.FaultLink
	Passphrase, Confirmation page.Field
	Schedule                 *backupSchedule // nil if backups are only made on request
}

// backupSchedule says how backups are made regularly.
type backupSchedule struct {
	Dir       string
	Interval  string
	Keep      int
	Encrypted bool
	Newest    *page.Timestamp // nil if there is none
	Overdue   bool            // there should be a newer one
	Unknown   bool            // the directory cannot be read
}

// newBackupSettings returns the section.
func (s *settingsHandlers) newBackupSettings() backupSettings {
	b := backupSettings{
		Passphrase:   page.Field{Name: "passphrase", Label: "Passphrase", Type: "password", Autocomplete: "new-password", Help: "At least 12 characters. Leave it empty for a backup that is not encrypted."},
		Confirmation: page.Field{Name: "passphrase_confirmation", ID: "passphrase-confirmation", Label: "Confirm Passphrase", Type: "password", Autocomplete: "new-password"},
	}
	schedule := s.BackupSchedule
	if schedule == nil {
		return b
	}
	b.Schedule = &backupSchedule{
		Dir: schedule.Dir, Interval: describeInterval(schedule.Interval), Keep: schedule.Keep, Encrypted: schedule.Passphrase != "",
	}
	switch newest, err := schedule.Newest(); {
	case err != nil:
		b.Schedule.Unknown = true
	default:
		b.Schedule.Overdue = schedule.Overdue(newest)
		if !newest.IsZero() {
			at := s.Timestamp(newest)
			b.Schedule.Newest = &at
		}
	}
	return b
}

func (b backupSettings) state() subjectState {
	x := b.Schedule
	switch {
	case x == nil:
		return subjectState{Words: "No regular backups are made"}
	case x.Unknown:
		return subjectState{"The directory cannot be read", "critical"}
	case x.Overdue:
		return subjectState{"Overdue", "critical"}
	case x.Newest == nil:
		return subjectState{Words: "None yet"}
	}
	return subjectState{Words: "Newest of " + x.Newest.Text()}
}

// describeInterval returns an interval in hours, or in minutes if it is not a
// number of hours.
func describeInterval(interval time.Duration) string {
	if interval == time.Hour {
		return "hour"
	}
	if interval%time.Hour == 0 {
		return page.Count(int(interval/time.Hour), "hour", "hours")
	}
	return page.Count(int(interval/time.Minute), "minute", "minutes")
}

// downloadBackup answers POST /settings/backup with a backup.
func (s *settingsHandlers) downloadBackup(w http.ResponseWriter, r *http.Request) error {
	passphrase := r.PostForm.Get("passphrase")
	var wrong fault.Errors
	if detail := backup.PassphraseFault(passphrase); passphrase != "" && detail != "" {
		wrong.Add("passphrase", detail)
	}
	if r.PostForm.Get("passphrase_confirmation") != passphrase {
		wrong.Add("passphrase_confirmation", "does not match the passphrase")
	}
	if len(wrong) > 0 {
		return s.renderSubject(w, r, subjectBackup, http.StatusUnprocessableEntity, func(p *settingsPage) {
			p.Backup.Faults, _ = page.ApplyFaults(wrong, &p.Backup.Passphrase, &p.Backup.Confirmation)
		})
	}
	return api.SendBackup(w, r, s.Backup, s.Log, passphrase)
}
