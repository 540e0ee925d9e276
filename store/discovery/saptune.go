package discovery

import (
	"maps"
	"slices"
	"strings"

	"trento/store/landscape"
)

// saptuneName makes a name of what saptune writes for people: "Notes enabled
// by Solution" becomes notes_enabled_by_solution.
func saptuneName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", "_"))
}

// decodeSaptune reads a saptune_discovery. A report that says nothing changes
// nothing.
func decodeSaptune(payload value, r *reading) (*landscape.SaptuneReport, error) {
	if !payload.object() {
		return nil, unable()
	}
	f := readPayload(payload, nil, r)
	report := &landscape.SaptuneReport{PackageVersion: f.text("package_version")}
	status := f.object("status")
	switch installed := f.boolean("saptune_installed"); {
	case installed != nil:
		report.Installed = *installed
	case report.PackageVersion != "" || !status.absent(): // what is there is installed
		f.noteNothing("saptune_installed")
		report.Installed = true
	case f.nothing("saptune_installed") != isEmpty: // agents have written "" for all that is not there
		f.noteNothing("saptune_installed")
		report.Unread = true
	}
	if !status.absent() && report.Installed {
		report.Status = f.saptuneStatus(report)
	}
	return report, nil
}

// saptuneStatus reads what saptune says about itself. It is left out where it
// speaks of another version than the package's.
func (f *fields) saptuneStatus(report *landscape.SaptuneReport) *landscape.Saptune {
	outer := &fields{rename: saptuneName, in: f, name: "status", place: -1, reading: f.reading}
	result := outer.read(f.object("status")).into("result")
	if !result.present() {
		outer.noteNothing("result")
		return nil
	}
	version := result.expected("package version")
	switch {
	case report.PackageVersion == "":
		report.PackageVersion = version
	case version == "":
		version = report.PackageVersion
	case version != report.PackageVersion:
		result.leaveOut("package version", otherVersion)
		return nil
	}
	enabled, applied := result.expectedTexts("Notes enabled"), result.expectedTexts("Notes applied")
	additionally := result.texts("Notes enabled additionally")
	if len(enabled)+len(applied) > 0 {
		result.noteNothing("Notes enabled additionally")
	}
	return &landscape.Saptune{
		PackageVersion:    orNil(version),
		ConfiguredVersion: result.textOrNil("configured version"),
		TuningState:       orNil(result.expected("tuning state")),
		EnabledNotes:      saptuneNotes(enabled, additionally),
		AppliedNotes:      saptuneNotes(applied, additionally),
		EnabledSolution:   result.enabledSolution(),
		AppliedSolution:   result.appliedSolution(),
		Services:          result.saptuneServices(),
		Staging:           result.saptuneStaging(),
	}
}

// expectedTexts is texts where the agent ought to send some.
func (f *fields) expectedTexts(name string) []string {
	f.noteNothing(name)
	return f.texts(name)
}

// saptuneServices reads the services with their states; one that is not
// installed has none, and neither has one whose states cannot be read.
func (f *fields) saptuneServices() []landscape.SaptuneService {
	list := []landscape.SaptuneService{}
	f.noteNothing("services")
	services := f.into("services")
	for _, name := range slices.Sorted(maps.Keys(services.members)) {
		service := landscape.SaptuneService{Name: name}
		switch states := services.texts(name); len(states) {
		case 0:
		case 2:
			service.Enabled, service.Active = &states[0], &states[1]
		default:
			services.leaveOut(name, noPair)
		}
		list = append(list, service)
	}
	return list
}

// saptuneStaging is nil where it is not told whether there is any staging.
func (f *fields) saptuneStaging() *landscape.SaptuneStaging {
	f.noteNothing("staging")
	staging := f.into("staging")
	if !staging.present() {
		return nil
	}
	enabled := staging.expectedBoolean("staging enabled")
	notes, solutions := staging.expectedTexts("Notes staged"), staging.expectedTexts("Solutions staged")
	if enabled == nil {
		return nil
	}
	return &landscape.SaptuneStaging{Enabled: *enabled, Notes: orEmpty(notes), SolutionsIDs: orEmpty(solutions)}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// saptuneNotes marks the notes that no solution brought along.
func saptuneNotes(ids, additionally []string) []landscape.SaptuneNote {
	extra := make(map[string]bool, len(additionally))
	for _, id := range additionally {
		extra[id] = true
	}
	notes := make([]landscape.SaptuneNote, 0, len(ids))
	for _, id := range ids {
		notes = append(notes, landscape.SaptuneNote{ID: id, AdditionallyEnabled: extra[id]})
	}
	return notes
}

// enabledSolution is nil unless there is exactly one with its notes.
func (f *fields) enabledSolution() *landscape.SaptuneSolution {
	enabled := f.texts("Solution enabled")
	notes := f.only("Notes enabled by Solution")
	if len(enabled) != 1 || notes == nil {
		return nil
	}
	return &landscape.SaptuneSolution{ID: enabled[0], Notes: orEmpty(notes.texts("Note list"))}
}

// appliedSolution is nil unless there is exactly one with its notes.
func (f *fields) appliedSolution() *landscape.SaptuneSolution {
	applied := f.only("Solution applied")
	notes := f.only("Notes applied by Solution")
	if applied == nil || notes == nil {
		return nil
	}
	id := applied.expected("Solution ID")
	partial := applied.expectedBoolean("applied partially")
	if id == "" {
		return nil
	}
	return &landscape.SaptuneSolution{ID: id, Notes: orEmpty(notes.texts("Note list")), Partial: isTrue(partial)}
}

// only is the single object of an array; nil where there is not exactly one.
func (f *fields) only(name string) *fields {
	if f.length(name) != 1 {
		return nil
	}
	for element := range f.each(name) {
		return element
	}
	return nil
}
