package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

// activitySettings are the settings of the activity log as clients of the API
// know them.
type activitySettings struct {
	RetentionTime activity.Retention `json:"retention_time"`
}

// activitySettings answers GET /api/v1/settings/activity_log.
func (a *API) activitySettings(w http.ResponseWriter, _ *http.Request) error {
	var s activitySettings
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		s.RetentionTime, err = tx.Retention()
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, s)
}

// setActivitySettings answers PUT /api/v1/settings/activity_log.
func (a *API) setActivitySettings(w http.ResponseWriter, r *http.Request) error {
	var s activitySettings
	given, err := schemaMembers(r)
	if err == nil {
		s.RetentionTime, err = given.retention()
	}
	if err != nil {
		return err
	}
	if err := a.deps.Store.SetRetention(r.Context(), auth.From(r.Context()).Actor(), s.RetentionTime); err != nil {
		return err
	}
	return send(w, http.StatusOK, s)
}

// retention is the member retention_time of a body that has no other.
func (o object) retention() (activity.Retention, error) {
	const name, pointer = "retention_time", "/retention_time"
	var kept activity.Retention
	if err := o.only(name); err != nil {
		return kept, err
	}
	value, err := o.required(name)
	if err != nil {
		return kept, err
	}
	var inner object
	if kind := kindOf(value); kind != "object" || json.Unmarshal(value, &inner) != nil {
		return kept, unprocessable(mistyped(pointer, "object", kind))
	}
	if err := inner.only("value", "unit"); err != nil {
		return kept, within(pointer, err)
	}
	number, err := inner.required("value")
	if err != nil {
		return kept, within(pointer, err)
	}
	unit, err := inner.required("unit")
	if err != nil {
		return kept, within(pointer, err)
	}
	var wrong []problem
	kept.Value = schemaInteger(pointer+"/value", number, &wrong)
	kept.Unit = activity.Unit(schemaText(pointer+"/unit", unit, &wrong))
	if len(wrong) > 0 {
		return kept, unprocessable(wrong...)
	}
	valueFault, unitFault := kept.Faults()
	if valueFault != "" {
		wrong = append(wrong, invalid(pointer+"/value", valueFault))
	}
	if unitFault != "" {
		wrong = append(wrong, invalid(pointer+"/unit", unitFault))
	}
	return kept, unprocessable(wrong...)
}

// within says of a refused member that it is inside another one.
func within(pointer string, err error) error {
	if refused, ok := errors.AsType[*refusal](err); ok {
		for _, p := range refused.problems {
			p.Source.Pointer = pointer + p.Source.Pointer
		}
	}
	return err
}
