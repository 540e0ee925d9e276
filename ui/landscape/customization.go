package landscape

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

// customizationPage customises the values of a check for a cluster or host.
type customizationPage struct {
	page.Frame
	checkedThing
	Check       string
	CheckName   string
	Description page.HTML
	Facts       []page.Fact
	Modified    bool // a value is customised
	Refused     string
	// Fields are the values that can be customised, and Fixed the others.
	Fields []*customField
	Fixed  []fixedValue
	// Agreement is the consent to the first deviation from what the check says;
	// nil if it is not needed.
	Agreement *page.Field
	Faults    []page.FaultLink
	Typed     bool // the form has input that is not saved
	Action    string
	ResetURL  string
	Return    string
	Ask       *page.Confirmation
}

// Template implements page.Page.
func (*customizationPage) Template() string { return "customization" }

// customField is the input of a value.
type customField struct {
	page.Field
	ValueType check.ValueType
	ValueName string
	Shown     string // the value when the form was made
	Default   string // the value that applies here without customisation
	Options   []page.Option
	Modified  bool
}

// IsLong reports whether the value has several lines.
func (f *customField) IsLong() bool {
	return f.ValueType == check.Text && strings.Contains(f.Value+f.Default, "\n")
}

// fixedValue is a value that cannot be customised, and why.
type fixedValue struct{ Name, Value, Reason string }

// fieldOf is the beginning of the names of the inputs of values.
const fieldOf = "value:"

// valuesPath returns the path of the page that customises the values of a check.
// thing is the path of the cluster or host.
func valuesPath(thing, id string) string {
	return thing + "/settings/" + url.PathEscape(id) + "/values"
}

// customizationRoutes returns the routes of the pages that customise values.
func (s *Pages) customizationRoutes() (routes []api.Route) {
	const operation = "/api/v1/groups/{group_id}/checks/{check_id}/customization"
	for kind, root := range map[check.SubjectKind]string{check.ClusterSubject: "/clusters/{id}/settings/{check}", check.HostSubject: "/hosts/{id}/settings/{check}"} {
		needs, checks := auth.Needs(abilityCustomize), auth.InSets("checks")
		routes = append(routes,
			api.Route{Method: "GET", Path: root + "/values", Access: auth.SignedIn, Tokens: auth.InSets("read_only", "checks").As("GET /api/v1/groups/{group_id}/checks"), Handle: s.showCustomization(kind)},
			api.Route{Method: "POST", Path: root + "/values", Access: needs, Tokens: checks.As("POST " + operation), Handle: page.ReadForm(s.customizeCheck(kind))},
			api.Route{Method: "GET", Path: root + "/values/reset", Access: needs, Tokens: checks.As("DELETE " + operation), Handle: s.resetCheck(kind)},
			api.Route{Method: "POST", Path: root + "/values/reset", Access: needs, Tokens: checks.As("DELETE " + operation), Handle: page.ReadForm(s.resetCheck(kind))},
		)
	}
	return routes
}

// newCustomizationPage reads the values of the check in the path. about is nil if
// the catalogue does not have the check any more, but values of it are
// customised.
func (s *Pages) newCustomizationPage(r *http.Request, kind check.SubjectKind) (p *customizationPage, about *check.Check, err error) {
	group, err := pathGroup(r)
	if err != nil {
		return nil, nil, err
	}
	id := page.PathVar(r, "check")
	about = s.Executions.Catalogue().Find(id)
	p = &customizationPage{Frame: s.NewFrame(r, ""), Check: id, CheckName: id}
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		x, err := readCheckedGroup(tx, kind, group)
		if err != nil {
			return err
		}
		p.checkedThing = x.thing
		custom, err := tx.Customization(group, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if about != nil && (x.subject == nil || about.SubjectKind() != kind) {
			about = nil
		}
		if about == nil && custom == nil {
			return fmt.Errorf("values of check %q: %w", id, store.ErrNotFound)
		}
		var environment check.Environment
		if x.subject != nil {
			environment = x.subject.Environment
		}
		s.describeCustomization(r, p, about, environment, custom)
		return s.ReadFrame(&p.Frame, tx)
	})
	return p, about, err
}

