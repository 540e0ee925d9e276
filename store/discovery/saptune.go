package discovery

import (
	"maps"
	"slices"
	"strings"

	"trento/store/landscape"
)

// normalizeSaptuneName returns the name that belongs to a label that saptune
// prints: "Notes enabled by Solution" becomes notes_enabled_by_solution.
func normalizeSaptuneName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", "_"))
}

// decodeSaptune reads a saptune_discovery.
func decodeSaptune(payload value, r *findings) (*landscape.SaptuneReport, error) {
	if !payload.isObject() {
		return nil, errUnknownForm()
	}
	f := readPayload(payload, nil, r)
	report := &landscape.SaptuneReport{PackageVersion: f.text("package_version")}
	status := f.object("status")
	switch installed := f.boolean("saptune_installed"); {
	case installed != nil:
		report.Installed = *installed
	case report.PackageVersion != "" || !status.isAbsent(): // a version or a status proves that saptune is installed
		f.noteEmpty("saptune_installed")
		report.Installed = true
	case f.emptyReason("saptune_installed") != reasonIsEmpty: // agents write "" if saptune is not installed
		f.noteEmpty("saptune_installed")
		report.Unread = true
	}
	if !status.isAbsent() && report.Installed {
		report.Status = f.saptuneStatus(report)
	}
	return report, nil
}

// saptuneStatus reads the status of saptune. It leaves out a status whose
// version is not that of the package.
func (f *fields) saptuneStatus(report *landscape.SaptuneReport) *landscape.Saptune {
	outer := &fields{normalize: normalizeSaptuneName, parent: f, name: "status", index: -1, findings: f.findings}
	result := outer.readMembers(f.object("status")).nested("result")
	if !result.isPresent() {
		outer.noteEmpty("result")
		return nil
	}
	version := result.expectedText("package version")
	switch {
	case report.PackageVersion == "":
		report.PackageVersion = version
	case version == "":
		version = report.PackageVersion
	case version != report.PackageVersion:
		result.leaveOut("package version", reasonOtherVersion)
		return nil
	}
	enabled, applied := result.expectedTexts("Notes enabled"), result.expectedTexts("Notes applied")
	additionally := result.texts("Notes enabled additionally")
	if len(enabled)+len(applied) > 0 {
		result.noteEmpty("Notes enabled additionally")
	}
	return &landscape.Saptune{
		PackageVersion:    nilIfEmpty(version),
		ConfiguredVersion: result.textOrNil("configured version"),
		TuningState:       nilIfEmpty(result.expectedText("tuning state")),
		EnabledNotes:      saptuneNotes(enabled, additionally),
		AppliedNotes:      saptuneNotes(applied, additionally),
		EnabledSolution:   result.enabledSolution(),
		AppliedSolution:   result.appliedSolution(),
		Services:          result.saptuneServices(),
		Staging:           result.saptuneStaging(),
	}
}

// expectedTexts does the same as texts, and notes an omission if the texts are
// missing, because every agent sends them.
func (f *fields) expectedTexts(name string) []string {
	f.noteEmpty(name)
	return f.texts(name)
}

// saptuneServices reads the services with their states. A service has no states
// if it is not installed or if its states cannot be read.
func (f *fields) saptuneServices() []landscape.SaptuneService {
	list := []landscape.SaptuneService{}
	f.noteEmpty("services")
	services := f.nested("services")
	for _, name := range slices.Sorted(maps.Keys(services.members)) {
		service := landscape.SaptuneService{Name: name}
		switch states := services.texts(name); len(states) {
		case 0:
		case 2:
			service.Enabled, service.Active = &states[0], &states[1]
		default:
			services.leaveOut(name, notStatePair)
		}
		list = append(list, service)
	}
	return list
}

// saptuneStaging reads the staged notes and solutions; nil if it is unknown
// whether staging is enabled.
func (f *fields) saptuneStaging() *landscape.SaptuneStaging {
	f.noteEmpty("staging")
	staging := f.nested("staging")
	if !staging.isPresent() {
		return nil
	}
	enabled := staging.expectedBoolean("staging enabled")
	notes, solutions := staging.expectedTexts("Notes staged"), staging.expectedTexts("Solutions staged")
	if enabled == nil {
		return nil
	}
	return &landscape.SaptuneStaging{Enabled: *enabled, Notes: emptyIfNil(notes), SolutionsIDs: emptyIfNil(solutions)}
}

func emptyIfNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// saptuneNotes returns notes, and marks those that are not part of a solution.
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

// enabledSolution reads the enabled solution with its notes; nil unless there
// is exactly one.
func (f *fields) enabledSolution() *landscape.SaptuneSolution {
	enabled := f.texts("Solution enabled")
	notes := f.onlyObject("Notes enabled by Solution")
	if len(enabled) != 1 || notes == nil {
		return nil
	}
	return &landscape.SaptuneSolution{ID: enabled[0], Notes: emptyIfNil(notes.texts("Note list"))}
}

// appliedSolution reads the applied solution with its notes; nil unless there
// is exactly one.
func (f *fields) appliedSolution() *landscape.SaptuneSolution {
	applied := f.onlyObject("Solution applied")
	notes := f.onlyObject("Notes applied by Solution")
	if applied == nil || notes == nil {
		return nil
	}
	id := applied.expectedText("Solution ID")
	partial := applied.expectedBoolean("applied partially")
	if id == "" {
		return nil
	}
	return &landscape.SaptuneSolution{ID: id, Notes: emptyIfNil(notes.texts("Note list")), Partial: isTrue(partial)}
}

// onlyObject reads the object of an array with one element; nil for any other
// array.
func (f *fields) onlyObject(name string) *fields {
	if f.lengthOf(name) != 1 {
		return nil
	}
	for element := range f.objects(name) {
		return element
	}
	return nil
}
