package api

import (
	"encoding/json"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/check/script"
)

// selectableCheck is a check as it can be selected for a group.
type selectableCheck struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Group        string            `json:"group"`
	Description  string            `json:"description"`
	Severity     check.Severity    `json:"severity"`
	Values       []selectableValue `json:"values"`
	Customizable bool              `json:"customizable"`
	Customized   bool              `json:"customized"`
}

// selectableValue is a value of a check. Its default is only given if users may
// replace it.
type selectableValue struct {
	Name         string `json:"name"`
	Customizable bool   `json:"customizable"`
	Default      *any   `json:"default_value,omitempty"`
	Custom       *any   `json:"custom_value,omitempty"`
}

// listSelectableChecks answers GET /api/v1/groups/{group_id}/checks with the
// checks for an environment, and what is customised for the group.
func (a *API) listSelectableChecks(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	group, environment := pathID[string](in, "group_id"), in.queryEnvironment()
	if err := in.fault(); err != nil {
		return err
	}
	var custom check.CustomValues
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		custom, err = tx.CustomValues(group)
		return err
	})
	if err != nil {
		return err
	}
	items := []selectableCheck{}
	for _, c := range a.deps.Executions.Catalogue().Checks {
		if !c.AppliesTo(r.Context(), environment) {
			continue
		}
		item := selectableCheck{ID: c.ID, Name: c.Name, Group: c.Group, Description: c.Description, Severity: c.Severity, Values: []selectableValue{}, Customizable: c.Customizable()}
		originals := c.ResolveValues(r.Context(), environment, nil)
		for i := range c.Values {
			value := newSelectableValue(c, &c.Values[i], originals[i].Value, custom[c.ID])
			item.Values = append(item.Values, value)
			item.Customized = item.Customized || value.Custom != nil
		}
		items = append(items, item)
	}
	return send(w, http.StatusOK, struct {
		Items []selectableCheck `json:"items"`
	}{items})
}

func newSelectableValue(c *check.Check, v *check.Value, original script.Value, custom map[string]script.Value) selectableValue {
	shown := selectableValue{Name: v.Name, Customizable: !c.CustomizationDisabled && v.Customizable()}
	if !shown.Customizable {
		return shown
	}
	resolved := original.JSON()
	shown.Default = &resolved
	if own, ok := custom[v.Name]; ok {
		value := own.JSON()
		shown.Custom = &value
	}
	return shown
}

// customizeCheck answers POST
// /api/v1/groups/{group_id}/checks/{check_id}/customization. Values that are not
// given stay as they are; null puts a value back.
func (a *API) customizeCheck(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	group, id := pathID[string](in, "group_id"), in.pathCheck()
	values := required(in.object(), "values", func(at place, value json.RawMessage) []store.CustomValue {
		list := asShortListOf(asCustomValue)(at, value)
		if len(list) == 0 && kindOf(value) == "array" {
			at.refuse("Array length 0 is smaller than minItems: 1")
		}
		return list
	})
	if err := in.fault(); err != nil {
		return err
	}
	after, err := a.deps.Store.CustomizeCheck(r.Context(), auth.From(r.Context()).Actor(), group, id, a.deps.Executions.Catalogue().Find(id), values)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, struct {
		Values []store.CustomValue `json:"values"`
	}{after})
}

func asCustomValue(at place, value json.RawMessage) store.CustomValue {
	o := asObject(at, value)
	return store.CustomValue{Name: required(o, "name", asText), Value: required(o, "value", asScalar)}
}

// resetCheck answers DELETE
// /api/v1/groups/{group_id}/checks/{check_id}/customization.
func (a *API) resetCheck(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	group, id := pathID[string](in, "group_id"), in.pathCheck()
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.ResetCheck(r.Context(), auth.From(r.Context()).Actor(), group, id, a.deps.Executions.Catalogue().Find(id)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