// describeCustomization fills the page. custom is nil if nothing is customised.
func (s *Pages) describeCustomization(r *http.Request, p *customizationPage, about *check.Check, environment check.Environment, custom *store.Customization) {
	p.Refused = p.WhyRefused(abilityCustomize)
	p.Action = valuesPath(p.Path, p.Check)
	p.Return = p.Path + "/settings#check-" + p.Check
	if given := auth.LocalTarget(cmp.Or(r.PostForm.Get("return_to"), r.URL.Query().Get("return_to"))); strings.HasPrefix(given, p.Path+"/") {
		p.Return = given
	}
	p.ResetURL = page.WithQuery(p.Action+"/reset", url.Values{"return_to": {p.Return}})
	p.Facts = []page.Fact{{Label: "Check ID", Text: p.Check, Mono: true}}
	present := make(map[string]any)
	if custom != nil {
		p.Modified = true
		p.Facts = append(p.Facts, page.Fact{Label: "Customised by", Text: custom.By}, s.TimestampFact("Customised", custom.UpdatedAt))
		for _, v := range custom.Values {
			present[v.Name] = v.Value
		}
	}
	if about != nil {
		p.CheckName, p.Description = about.Name, page.Markdown(about.Description)
		provider, _ := environment["provider"].(string)
		p.Facts = slices.Insert(p.Facts, 1, page.Fact{Label: "Provider", Text: providerName(provider)})
		p.addValues(about, about.ResolveValues(r.Context(), environment, nil), present)
	} else {
		for _, v := range custom.Values {
			p.Fixed = append(p.Fixed, fixedValue{v.Name, fmt.Sprint(v.Value), "The check is no longer in the catalogue. The value waits for it."})
		}
	}
	if p.Title = "Values of " + p.CheckName + " – " + p.Name; !p.Modified {
		p.Agreement = &page.Field{Name: "agreed", Label: "I deviate from what the check recommends on purpose", Required: true}
	}
}

// addValues adds the values of the check. resolved are those that apply here
// without customisation, and present the customised ones.
func (p *customizationPage) addValues(about *check.Check, resolved []check.ValueResult, present map[string]any) {
	for i := range about.Values {
		v := &about.Values[i]
		here := resolved[i].Value.String()
		switch {
		case about.CustomizationDisabled:
			p.Fixed = append(p.Fixed, fixedValue{v.Name, here, "The check does not allow other values."})
			continue
		case v.CustomizationDisabled:
			p.Fixed = append(p.Fixed, fixedValue{v.Name, here, "The check does not allow another value."})
			continue
		case !v.Customizable():
			p.Fixed = append(p.Fixed, fixedValue{v.Name, here, "Only whole numbers, texts and booleans can be customised."})
			continue
		}
		f := &customField{ValueType: v.Type(), ValueName: v.Name, Default: here}
		f.Field = page.Field{Name: fieldOf + v.Name, ID: fmt.Sprint("value-", i+1), Label: v.Name, Type: "text", Value: here, Help: valueHelp(about, v, here)}
		if own, ok := present[v.Name]; ok {
			f.Modified, f.Value = true, fmt.Sprint(own)
		}
		f.Shown = f.Value
		f.choose()
		p.Fields = append(p.Fields, f)
	}
}

// choose sets the options of a boolean to the value of the field.
func (f *customField) choose() {
	if f.ValueType == check.Boolean {
		f.Options = page.Choices(f.Value, "true", "true", "false", "false")
	}
}

// valueHelp says what a value is for, and what applies without customisation.
func valueHelp(about *check.Check, v *check.Value, here string) string {
	words := "Default here: " + cmp.Or(here, "empty")
	if usual := v.Default.String(); usual != here {
		words += " (" + cmp.Or(usual, "empty") + " elsewhere)"
	}
	words += ", a " + string(v.Type()) + "."
	if names := about.Comparing(v.Name); len(names) > 0 {
		words += " Used by the expectation"
		if len(names) > 1 {
			words += "s"
		}
		words += " " + listNames(names) + "."
	}
	return words
}

// showCustomization answers GET /clusters/{id}/settings/{check}/values and the
// same path of hosts.
func (s *Pages) showCustomization(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, _, err := s.newCustomizationPage(r, kind)
		if err != nil {
			return err
		}
		return s.Render(w, r, http.StatusOK, p)
	}
}

// customizeCheck answers POST /clusters/{id}/settings/{check}/values and the same
// path of hosts. A value that the reader has not touched stays as it is by now,
// and one that is the default here is customised no more.
func (s *Pages) customizeCheck(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, about, err := s.newCustomizationPage(r, kind)
		if err != nil {
			return err
		}
		given, faults := p.read(r.PostForm)
		if len(faults) > 0 {
			p.refuse(faults)
			return s.Render(w, r, http.StatusUnprocessableEntity, p)
		}
		news := "Nothing was changed"
		if len(given) > 0 || about == nil || len(p.Fields) == 0 {
			if _, err := s.Store.CustomizeCheck(r.Context(), auth.From(r.Context()).Actor(), page.PathVar(r, "id"), p.Check, about, given); err != nil {
				return err
			}
			news = "Check was customized successfully"
		}
		s.SetFlash(w, r, news)
		http.Redirect(w, r, p.Return, http.StatusSeeOther)
		return nil
	}
}

