package kv_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"trento/store/kv"
)

type city struct {
	Name    string `json:"name"`
	Country string `json:"country"`
}

// Buckets are declared, then the file is opened. What a change puts into a table
// of records is in the indexes and in the journal as well.
func Example() {
	dir, err := os.MkdirTemp("", "kv")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	schema := kv.NewSchema()
	byCountry := kv.NewIndex(schema, "by_country", "country 0x00 name", "nothing")
	cities := kv.NewRecords[city](schema, "city", "name").
		IndexedBy(byCountry, func(c *city) []string { return []string{c.Country + "\x00" + c.Name} })
	db, err := kv.Open(filepath.Join(dir, "cities.db"), schema, kv.Options{Migrations: []kv.Migration{nil}})
	if err != nil {
		log.Fatal(err)
	}

	err = db.Update(context.Background(), func(tx *kv.Tx) error {
		for _, c := range []*city{{"Trento", "Italy"}, {"Walldorf", "Germany"}, {"Nuremberg", "Germany"}} {
			if err := cities.Put(tx, []byte(c.Name), c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}

	err = db.View(func(tx *kv.Tx) error {
		c, err := cities.Get(tx, []byte("Trento"))
		if err != nil {
			return err
		}
		fmt.Println(c.Name, "is in", c.Country)
		for key := range byCountry.ScanPrefix(tx, []byte("Germany\x00")) {
			fmt.Printf("%q\n", key)
		}
		changes, err := tx.ChangedAfter(1, 10)
		for _, c := range changes {
			fmt.Println("change", c.Seq, "is of", c.Bucket, string(c.Key))
		}
		return err
	})
	if err := errors.Join(err, db.Verify(), db.Close()); err != nil {
		log.Fatal(err)
	}

	// Output:
	// Trento is in Italy
	// "Germany\x00Nuremberg"
	// "Germany\x00Walldorf"
	// change 2 is of city Walldorf
	// change 3 is of city Nuremberg
}
