package landscape

import (
	"slices"
	"testing"

	"trento/store"
	"trento/store/check"
)

// TestChecksState checks what lists say about checks, in the order of urgency.
func TestChecksState(t *testing.T) {
	t.Parallel()
	run := func(health check.Result, n check.Counts) checksState {
		return checksState{applicable: true, selected: 1, last: &store.Execution{Health: health, Counts: n}}
	}
	tests := []struct {
		state      checksState
		word, text string
		url        string
	}{
		{run(check.Critical, check.Counts{Critical: 2, Passing: 1}), "critical", "2 critical, 1 passing", "/x/executions/last"},
		{run(check.Critical, check.Counts{Critical: 1, Warning: 3}), "critical", "1 critical, 3 warning", "/x/executions/last"},
		{run(check.Warning, check.Counts{Critical: 1, Warning: 1, Waived: 1}), "warning", "1 critical, 1 warning, 1 waived", "/x/executions/last"},
		{run(check.Passing, check.Counts{Passing: 9}), "passing", "9 passing", "/x/executions/last"},
		{run(check.Passing, check.Counts{}), "passing", "No check was run", "/x/executions/last"},
		{checksState{applicable: true, selected: 1}, "no_results", "No results yet", "/x/executions/last"},
		{checksState{applicable: true, last: run(check.Critical, check.Counts{Critical: 1}).last}, "not_chosen", "Not chosen", "/x/settings"},
		{checksState{selected: 1}, "", "", ""},
	}
	var orders []string
	for _, tt := range tests {
		orders = append(orders, tt.state.order())
		url := ""
		if m := tt.state.mark("/x"); m != nil {
			url = m.URL
		}
		if got := tt.state; got.state() != tt.word || got.text() != tt.text || url != tt.url {
			t.Errorf("%q: %q, %s, want %q: %q, %s", got.state(), got.text(), url, tt.word, tt.text, tt.url)
		}
	}
	if !slices.IsSorted(orders) {
		t.Errorf("the orders are %v", orders)
	}
}
