package landscape

import (
	"slices"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// reportLine says when the reports of one kind came last, and whether they could
// be used. The template "report-lines" draws them.
type reportLine struct {
	Report  string // "Host report"
	Last    page.Timestamp
	Earlier bool // the last report came before the start of the server
	State   string
	Icon    string // icon of a state other than normal
	Overdue bool
	Every   string // "15 min": the time between two reports
}

// newReportLines returns a line for each kind of report, including kinds that
// have never come.
func (s *Pages) newReportLines(all []store.ReportStatus) []reportLine {
	now, started := s.Store.Now(), s.Store.StartedAt()
	var lines []reportLine
	for _, kind := range slices.Concat(landscape.Kinds, []landscape.Kind{store.OtherDiscovery}) {
		i := slices.IndexFunc(all, func(status store.ReportStatus) bool { return status.Kind == kind })
		line := reportLine{Report: capitalize(activity.ReportName(string(kind))), State: "None yet", Icon: "unknown"}
		switch {
		case i >= 0 && !all[i].Last.IsZero():
			status := &all[i]
			line.Last, line.Earlier, line.Overdue = s.Timestamp(status.Last), status.Last.Before(started), status.Overdue(now, started)
			line.Every = shortDuration(status.Interval())
			line.State, line.Icon = reportState(status.Outcome)
		case kind.Known():
			line.Every = shortDuration(kind.Period())
		default:
			continue // a kind unknown to us is listed only if such a report has come
		}
		if !kind.Known() {
			line.Report, line.Every = "Report of an unknown type", ""
		}
		lines = append(lines, line)
	}
	return lines
}

// reportState returns the text and the symbol that say whether a report could
// be used.
func reportState(outcome store.Outcome) (words, icon string) {
	switch outcome {
	case store.ReportRefused:
		return "Refused", "warning"
	case store.ReportPartlyUsed:
		return "Partly used", "warning"
	}
	return "Used", ""
}

// shortDuration formats a duration in its largest unit.
func shortDuration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d >= time.Hour:
		return page.Count(int(d.Round(time.Hour)/time.Hour), "hour", "hours")
	case d >= time.Minute:
		return page.Count(int(d.Round(time.Minute)/time.Minute), "minute", "minutes")
	}
	return page.Count(int(d/time.Second), "second", "seconds")
}
