package kv

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (f *file) get(t testing.TB, table *Table[word], key string) (w *word) {
	t.Helper()
	f.view(t, func(tx *Tx) (err error) {
		w, err = table.Get(tx, []byte(key))
		return err
	})
	return w
}

func putWord(table *Table[word], key, text string) func(*Tx) error {
	return func(tx *Tx) error { return table.Put(tx, []byte(key), &word{Text: text}) }
}

// TestTable checks that a decoded document is returned again until another
// document is stored, also after a change that was rolled back.
func TestTable(t *testing.T) {
	f := open(t, newPath(t))
	broken := errors.New("broken")
	for name, table := range map[string]*Table[word]{"records": f.words, "documents": f.drafts} {
		t.Run(name, func(t *testing.T) {
			f.update(t, putWord(table, "a", "first"))
			first := f.get(t, table, "a")
			if first.Text != "first" || f.get(t, table, "a") != first {
				t.Errorf("%+v, then another one", first)
			}
			err := f.Update(t.Context(), func(tx *Tx) error {
				if err := putWord(table, "a", "undone")(tx); err != nil {
					return err
				}
				if w, err := table.Get(tx, []byte("a")); err != nil || w.Text != "undone" {
					t.Errorf("inside the change: %+v, %v", w, err)
				}
				return broken
			})
			if !errors.Is(err, broken) || f.get(t, table, "a").Text != "first" {
				t.Errorf("%v, %+v", err, f.get(t, table, "a"))
			}
			f.update(t, putWord(table, "a", "second"))
			if got := f.get(t, table, "a"); got.Text != "second" {
				t.Errorf("%+v", got)
			}
			f.update(t, func(tx *Tx) error { return table.Delete(tx, []byte("a"), []byte("b")) })
			if _, ok := table.cache["a"]; ok {
				t.Error("the cache has what was deleted")
			}
			f.view(t, func(tx *Tx) error {
				if _, err := table.Get(tx, []byte("a")); !errors.Is(err, ErrNotFound) || table.Has(tx, []byte("a")) {
					t.Errorf("after Delete: %v", err)
				}
				return nil
			})
		})
	}
	f.update(t, putWord(f.drafts, "c", "third"))
	if got := f.get(t, f.drafts, "c"); got.Key != "c" {
		t.Errorf("its key is %q", got.Key)
	}
}

func TestJournal(t *testing.T) {
	f := open(t, newPath(t))
	f.update(t, func(tx *Tx) error {
		return errors.Join(putWord(f.words, "a", "one")(tx), putWord(f.words, "b", "two")(tx), putWord(f.drafts, "c", "three")(tx))
	})
	f.update(t, putWord(f.words, "a", "four"))
	changed := func(seq uint64, limit int) (keys []string, last uint64) {
		f.view(t, func(tx *Tx) error {
			changes, err := tx.ChangedAfter(seq, limit)
			for _, c := range changes {
				keys = append(keys, c.Bucket+" "+string(c.Key))
				seq = c.Seq
			}
			last = tx.LastChange()
			return err
		})
		return keys, last
	}
	for _, test := range []struct {
		seq   uint64
		limit int
		want  []string
	}{{0, 10, []string{"word b", "word a"}}, {0, 1, []string{"word b"}}, {2, 10, []string{"word a"}}, {3, 10, nil}} {
		got, last := changed(test.seq, test.limit)
		if diff := cmp.Diff(test.want, got); diff != "" || last != 3 {
			t.Errorf("after %d, last %d (-want +got):\n%s", test.seq, last, diff)
		}
	}
	f.update(t, func(tx *Tx) error { return f.words.Delete(tx, []byte("a")) })
	if got, last := changed(0, 10); len(got) != 1 || last != 2 {
		t.Errorf("after Delete: %v, last %d", got, last)
	}
}

// TestIndex: the index follows its records.
func TestIndex(t *testing.T) {
	f := open(t, newPath(t))
	found := func(text string) (key string) {
		f.view(t, func(tx *Tx) error { key = string(f.index.Get(tx, []byte(text))); return nil })
		return key
	}
	f.update(t, putWord(f.words, "a", "one"))
	if found("one") != "a" {
		t.Error("not found")
	}
	f.update(t, putWord(f.words, "a", "two"))
	if found("one") != "" || found("two") != "a" {
		t.Errorf("one is %q, two is %q", found("one"), found("two"))
	}
	f.update(t, func(tx *Tx) error { return f.words.Delete(tx, []byte("a")) })
	if found("two") != "" {
		t.Error("still found")
	}
}

// TestVerify damages a file in each way that Verify detects, and repairs it
// again.
func TestVerify(t *testing.T) {
	f := open(t, newPath(t))
	f.update(t, putWord(f.words, "a", "one"))
	f.update(t, putWord(f.drafts, "b", "two"))
	broken := errors.New("broken")
	var spoilt bool
	f.plain.Verify(func(*Tx) error {
		if spoilt {
			return broken
		}
		return nil
	})
	for name, test := range map[string]struct {
		bucket     *Bucket
		key, value string // an empty value deletes
		want       string
	}{
		"record":         {f.words.Bucket, "a", "\x00\x00\x00\x00\x00\x00\x00\x01{", "unexpected end"},
		"version":        {f.words.Bucket, "a", "1", "no version"},
		"other version":  {f.words.Bucket, "a", "\x00\x00\x00\x00\x00\x00\x00\x02{\"text\":\"one\"}", "not in the journal"},
		"document":       {f.drafts.Bucket, "b", "[]", "cannot unmarshal"},
		"journal":        {f.schema.journal, "\x00\x00\x00\x00\x00\x00\x00\x07", "word\x00z", "2 entries for 1 records"},
		"index":          {f.index.Bucket, "one", "", "want"},
		"index to other": {f.index.Bucket, "one", "z", "want"},
		"index of none":  {f.index.Bucket, "three", "a", "want"},
	} {
		t.Run(name, func(t *testing.T) {
			var before []byte
			put := func(value []byte) {
				f.update(t, func(tx *Tx) error {
					before = append([]byte(nil), test.bucket.Get(tx, []byte(test.key))...)
					if len(value) == 0 {
						return test.bucket.Delete(tx, []byte(test.key))
					}
					return test.bucket.Put(tx, []byte(test.key), value)
				})
			}
			put([]byte(test.value))
			if err := f.Verify(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Verify() = %v, want %q", err, test.want)
			}
			put(before)
			if err := f.Verify(); err != nil {
				t.Errorf("mended: %v", err)
			}
		})
	}
	spoilt = true
	if err := f.Verify(); !errors.Is(err, broken) {
		t.Errorf("a check that was declared: %v", err)
	}
	spoilt = false
}
