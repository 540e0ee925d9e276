package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTasks runs the tasks for a minute of simulated time and counts the runs.
func TestTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &server{log: slog.New(slog.NewTextHandler(&log, nil))}
		runs := make(map[string]*int)
		count := func(name string, err error) func(context.Context) error {
			n := new(int)
			runs[name] = n
			return func(context.Context) error { *n++; return err }
		}
		ctx, cancel := context.WithCancel(t.Context())
		failed := s.start(ctx, []task{
			{name: "endless", run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{name: "every", run: count("every", nil), every: 10 * time.Second},
			{name: "failing", run: count("failing", errors.New("disk full")), every: 20 * time.Second},
			{name: "start", run: count("start", nil), every: 40 * time.Second, atStart: true},
			{name: "stop", run: count("stop", nil), every: time.Hour, atStop: true},
		})
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if *runs["stop"] != 0 {
			t.Error("a task ran before its period had passed")
		}
		cancel()
		s.runningTasks.Wait()
		for name, want := range map[string]int{"every": 6, "failing": 3, "start": 2, "stop": 1} {
			if got := *runs[name]; got != want {
				t.Errorf("%s: %d runs, want %d", name, got, want)
			}
		}
		select {
		case err := <-failed:
			t.Errorf("failed: %v", err)
		default:
		}
		if got := strings.Count(log.String(), `task=failing error="disk full"`); got != 3 {
			t.Errorf("failures are not in the log:\n%s", &log)
		}
	})
}

// TestTaskWithoutPeriod checks that the failure of a task without a period is reported.
func TestTaskWithoutPeriod(t *testing.T) {
	s := &server{log: slog.New(slog.DiscardHandler)}
	failed := s.start(t.Context(), []task{{name: "http", run: func(context.Context) error { return errors.New("port lost") }}})
	if err := <-failed; err == nil || err.Error() != "http: port lost" {
		t.Errorf("failed: %v", err)
	}
}
