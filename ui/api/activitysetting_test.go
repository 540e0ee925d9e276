package api_test

import (
	"net/http"
	"testing"

	"trento/store/activity"
)

const logSettingsPath = "/api/v1/settings/activity_log"

// TestActivitySettings goes through the table of bodies. What is refused
// changes nothing, and only what was accepted is logged.
func TestActivitySettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("keeper", 16) // all:activity_logs_settings
	f.user("ann", 14, 17)
	retention := func(value, unit string) string {
		return `{"retention_time":{"value":` + value + `,"unit":` + unit + `}}`
	}
	const value, unit = "/retention_time/value", "/retention_time/unit"
	now := retention("1", `"month"`)
	f.get("ann", logSettingsPath).expect(t, http.StatusOK, now)
	for _, test := range []struct {
		as, body string
		status   int
		want     string
	}{
		{"keeper", retention("6", `"month"`), 200, retention("6", `"month"`)},
		{"root", retention("2", `"week"`), 200, retention("2", `"week"`)},
		{"root", retention("1000000", `"year"`), 200, retention("1000000", `"year"`)},
		{"root", `{"retention_time":{"unit":"day","value":90}}`, 200, retention("90", `"day"`)},
		{"ann", retention("6", `"month"`), 403, forbidden},
		{"ann", `{"x":1}`, 403, forbidden}, // asked before the body is looked at
		{nobody, retention("6", `"month"`), 401, signedOut},
		{"root", ``, 422, problems("/retention_time", "Missing field: retention_time")},
		{"root", `{}`, 422, problems("/retention_time", "Missing field: retention_time")},
		{"root", `[]`, 422, problems("/", "Invalid object. Got: array")},
		{"root", `{"retention_time":{"value":1,"unit":"day"},"x":1}`, 422, problems("/x", "Unexpected field: x")},
		{"root", `{"retention_time":{"value":1,"unit":"day","x":1}}`, 422, problems("/retention_time/x", "Unexpected field: x")},
		{"root", `{"retention_time":{"unit":"day"}}`, 422, problems(value, "Missing field: value")},
		{"root", `{"retention_time":{"value":1}}`, 422, problems(unit, "Missing field: unit")},
		{"root", `{"retention_time":null}`, 422, problems("/retention_time", "null value where object expected")},
		{"root", `{"retention_time":"1 month"}`, 422, problems("/retention_time", "Invalid object. Got: string")},
		{"root", retention("0", `"day"`), 422, problems(value, "0 is smaller than inclusive minimum 1")},
		{"root", retention("-3", `"day"`), 422, problems(value, "-3 is smaller than inclusive minimum 1")},
		{"root", retention("1000001", `"day"`), 422, problems(value, "1000001 is larger than inclusive maximum 1000000")},
		{"root", retention("99999999999999999999", `"day"`), 422, problems(value, "9223372036854775807 is larger than inclusive maximum 1000000")},
		{"root", retention(`"abc"`, `"day"`), 422, problems(value, "Invalid integer. Got: string")},
		{"root", retention(`"3"`, `"day"`), 422, problems(value, "Invalid integer. Got: string")},
		{"root", retention(`1.5`, `"day"`), 422, problems(value, "Invalid integer. Got: number")},
		{"root", retention(`null`, `"day"`), 422, problems(value, "null value where integer expected")},
		{"root", retention(`1`, `"decade"`), 422, problems(unit, "Invalid value for enum")},
		{"root", retention(`1`, `"Month"`), 422, problems(unit, "Invalid value for enum")},
		{"root", retention(`1`, `7`), 422, problems(unit, "Invalid string. Got: integer")},
		{"root", retention(`0`, `"decade"`), 422, problems(unit, "Invalid value for enum", value, "0 is smaller than inclusive minimum 1")},
		{"root", `{"retention_time":`, 400, "*"},
	} {
		got := f.do(call{as: test.as, method: http.MethodPut, path: logSettingsPath, body: test.body})
		got.expect(t, test.status, test.want)
		if got.status == http.StatusOK {
			now = test.want
		}
		f.get("ann", logSettingsPath).expect(t, http.StatusOK, now)
	}
	log := f.entries(activity.TypeActivityLogSettingsUpdate)
	if len(log) != 4 || log[0].Actor != "keeper" || string(log[0].Metadata) != retention("6", `"month"`) {
		t.Errorf("%d entries, the first %+v", len(log), log[0])
	}
}
