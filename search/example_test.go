package search_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"trento/search"
	"trento/store"
	"trento/store/activity"
)

// What is written to the log is found at once: Index.Run, which would index
// it, has not even been started here.
func Example() {
	dir, err := os.MkdirTemp("", "search")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s, err := store.Open(dir, store.Options{NoSync: true, Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	if err != nil {
		log.Fatal(err)
	}
	x, err := search.Open(filepath.Join(dir, "index"), s, slog.New(slog.DiscardHandler))
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		if err := errors.Join(x.Close(), s.Close()); err != nil {
			log.Fatal(err)
		}
	}()

	ctx := context.Background()
	for _, name := range []string{"vega01", "vega02", "lyra01"} {
		event := &activity.ResourceTagging{TaggedResource: activity.TaggedResource{ResourceType: "host", Hostname: name}, Tag: "production"}
		if err := s.AppendActivity(ctx, store.Actor{Name: "ann"}, event); err != nil {
			log.Fatal(err)
		}
	}
	query, err := activity.ParseSearch("vega* AND production")
	if err != nil {
		log.Fatal(err)
	}
	page, err := x.Activity(ctx, activity.Filter{Search: query, Actors: []string{"ann"}}, search.Walk{Limit: 1, Count: true, Reader: "ann"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Total, "entries, more:", page.More)
	for _, entry := range page.Entries {
		fmt.Println(entry.Actor, entry.Type, string(entry.Metadata))
	}

	// Output:
	// 2 entries, more: true
	// ann resource_tagging {"added_tag":"production","hostname":"vega02","resource_id":"","resource_type":"host"}
}
