package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
)

// concluded returns a conclusion with one check.
func concluded(r check.Result) *check.Conclusion {
	return &check.Conclusion{Checks: []check.CheckDocument{{CheckID: "A", Result: r}}}
}

func hostRequest(id string) check.Request {
	return check.Request{ExecutionID: id, GroupID: string(agent), Kind: check.HostSubject, Targets: []check.Target{{AgentID: string(agent), Checks: []string{"A"}}}}
}

// execute runs an execution from its start to its end.
func execute(t *testing.T, s *Store, by Actor, r check.Result) string {
	t.Helper()
	id := uuid.NewString()
	if _, err := s.StartExecution(t.Context(), by, hostRequest(id)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CompleteExecution(t.Context(), string(agent), id, concluded(r)); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestExecution(t *testing.T) {
	s, c := populated(t)
	ann := Actor{Name: "ann"}
	if err := s.SelectHostChecks(t.Context(), ann, agent, []string{"A"}); err != nil {
		t.Fatal(err)
	}
	start := len(entries(t, s))
	id := execute(t, s, ann, check.Critical)
	log := entries(t, s)[start:]
	want := []activity.Type{activity.TypeHostChecksExecutionRequest, activity.TypeHostChecksHealthChanged, activity.TypeHostHealthChanged, activity.TypeChecksExecutionCompleted}
	if diff := cmp.Diff(want, typesOf(log)); diff != "" {
		t.Error(diff)
	}
	for _, e := range log {
		if e.CorrelationID() != id {
			t.Errorf("%s: correlation id %s", e.Type, e.CorrelationID())
		}
	}
	if h := theHost(t, s); h.Health != landscape.HealthCritical || h.Inputs.Checks != landscape.HealthCritical {
		t.Errorf("health %s, of checks %s", h.Health, h.Inputs.Checks)
	}
	c.advance(time.Minute)
	start = len(entries(t, s))
	second := execute(t, s, System(), check.Critical)
	if log := entries(t, s)[start:]; len(log) > 0 {
		t.Errorf("the same result again is logged: %v", typesOf(log))
	}
	view(t, s, func(tx *Tx) error {
		all, err := tx.ExecutionsOf(string(agent))
		if len(all) != 2 || all[0].ID != second || all[0].Conclusion != all[1].Conclusion || all[1].By != "ann" || all[0].By != "" || tx.CountExecutions() != 2 {
			t.Errorf("%+v", all)
		}
		var back []string
		for e := range tx.ExecutionsBack() {
			back = append(back, e.ID)
		}
		if diff := cmp.Diff([]string{second, id}, back); diff != "" {
			t.Errorf("all, newest first: %s", diff)
		}
		if g, err := tx.CheckedGroup(string(agent)); err != nil || g.Running != nil || g.Last.ID != second || g.Last.Counts.Critical != 1 {
			t.Errorf("%+v (%v)", g, err)
		}
		return err
	})

	// Without checks, there is no result.
	if err := s.SelectHostChecks(t.Context(), ann, agent, []string{}); err != nil {
		t.Fatal(err)
	}
	log = entries(t, s)[start:]
	want = []activity.Type{activity.TypeHostChecksSelected, activity.TypeHostChecksHealthChanged, activity.TypeHostHealthChanged}
	if diff := cmp.Diff(want, typesOf(log)); diff != "" {
		t.Error(diff)
	}
	if h := theHost(t, s); h.Inputs.Checks != landscape.HealthUnknown || h.Health == landscape.HealthCritical {
		t.Errorf("health %s, of checks %s", h.Health, h.Inputs.Checks)
	}
	execute(t, s, System(), check.Warning)
	if h := theHost(t, s); h.Inputs.Checks != landscape.HealthUnknown {
		t.Errorf("health of checks %s", h.Inputs.Checks)
	}
}

// TestCheckOutcomes compares the outcomes with the conclusions.
func TestCheckOutcomes(t *testing.T) {
	s, c := populated(t)
	for _, r := range []check.Result{check.Passing, check.Critical, check.Critical, check.Warning} {
		execute(t, s, System(), r)
		c.advance(time.Minute)
	}
	view(t, s, func(tx *Tx) error {
		all, err := tx.ExecutionsOf(string(agent))
		if err != nil {
			return err
		}
		outcomes, err := tx.CheckOutcomes(all, "")
		if len(outcomes) != 1 || len(outcomes["A"]) != len(all) {
			t.Fatalf("%+v", outcomes)
		}
		for i, e := range all {
			if want := (check.Outcome{At: e.StartedAt, ExecutionID: e.ID, Result: e.Result}); outcomes["A"][i] != want {
				t.Errorf("%+v, want %+v", outcomes["A"][i], want)
			}
		}
		if none, err := tx.CheckOutcomes(all, "B"); len(none) > 0 || err != nil {
			t.Errorf("of a check that was never run: %+v, %v", none, err)
		}
		return err
	})
}

// BenchmarkCheckOutcomes reads 30 different conclusions of 100 checks on 4 hosts,
// with and without decoding all of them.
func BenchmarkCheckOutcomes(b *testing.B) {
	s := open(b, b.TempDir(), newClock())
	conclusion := new(check.Conclusion)
	for n := range 100 {
		d := check.CheckDocument{CheckID: fmt.Sprintf("%06X", n), Result: check.Passing}
		for host := range 4 {
			d.Agents = append(d.Agents, check.AgentDocument{
				AgentID: fmt.Sprintf("00000000-0000-4000-8000-%012d", host), Status: string(check.Executed),
				Facts:       []check.FactDocument{{CheckID: d.CheckID, Name: "limit", Value: json.RawMessage(`{"limits":{"soft":1048576,"hard":1048576,"domain":"@sapsys","item":"nofile"}}`)}},
				Values:      []check.ValueDocument{{Name: "wanted", Value: json.RawMessage("1048576")}},
				Evaluations: []check.EvaluationDocument{{Name: "as_wanted", Type: string(check.Expect), ReturnValue: json.RawMessage("true")}},
			})
		}
		conclusion.Checks = append(conclusion.Checks, d)
	}
	for n := range 30 {
		conclusion.Checks[n].Result = check.Critical
		id := uuid.NewString()
		if _, err := s.StartExecution(b.Context(), System(), hostRequest(id)); err != nil {
			b.Fatal(err)
		}
		if _, err := s.CompleteExecution(b.Context(), string(agent), id, conclusion); err != nil {
			b.Fatal(err)
		}
	}
	view(b, s, func(tx *Tx) error {
		all, err := tx.ExecutionsOf(string(agent))
		b.Run("results", func(b *testing.B) {
			for b.Loop() {
				if outcomes, err := tx.CheckOutcomes(all, ""); len(outcomes) != 100 || err != nil {
					b.Fatal(len(outcomes), err)
				}
			}
		})
		b.Run("conclusions", func(b *testing.B) {
			for b.Loop() {
				for _, e := range all {
					if _, err := tx.Conclusion(e); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		return err
	})
}

func TestExecutionRefusals(t *testing.T) {
	s, _ := populated(t)
	id := execute(t, s, System(), check.Passing)
	if _, err := s.StartExecution(t.Context(), System(), hostRequest(id)); !errors.Is(err, ErrExecutionIDUsed) {
		t.Errorf("the same id again: %v", err)
	}
	if _, err := s.StartExecution(t.Context(), System(), hostRequest("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartExecution(t.Context(), System(), hostRequest("y")); !errors.Is(err, ErrExecutionRunning) {
		t.Errorf("while one is under way: %v", err)
	}
	for _, id := range []string{id, "y"} {
		if _, err := s.CompleteExecution(t.Context(), string(agent), id, concluded(check.Critical)); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s, which is not under way: %v", id, err)
		}
	}
}

func TestSuperfluousExecutions(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	var all []*Execution
	for n := range 40 * 24 { // one each hour for 40 days; every hundredth concludes something else
		all = append(all, &Execution{ID: fmt.Sprint(n), StartedAt: now.Add(-time.Duration(n) * time.Hour), Conclusion: fmt.Sprint(n / 100)})
	}
	remove := superfluousExecutions(all, now)
	days, changes := map[string]bool{}, 0
	for n, e := range all {
		switch {
		case n < maxKeptExecutions && remove[e.ID]:
			t.Errorf("one of the last is removed: %d", n)
		case now.Sub(e.StartedAt) > executionAge && !remove[e.ID]:
			t.Errorf("an old one is kept: %d", n)
		case n >= maxKeptExecutions && !remove[e.ID]:
			days[e.StartedAt.Format(time.DateOnly)] = true
			if n%100 == 99 {
				changes++
			}
		}
	}
	if kept := len(all) - len(remove); len(days) != 28 || changes != 7 || kept != 50+28+7 {
		t.Errorf("%d kept: of %d days, %d changes", kept, len(days), changes)
	}
	if len(superfluousExecutions(all[:1], now.AddDate(1, 0, 0))) > 0 {
		t.Error("the only one is removed")
	}
}

func TestThinExecutions(t *testing.T) {
	s, c := populated(t)
	for n := range maxKeptExecutions + 20 { // at most one of each day stays of the older ones
		if n%2 == 0 {
			execute(t, s, System(), check.Passing)
		} else {
			execute(t, s, System(), check.Warning)
		}
		c.advance(31 * 24 * time.Hour)
	}
	view(t, s, func(tx *Tx) error {
		all, err := tx.ExecutionsOf(string(agent))
		if len(all) != maxKeptExecutions || tx.CountExecutions() != maxKeptExecutions {
			t.Errorf("%d are kept", len(all))
		}
		return err
	})
}

func customCheck(t *testing.T, disabled bool) *check.Check {
	t.Helper()
	c, broken := check.Read(check.File{Path: "A", Name: "A.yaml", Content: fmt.Appendf(nil, `
id: "A"
name: A
group: G
description: D
remediation: R
customization_disabled: %v
metadata: {target_type: host}
facts: []
values: [{name: n, default: 1}, {name: s, default: x}, {name: b, default: true}, {name: fixed, default: 1, customization_disabled: true}]
expectations: [{name: e, expect: "true"}]
`, disabled)})
	if broken != nil {
		t.Fatal(broken)
	}
	return c
}

func TestCustomizeCheck(t *testing.T) {
	s, _ := populated(t)
	ann, about := Actor{Name: "ann"}, customCheck(t, false)
	customize := func(values ...CustomValue) ([]CustomValue, error) {
		return s.CustomizeCheck(t.Context(), ann, "g", "A", about, values)
	}
	for name, try := range map[string]struct {
		about  *check.Check
		values []CustomValue
		want   *fault.Error
	}{
		"no such check": {nil, []CustomValue{{"n", 2.0}}, ErrNoSuchCheck},
		"disabled":      {customCheck(t, true), []CustomValue{{"n", 2.0}}, ErrNotCustomizable},
		"fixed value":   {about, []CustomValue{{"n", 2.0}, {"fixed", 2.0}}, ErrCustomValues},
		"other type":    {about, []CustomValue{{"n", "2"}}, ErrCustomValues},
	} {
		if _, err := s.CustomizeCheck(t.Context(), ann, "g", "A", try.about, try.values); !errors.Is(err, try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.ResetCheck(t.Context(), ann, "g", "A", about); !errors.Is(err, ErrNoSuchCustomization) {
		t.Errorf("nothing to reset: %v", err)
	}
	start := len(entries(t, s))
	for _, step := range []struct{ given, want []CustomValue }{
		{[]CustomValue{{"s", "y"}}, []CustomValue{{"s", "y"}}},
		{[]CustomValue{{"n", 0.0}}, []CustomValue{{"n", int64(0)}, {"s", "y"}}}, // the others stay
		{[]CustomValue{{"n", 0.0}}, []CustomValue{{"n", int64(0)}, {"s", "y"}}}, // nothing changes
		{[]CustomValue{{"n", nil}, {"b", false}}, []CustomValue{{"s", "y"}, {"b", false}}},
		{[]CustomValue{{"s", nil}, {"b", nil}}, []CustomValue{}},
	} {
		after, err := customize(step.given...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, after); diff != "" {
			t.Errorf("after %v: %s", step.given, diff)
		}
	}
	applied := activity.TypeCheckCustomizationApplied
	if diff := cmp.Diff([]activity.Type{applied, applied, applied, activity.TypeCheckCustomizationReset}, typesOf(entries(t, s)[start:])); diff != "" {
		t.Error(diff)
	}
}

func TestWaivers(t *testing.T) {
	s, c := populated(t)
	ann := Actor{Name: "ann"}
	given := Waiver{GroupID: string(agent), Kind: check.HostSubject, CheckID: "A", Reason: " moves next week ", Until: c.Now().Add(time.Hour)}
	for field, change := range map[string]func(*Waiver){
		"reason":   func(w *Waiver) { w.Reason = " " },
		"until":    func(w *Waiver) { w.Until = c.Now().AddDate(2, 0, 0) },
		"check_id": func(w *Waiver) { w.CheckID = "" },
		"agent_id": func(w *Waiver) { w.AgentID = "other" },
	} {
		w := given
		change(&w)
		var invalid *fault.Error
		if _, err := s.CreateWaiver(t.Context(), ann, w); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	start := len(entries(t, s))
	w, err := s.CreateWaiver(t.Context(), ann, given)
	if err != nil || w.Reason != "moves next week" || w.By != "ann" {
		t.Fatalf("%+v (%v)", w, err)
	}
	if _, err := s.CreateWaiver(t.Context(), ann, given); err == nil {
		t.Error("the same failure was waived twice")
	}
	if _, err := s.ChangeWaiver(t.Context(), ann, w.ID, "moves later", w.Until.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	c.advance(90 * time.Minute)
	if err := s.EndExpiredWaivers(t.Context()); err != nil {
		t.Error(err)
	}
	c.advance(30 * time.Minute)
	view(t, s, func(tx *Tx) error {
		if inForce, err := tx.WaiversInForce(string(agent)); err != nil || len(inForce) > 0 {
			t.Errorf("after its end: %v (%v)", inForce, err)
		}
		return nil
	})
	if err := s.EndExpiredWaivers(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.EndWaiver(t.Context(), ann, w.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended twice: %v", err)
	}
	want := []activity.Type{activity.TypeCheckWaiverCreation, activity.TypeCheckWaiverModification, activity.TypeCheckWaiverEnd}
	if diff := cmp.Diff(want, typesOf(entries(t, s)[start:])); diff != "" {
		t.Error(diff)
	}
}
