package api

import (
	"net/http"
	"strings"

	"trento/store/check"
)

// catalogueCheck is a check in the catalogue, in the form of version 3.
type catalogueCheck struct {
	ID                    string                 `json:"id"`
	Name                  string                 `json:"name"`
	Group                 string                 `json:"group"`
	Description           string                 `json:"description"`
	Remediation           string                 `json:"remediation"`
	Severity              check.Severity         `json:"severity"`
	Metadata              map[string]any         `json:"metadata"`
	When                  *string                `json:"when"`
	Facts                 []catalogueFact        `json:"facts"`
	Values                []catalogueValue       `json:"values"`
	Expectations          []catalogueExpectation `json:"expectations"`
	Premium               bool                   `json:"premium"` // always false: there are no others any more
	CustomizationDisabled *bool                  `json:"customization_disabled,omitempty"`
}

type catalogueFact struct {
	Name     string `json:"name"`
	Gatherer string `json:"gatherer"`
	Argument string `json:"argument"`
}

type catalogueValue struct {
	Name                  string               `json:"name"`
	Default               any                  `json:"default"`
	Conditions            []catalogueCondition `json:"conditions"`
	CustomizationDisabled *bool                `json:"customization_disabled,omitempty"`
}

type catalogueCondition struct {
	Value      any    `json:"value"`
	Expression string `json:"expression"`
}

type catalogueExpectation struct {
	Name           string   `json:"name"`
	Type           string   `json:"type"`
	Expression     string   `json:"expression"`
	FailureMessage *string  `json:"failure_message"`
	WarningMessage **string `json:"warning_message,omitempty"` // in version 3 only
}

// newCatalogueCheck returns a check. Versions 1 and 2, which legacy stands for,
// know neither customisation nor expectations of the kind expect_enum.
func newCatalogueCheck(c *check.Check, legacy bool) catalogueCheck {
	shown := catalogueCheck{
		ID: c.ID, Name: c.Name, Group: c.Group, Description: c.Description, Remediation: c.Remediation, Severity: c.Severity,
		Metadata: c.Metadata, Facts: []catalogueFact{}, Values: []catalogueValue{}, Expectations: []catalogueExpectation{},
	}
	if c.When != nil {
		shown.When = new(c.When.Source())
	}
	if !legacy {
		shown.CustomizationDisabled = &c.CustomizationDisabled
	}
	for _, f := range c.Facts {
		shown.Facts = append(shown.Facts, catalogueFact(f))
	}
	for i := range c.Values {
		v := &c.Values[i]
		value := catalogueValue{Name: v.Name, Default: v.Default.JSON(), Conditions: []catalogueCondition{}}
		for _, condition := range v.Conditions {
			value.Conditions = append(value.Conditions, catalogueCondition{condition.Value.JSON(), condition.When.Source()})
		}
		if !legacy {
			value.CustomizationDisabled = &v.CustomizationDisabled
		}
		shown.Values = append(shown.Values, value)
	}
	for _, x := range c.Expectations {
		shown.Expectations = append(shown.Expectations, newCatalogueExpectation(x, legacy))
	}
	return shown
}

func newCatalogueExpectation(x check.Expectation, legacy bool) catalogueExpectation {
	shown := catalogueExpectation{Name: x.Name, Type: string(x.Kind), Expression: x.Script.Source(), FailureMessage: textOrNull(x.FailureText)}
	if legacy {
		if x.Kind == check.ExpectEnum {
			shown.Type = "unknown"
		}
		return shown
	}
	var warning *string
	if x.WarningMessage != nil {
		warning = new(strings.Trim(x.WarningMessage.Source(), "`")) // as check.ParseMessage has put it
	}
	shown.WarningMessage = &warning
	return shown
}

// listCatalogue returns the handler of GET /api/v3/checks/catalog and of the
// same path of versions 1 and 2: the checks that apply to the environment in the
// query, or all without one.
func (a *API) listCatalogue(legacy bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		environment := in.queryEnvironment()
		if err := in.fault(); err != nil {
			return err
		}
		items := []catalogueCheck{}
		for _, c := range a.deps.Executions.Catalogue().Checks {
			if c.AppliesTo(r.Context(), environment) {
				items = append(items, newCatalogueCheck(c, legacy))
			}
		}
		return send(w, http.StatusOK, struct {
			Items []catalogueCheck `json:"items"`
		}{items})
	}
}

// catalogueStatus is where the checks come from, and which files cannot be used.
type catalogueStatus struct {
	Directories []catalogueDirectory `json:"directories"`
	Version     *string              `json:"version"`
	Checks      int                  `json:"checks"`
	Broken      []brokenFile         `json:"broken"`
	Shadowed    []shadowedFile       `json:"shadowed"`
	LoadedAt    timestamp            `json:"loaded_at"`
}

type catalogueDirectory struct {
	Path  string `json:"path"`
	Files int    `json:"files"`
}

type brokenFile struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Reason string `json:"reason"`
}

type shadowedFile struct {
	ID      string `json:"id"`
	Used    string `json:"used"`
	Ignored string `json:"ignored"`
}

// showCatalogueStatus answers GET /api/v1/checks/catalog/status.
func (a *API) showCatalogueStatus(w http.ResponseWriter, _ *http.Request) error {
	c := a.deps.Executions.Catalogue()
	status := catalogueStatus{Directories: []catalogueDirectory{}, Version: textOrNull(c.Version), Checks: len(c.Checks), Broken: []brokenFile{}, Shadowed: []shadowedFile{}, LoadedAt: timestamp(c.ReadAt)}
	for _, d := range c.Directories {
		status.Directories = append(status.Directories, catalogueDirectory(d))
	}
	for _, f := range c.Broken {
		status.Broken = append(status.Broken, brokenFile{f.Path, f.Line, f.Column, f.Reason})
	}
	for _, s := range c.Shadowed {
		status.Shadowed = append(status.Shadowed, shadowedFile(s))
	}
	return send(w, http.StatusOK, status)
}

// engineName is how the checks engine calls itself. Programs recognise it by
// this name.
const engineName = "wanda"

// showEngine answers GET /wanda/api.
func (a *API) showEngine(w http.ResponseWriter, _ *http.Request) error {
	return send(w, http.StatusOK, struct {
		Name          string  `json:"name"`
		Version       string  `json:"version"`
		ChecksVersion *string `json:"checks_version"`
	}{engineName, a.deps.Version, textOrNull(a.deps.Executions.Catalogue().Version)})
}
