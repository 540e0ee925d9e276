package doctor

import (
	"fmt"
	"strings"
	"time"
)

// The commands and files that mend most things.
const (
	configurationFile = "/etc/trento/trento-web"
	restartCommand    = "systemctl restart trento-web"
)

// thenRestart returns a change of the configuration as instructions.
func (s *State) thenRestart(change string) string {
	file := configurationFile
	if s.Configuration != nil && s.Configuration.File != "" {
		file = s.Configuration.File
	}
	return fmt.Sprintf("In %s: %s Then: %s", file, change, restartCommand)
}

func examineConfiguration(s *State, l *areaFindings) {
	c := s.Configuration
	if c == nil {
		l.skip("the server was not told")
		return
	}
	for _, fault := range c.Faults {
		l.addUrgent(sentence(fault), "The server does not start with this configuration.", s.thenRestart("Correct it."))
	}
	for _, n := range c.Notices {
		if command := n.Mend; strings.HasPrefix(command, "chmod ") {
			l.addUrgent(sentence(n.Text), "Whoever has an account on this machine can read its passwords.", command)
			continue
		}
		l.warn(sentence(n.Text), "The server does not do what the configuration seems to ask for.", s.thenRestart(n.Mend))
	}
}

func examineProgram(s *State, l *areaFindings) {
	r := s.Server
	if r == nil {
		l.skipReason = notApplicable // only a command can compare
		return
	}
	if r.Version != s.Version {
		l.warn(fmt.Sprintf("The server runs version %s, and the installed program is version %s.", r.Version, s.Version),
			"What the installed version mends is not mended yet.", restartCommand)
	}
	if s.StartedAt != nil && r.FileChangedAt.After(*s.StartedAt) {
		l.warn(fmt.Sprintf("The configuration file was changed on %s, after the server was started.", formatTime(r.FileChangedAt)),
			"The server still works with the former configuration, and a mistake would be noticed at the next start only.", restartCommand)
	}
}

func examineFailures(s *State, l *areaFindings) {
	if s.StartedAt == nil {
		l.skipReason = notApplicable
		return
	}
	for _, f := range s.Failures {
		if why := "It has been so since " + formatTime(f.Since) + "."; f.Critical {
			l.addUrgent(f.Text, why, f.Advice)
		} else {
			l.warn(f.Text, why, f.Advice)
		}
	}
}

func examineFiles(s *State, l *areaFindings) {
	if s.Files == nil {
		l.skip("there is no data directory")
		return
	}
	for _, f := range s.Files {
		examineFile(&f, l)
	}
}

func examineFile(f *File, l *areaFindings) {
	if f.Problem != "" {
		l.addUrgent(fmt.Sprintf("%s cannot be read: %s.", f.Path, f.Problem), "The server needs it at its next start.",
			fmt.Sprintf("ls -l %s; chown and chmod let the user of the server (%s) read it", f.Path, orText(f.Expected, "trento")))
		return
	}
	if f.Expected != "" && f.Owner != f.Expected {
		l.addUrgent(fmt.Sprintf("%s belongs to %s, and the data directory to %s.", f.Path, f.Owner, f.Expected),
			"The server may be unable to read or write it.", fmt.Sprintf("chown %s: %s", f.Expected, f.Path))
	}
	if open := f.Mode &^ f.Allowed; open != 0 {
		what := fmt.Sprintf("%s has mode %04o, so others can read it.", f.Path, f.Mode)
		mend := fmt.Sprintf("chmod %04o %s", f.Mode&f.Allowed, f.Path)
		if f.Secret {
			l.addUrgent(what, "Whoever reads it can sign in as anybody or pretend to be this server.", mend)
		} else {
			l.warn(what, "It has what only the server should read.", mend)
		}
	}
}

// How much space is little, in bytes, and how soon a disk is full that fills.
const (
	criticalFreeBytes   = 200_000_000
	lowFreeBytes        = 1_000_000_000
	lowFreeInodes       = 1000
	diskFullWarningTime = 14 * 24 * time.Hour
	lowFreePercent      = 3
)

func examineDisk(s *State, l *areaFindings) {
	d := s.Disk
	if d == nil {
		l.skip("there is no data directory")
		return
	}
	const why = "Without space nothing can be written: agents are told to come again, and nobody can change anything."
	free := fmt.Sprintf("The disk of %s has %s left of %s", d.Dir, formatSize(d.Free), formatSize(d.Size))
	mend := fmt.Sprintf("df -h %s; du -xh %s | sort -h | tail", d.Dir, d.Dir)
	if d.ReadOnly {
		l.addUrgent(fmt.Sprintf("The disk of %s can only be read.", d.Dir), "Nothing can be written: agents are told to come again, and nobody can change anything.",
			fmt.Sprintf("dmesg | tail; findmnt -T %s; a disk that was damaged has to be checked before it is mounted again", d.Dir))
	}
	switch {
	case d.Free < criticalFreeBytes || d.Free*100 < d.Size*lowFreePercent && d.Free < lowFreeBytes:
		l.addUrgent(free+".", why, mend)
	case d.FullIn > 0 && d.FullIn < diskFullWarningTime:
		l.warn(fmt.Sprintf("%s, and is full in about %s if it fills as fast as lately.", free, formatDays(d.FullIn)), why, mend)
	case d.Free < d.Store:
		l.warn(free+", less than the data file has.", "A backup, an update of the layout and trento-web compact need as much space as the data file.", mend)
	case d.Free < lowFreeBytes:
		l.warn(free+".", why, mend)
	}
	if d.FreeFiles >= 0 && d.FreeFiles < lowFreeInodes {
		l.addUrgent(fmt.Sprintf("The disk of %s has room for %d more files only.", d.Dir, d.FreeFiles), why, fmt.Sprintf("df -i %s", d.Dir))
	}
}

