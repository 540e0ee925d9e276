package api

import (
	"encoding/json"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

// activitySettings are the settings of the activity log in answers of the API.
type activitySettings struct {
	RetentionTime activity.Retention `json:"retention_time"`
}

// showActivitySettings answers GET /api/v1/settings/activity_log.
func (a *API) showActivitySettings(w http.ResponseWriter, _ *http.Request) error {
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

// changeActivitySettings answers PUT /api/v1/settings/activity_log.
func (a *API) changeActivitySettings(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	s := activitySettings{RetentionTime: required(in.object(), "retention_time", asRetention)}
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.SetRetention(r.Context(), auth.From(r.Context()).Actor(), s.RetentionTime); err != nil {
		return err
	}
	return send(w, http.StatusOK, s)
}

// asRetention reads a retention time, a value with a unit.
func asRetention(at place, value json.RawMessage) (kept activity.Retention) {
	given := asObject(at, value)
	if given.members == nil {
		return kept
	}
	kept.Value = required(given, "value", asInteger)
	kept.Unit = activity.Unit(required(given, "unit", asText))
	if len(at.in.wrongMembers) > 0 {
		return kept
	}
	valueFault, unitFault := kept.Faults()
	if valueFault != "" {
		given.at("value").refuse(valueFault)
	}
	if unitFault != "" {
		given.at("unit").refuse(unitFault)
	}
	return kept
}
