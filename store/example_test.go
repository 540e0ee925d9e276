package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"trento/store"
	"trento/store/discovery"
	"trento/store/landscape"
)

// reported is a report of an agent about its host.
const reported = `{"agent_id": "5a1b1e8e-6cf9-5b6a-9d0c-1f2e3d4c5b6a", "discovery_type": "host_discovery", "payload": {
	"hostname": "vega01", "os_version": "15-SP7", "agent_version": "3.1.2", "ip_addresses": ["10.1.2.3"], "netmasks": [24],
	"cpu_count": 4, "socket_count": 1, "total_memory_mb": 16384, "arch": "x86_64"}}`

// openStore opens a store in a new directory, which remove removes. Its clock
// advances by one second at each call.
func openStore() (s *store.Store, remove func()) {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s, err = store.Open(dir, store.Options{NoSync: true, Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	if err != nil {
		log.Fatal(err)
	}
	return s, func() {
		if err := errors.Join(s.Close(), os.RemoveAll(dir)); err != nil {
			log.Fatal(err)
		}
	}
}

// report stores the report of the agent.
func report(s *store.Store) landscape.HostID {
	envelope, err := discovery.Open([]byte(reported))
	if err != nil {
		log.Fatal(err)
	}
	seen, err := discovery.Decode(envelope)
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Observe(context.Background(), store.Report{Observation: seen, Body: []byte(reported)}); err != nil {
		log.Fatal(err)
	}
	return seen.Agent
}

// A report is decoded to an observation. Observe stores the changes that follow
// from it and their entries in the activity log in one transaction. View reads.
func Example() {
	s, remove := openStore()
	defer remove()
	id := report(s)
	if err := s.AddTag(context.Background(), store.Actor{Name: "ann"}, store.HostTag, string(id), "production"); err != nil {
		log.Fatal(err)
	}
	err := s.View(func(tx *store.Tx) error {
		host, err := tx.Host(id)
		if err != nil {
			return err
		}
		tags, err := tx.Tags(store.HostTag, string(id))
		if err != nil {
			return err
		}
		fmt.Println(host.Hostname, host.Addresses[0], tags[0].Value)
		for entry, err := range tx.Entries(tx.Oldest(), tx.Newest()) {
			if err != nil {
				return err
			}
			fmt.Println(entry.Actor, entry.Type)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same report would change something:", !s.Unchanged([]byte(reported)))

	// Output:
	// vega01 10.1.2.3/24 production
	// system host_registered
	// ann resource_tagging
	// the same report would change something: false
}

// ChangedAfter returns each record that has changed after a position in the
// journal, once and in its current state. Store.Watch says when there are new
// changes. A new store already contains one record, a setting.
func ExampleTx_ChangedAfter() {
	s, remove := openStore()
	defer remove()
	var seen uint64
	follow := func() {
		err := s.View(func(tx *store.Tx) error {
			changes, err := tx.ChangedAfter(seen, 100)
			for _, c := range changes {
				seen = c.Seq
				fmt.Println(c.Kind)
			}
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	id := report(s)
	follow()
	if err := s.AddTag(context.Background(), store.Actor{Name: "ann"}, store.HostTag, string(id), "production"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("and then")
	follow()

	// Output:
	// setting
	// host
	// and then
	// tags
}