// read returns the values that the reader has changed, and what is wrong with
// them. The fields keep what was typed.
func (p *customizationPage) read(form url.Values) (given []store.CustomValue, faults fault.Errors) {
	for _, f := range p.Fields {
		if !form.Has(f.Name) {
			continue
		}
		typed := strings.ReplaceAll(form.Get(f.Name), "\r\n", "\n")
		shown := f.Shown
		if form.Has("shown:" + f.ValueName) {
			shown = strings.ReplaceAll(form.Get("shown:"+f.ValueName), "\r\n", "\n")
		}
		if typed == shown {
			continue
		}
		f.Value, f.Shown = typed, shown
		f.choose()
		value, wrong := readCustomValue(f.ValueType, typed)
		if wrong != "" {
			faults.Add(f.Name, wrong)
			continue
		}
		if fmt.Sprint(value) == f.Default {
			value = nil
		}
		given = append(given, store.CustomValue{Name: f.ValueName, Value: value})
	}
	deviates := slices.ContainsFunc(given, func(v store.CustomValue) bool { return v.Value != nil })
	if p.Agreement != nil && deviates && form.Get("agreed") != "true" {
		faults.Add(p.Agreement.Name, "can't be blank")
	}
	return given, faults
}

// readCustomValue reads a value of a kind as it was typed. wrong says what is
// wrong with it.
func readCustomValue(kind check.ValueType, typed string) (value any, wrong string) {
	switch kind {
	case check.WholeNumber:
		n, err := strconv.ParseInt(strings.TrimSpace(typed), 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange) || err == nil && (n < math.MinInt32 || n > math.MaxInt32):
			return nil, fmt.Sprintf("must be from %d to %d", math.MinInt32, math.MaxInt32)
		case err != nil:
			return nil, "must be a whole number, such as 5000"
		}
		return n, ""
	case check.Boolean:
		if typed != "true" && typed != "false" {
			return nil, "must be true or false"
		}
		return typed == "true", ""
	}
	if utf8.RuneCountInString(typed) > store.MaxCustomText {
		return nil, fmt.Sprintf("should be at most %d character(s)", store.MaxCustomText)
	}
	return typed, ""
}

// refuse shows what is wrong at the fields.
func (p *customizationPage) refuse(faults fault.Errors) {
	var fields []*page.Field
	for _, f := range p.Fields {
		fields = append(fields, &f.Field)
	}
	if p.Agreement != nil {
		fields = append(fields, p.Agreement)
	}
	p.Faults, _ = page.ApplyFaults(faults, fields...)
	p.Typed = true
}

// resetCheck answers GET and POST /clusters/{id}/settings/{check}/values/reset and
// the same path of hosts.
func (s *Pages) resetCheck(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, about, err := s.newCustomizationPage(r, kind)
		if err != nil {
			return err
		}
		if !p.Modified {
			return store.ErrNoSuchCustomization
		}
		p.Ask = &page.Confirmation{
			Title: "Reset check: " + p.Check, Action: p.Action + "/reset", Form: "confirmation-form", Verb: "Reset to defaults", Danger: true, Plan: "yes",
			CloseURL:  page.WithQuery(p.Action, url.Values{"return_to": {p.Return}}),
			Keep:      []page.HiddenInput{{Name: "return_to", Value: p.Return}},
			Sentences: []string{"You are about to reset custom checks values. Would you like to continue?", "These go back to the default, and count from the next execution on:"},
		}
		for _, f := range p.Fields {
			if f.Modified {
				p.Ask.Things = append(p.Ask.Things, f.ValueName+": "+f.Value+" → "+f.Default)
			}
		}
		for _, v := range p.Fixed {
			if about == nil {
				p.Ask.Things = append(p.Ask.Things, v.Name+": "+v.Value)
			}
		}
		if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != p.Ask.Plan {
			return s.Render(w, r, http.StatusOK, p)
		}
		if err := s.Store.ResetCheck(r.Context(), auth.From(r.Context()).Actor(), page.PathVar(r, "id"), p.Check, about); err != nil {
			return err
		}
		s.SetFlash(w, r, "Customization was reset!")
		http.Redirect(w, r, p.Return, http.StatusSeeOther)
		return nil
	}
}
