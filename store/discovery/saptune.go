package discovery

import (
	"slices"
	"strings"

	"trento/store/landscape"
)

// saptuneName makes a name of what saptune writes for people: "Notes enabled
// by Solution" becomes notes_enabled_by_solution.
func saptuneName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", "_"))
}

// decodeSaptune reads a saptune_discovery.
func decodeSaptune(payload value) (*landscape.SaptuneReport, error) {
	if !payload.object() {
		return nil, unable()
	}
	var wrong problems
	f := read(payload, nil, "", &wrong)
	for _, name := range []string{"saptune_installed", "package_version", "status"} {
		if f.members[name].absent() {
			return nil, unable()
		}
	}
	report := &landscape.SaptuneReport{
		Installed:      f.boolean("saptune_installed"),
		PackageVersion: f.optional("package_version"),
	}
	status := f.object("status")
	understood := true
	if status != nil && report.Installed {
		report.Status, understood = decodeSaptuneStatus(status, report.PackageVersion, &wrong)
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	if !understood {
		return nil, unable()
	}
	return report, nil
}

// decodeSaptuneStatus reads what saptune says about itself. It is not
// understood where it speaks of another version than the package's, or where
// a part is missing that every supported version writes.
func decodeSaptuneStatus(v value, packageVersion string, wrong *problems) (status *landscape.Saptune, understood bool) {
	outer := read(v, saptuneName, "", wrong)
	if _, ok := outer.get("result"); !ok {
		outer.add("result", detailBlank)
		return nil, false
	}
	f := outer.into("result")
	enabled, applied := f.texts("notes_enabled"), f.texts("notes_applied")
	additionally := f.texts("notes_enabled_additionally")
	status = &landscape.Saptune{
		PackageVersion:    f.pointerTo("package_version"),
		ConfiguredVersion: f.pointerTo("configured_version"),
		TuningState:       f.pointerTo("tuning_state"),
		EnabledNotes:      saptuneNotes(enabled, additionally),
		AppliedNotes:      saptuneNotes(applied, additionally),
		EnabledSolution:   f.enabledSolution(),
		AppliedSolution:   f.appliedSolution(),
	}
	var servicesUnderstood, stagingUnderstood bool
	status.Services, servicesUnderstood = f.saptuneServices()
	status.Staging, stagingUnderstood = f.saptuneStaging()

	sameVersion := packageVersion == ""
	if status.PackageVersion != nil {
		sameVersion = packageVersion == *status.PackageVersion
	}
	understood = sameVersion && servicesUnderstood && stagingUnderstood &&
		enabled != nil && applied != nil && (additionally != nil || len(enabled)+len(applied) == 0)
	return status, understood
}

// saptuneServices reads the services with their states; one that is not
// installed has none.
func (f *fields) saptuneServices() ([]landscape.SaptuneService, bool) {
	services := f.into("services")
	if !services.present() {
		return nil, false
	}
	list := make([]landscape.SaptuneService, 0, len(services.members))
	for name, v := range services.members {
		service := landscape.SaptuneService{Name: name}
		if !v.array() {
			return nil, false
		}
		states := []*string{}
		for _, element := range v.elements() {
			if !element.string() {
				return nil, false
			}
			state := element.text()
			states = append(states, &state)
		}
		switch len(states) {
		case 0:
		case 2:
			service.Enabled, service.Active = states[0], states[1]
		default:
			return nil, false
		}
		list = append(list, service)
	}
	slices.SortFunc(list, func(a, b landscape.SaptuneService) int { return strings.Compare(a.Name, b.Name) })
	return list, true
}

func (f *fields) saptuneStaging() (*landscape.SaptuneStaging, bool) {
	staging := f.into("staging")
	for _, name := range []string{"staging_enabled", "notes_staged", "solutions_staged"} {
		if _, ok := staging.get(name); !ok {
			return nil, false
		}
	}
	return &landscape.SaptuneStaging{
		Enabled:      staging.boolean("staging_enabled"),
		Notes:        staging.texts("notes_staged"),
		SolutionsIDs: staging.texts("solutions_staged"),
	}, true
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
	enabled := f.texts("solution_enabled")
	notes := f.only("notes_enabled_by_solution")
	if len(enabled) != 1 || notes == nil {
		return nil
	}
	return &landscape.SaptuneSolution{ID: enabled[0], Notes: notes.noteList()}
}

// appliedSolution is nil unless there is exactly one with its notes.
func (f *fields) appliedSolution() *landscape.SaptuneSolution {
	applied := f.only("solution_applied")
	notes := f.only("notes_applied_by_solution")
	if applied == nil || notes == nil {
		return nil
	}
	return &landscape.SaptuneSolution{
		ID:      applied.required("solution_id"),
		Notes:   notes.noteList(),
		Partial: applied.boolean("applied_partially"),
	}
}

// only is the single object of an array; nil where there is not exactly one.
func (f *fields) only(name string) *fields {
	v := f.array(name)
	if v.absent() {
		return nil
	}
	var single *fields
	for i, element := range v.elements() {
		if !element.object() {
			f.add(name, detailInvalid)
			return nil
		}
		if i > 0 {
			return nil
		}
		single = read(element, f.rename, indexed(f.pointer+"/"+name, i), f.wrong)
	}
	return single
}

// noteList is never nil, unlike what saptune writes.
func (f *fields) noteList() []string {
	if list := f.texts("note_list"); list != nil {
		return list
	}
	return []string{}
}
