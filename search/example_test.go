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

// openExample opens an index over a log in which tags of three hosts are noted.
func openExample() (x *search.Index, done func()) {
	dir, err := os.MkdirTemp("", "search")
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s, err := store.Open(dir, store.Options{NoSync: true, Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	if err != nil {
		log.Fatal(err)
	}
	if x, err = search.Open(filepath.Join(dir, "index"), s, slog.New(slog.DiscardHandler)); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"vega01", "vega02", "lyra01"} {
		event := &activity.ResourceTagging{TaggedResource: activity.TaggedResource{ResourceType: "host", Hostname: name}, Tag: "production"}
		if err := s.AppendActivity(context.Background(), store.Actor{Name: "ann"}, event); err != nil {
			log.Fatal(err)
		}
	}
	return x, func() {
		if err := errors.Join(x.Close(), s.Close(), os.RemoveAll(dir)); err != nil {
			log.Fatal(err)
		}
	}
}

// An entry of the log is found at once. Index.Run, which would index it, has not
// even been started here.
func Example() {
	x, done := openExample()
	defer done()

	query, err := activity.ParseSearch("vega* AND production")
	if err != nil {
		log.Fatal(err)
	}
	filter := activity.Filter{Search: query, Actors: []string{"ann"}}
	page, err := x.Activity(context.Background(), filter, search.Walk{Limit: 1, Count: true, Reader: "ann"})
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

// A walk goes from page to page: each begins behind the last entry of the one
// before.
func ExampleIndex_Activity() {
	x, done := openExample()
	defer done()

	walk := search.Walk{Limit: 2, Reader: "ann"}
	for {
		page, err := x.Activity(context.Background(), activity.Filter{}, walk)
		if err != nil {
			log.Fatal(err)
		}
		for _, entry := range page.Entries {
			fmt.Println(string(entry.Metadata))
			walk.From = entry.Position
		}
		fmt.Println("more:", page.More)
		if !page.More {
			return
		}
	}

	// Output:
	// {"added_tag":"production","hostname":"lyra01","resource_id":"","resource_type":"host"}
	// {"added_tag":"production","hostname":"vega02","resource_id":"","resource_type":"host"}
	// more: true
	// {"added_tag":"production","hostname":"vega01","resource_id":"","resource_type":"host"}
	// more: false
}