// A file with more free space than this share and size is worth compacting.
const (
	compactionFactor   = 2 // the file is twice as large as its data
	minCompactionBytes = 1_000_000_000
)

func examineData(s *State, l *areaFindings) {
	d := s.Data
	switch {
	case d == nil:
		l.skip("the configuration does not say where it is")
		return
	case d.Missing:
		l.warn("There is no data file in "+d.Dir+".", "Either the server was never started, or it has another data directory than this command was told.",
			"trento-web doctor --config "+configurationFile)
		return
	case d.Newer:
		l.addUrgent("The data file was written by a later version of this program.", "This version refuses to start with it, so that nothing gets lost.",
			"Install the later version again, or: trento-web restore a backup of this one")
		return
	case d.Older:
		l.skip("the file has the layout of an earlier version, and the next start changes it; a copy of it stays beside it for a week")
		return
	case d.Fault != "":
		l.addUrgent("The data file is damaged: "+d.Fault+".", "What cannot be read is lost, and the server may not start.",
			fmt.Sprintf("cp -a %s /a/safe/place; trento-web restore the latest backup that \"trento-web verify\" finds right", d.Dir))
		return
	case d.Free > minCompactionBytes && d.Free*compactionFactor > d.Size:
		l.warn(fmt.Sprintf("%s of the data file (%s) hold no data.", formatSize(d.Free), formatSize(d.Size)), "The server reuses them, but the disk and backups lack them meanwhile.",
			"systemctl stop trento-web && trento-web compact --config "+configurationFile+"; systemctl start trento-web")
	}
	switch {
	case d.Verified:
	case s.StartedAt == nil:
		l.skip("it can be opened, but checking every page of %s takes long; that is done by: trento-web verify", formatSize(d.Size))
	default:
		l.skip("the server reads and writes it, but not every page was checked; that is done by: trento-web backup - | trento-web verify -")
	}
}

// IndexTolerance is how far the index may be behind the log before somebody is
// told.
const indexTolerance = time.Minute

func examineIndex(s *State, l *areaFindings) {
	switch x := s.Index; {
	case x == nil:
		l.skip("the server is stopped; it makes what is missing at its next start")
	case x.Behind > indexTolerance:
		l.warn(fmt.Sprintf("The search index is %s behind the activity log.", x.Behind.Round(time.Second)), "Searches find everything meanwhile, more slowly.",
			"Wait; if it does not catch up: journalctl -u trento-web | grep index")
	}
}

// manualBackupGracePeriod is for how long a backup that was made on request counts as one of
// a person or program that makes them regularly.
const manualBackupGracePeriod = 8 * 24 * time.Hour

func examineBackups(s *State, l *areaFindings) {
	b := s.Backups
	const lost = "What happens after the last backup is lost with the disk."
	switch {
	case b == nil:
		l.skip("the data file cannot be read")
		return
	case b.Dir == "" && s.Now.Sub(b.LastOther) < manualBackupGracePeriod:
		return
	case b.Dir == "":
		l.warn("No regular backups are made.", lost, s.thenRestart("BACKUP_DIR=/a/directory/on/another/disk, and BACKUP_PASSPHRASE.")).Page = "/settings/backup"
		return
	case b.Fault != "":
		l.addUrgent(fmt.Sprintf("The directory of the backups cannot be read: %s.", b.Fault), "Nobody knows whether there are backups.",
			fmt.Sprintf("ls -ld %s; a service also needs: systemctl edit trento-web, with [Service] ReadWritePaths=%s", b.Dir, b.Dir)).Page = "/settings/backup"
		return
	case b.Overdue && b.Newest.IsZero():
		l.addUrgent(fmt.Sprintf("There is no backup in %s yet, and there should be one.", b.Dir), lost, "journalctl -u trento-web | grep -i backup").Page = "/activity_log?type=backup_failure"
	case b.Overdue:
		l.addUrgent(fmt.Sprintf("The newest backup in %s is of %s, and there should be a newer one.", b.Dir, formatTime(b.Newest)), lost,
			"journalctl -u trento-web | grep -i backup").Page = "/activity_log?type=backup_failure"
	}
	if !b.Encrypted {
		l.warn("The regular backups are not encrypted.", "Whoever gets one can sign in as anybody.", s.thenRestart("BACKUP_PASSPHRASE=at least 12 characters, kept elsewhere, too.")).Page = "/settings/backup"
	}
	if b.SameDisk {
		l.warn(fmt.Sprintf("The backups in %s are on the disk of the data.", b.Dir), "Both are lost with that disk.", s.thenRestart("BACKUP_DIR on another disk, or copy the files elsewhere every day.")).Page = "/settings/backup"
	}
}

// longRetention is the retention in years from which on somebody is asked
// whether that is meant.
const longRetention = 5

func examineRetention(s *State, l *areaFindings) {
	r := s.Retention
	if r == nil {
		l.skip("the data file cannot be read")
		return
	}
	if r.Years >= longRetention {
		l.warn(fmt.Sprintf("The activity log is kept for %s.", r.Text), fmt.Sprintf("The data file (%s) and every backup grow all that time.", formatSize(r.Bytes)),
			"Settings, Activity Logs, or: PUT /api/v1/settings/activity_log").Page = "/settings/activity_log"
	}
}
