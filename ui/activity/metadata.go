package activity

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// metadataValue is a value in the metadata of an entry, with the values inside
// it.
type metadataValue struct {
	Key, Text string
	Kind      string // text, number, word (true, false, null), object, list
	URL       string
	Children  []metadataValue
}

// maxShownValues limits the number of values that the page shows. The JSON has
// all of them.
const maxShownValues = 2000

// pageFinder returns the name and address of the registered thing with an id.
// Both are empty if there is no such thing.
type pageFinder func(id string) Thing

// RegisteredPages returns a pageFinder for the things registered in a
// transaction.
func RegisteredPages(tx *store.Tx) pageFinder {
	return func(text string) Thing {
		id, ok := landscape.ParseID[string](text)
		if !ok { // all ids of things have the same format
			return Thing{}
		}
		for _, kind := range []page.Taggable{page.HostTags, page.ClusterTags, page.DatabaseTags, page.SAPSystemTags} {
			if name, err := kind.Name(tx, id); err == nil {
				return Thing{Name: name, URL: kind.Path + "/" + id}
			}
		}
		return Thing{}
	}
}

// entryThings returns the things that an entry names, with the names they had at
// that time. Things with a page have a link.
func entryThings(e *activity.Entry, known pageFinder) []Thing {
	var things []Thing
	for _, named := range activity.Things(e.Event()) {
		t := known(named.ID)
		t.Name = cmp.Or(named.Name, t.Name)
		if t.Name != "" {
			things = append(things, t)
		}
	}
	return things
}

func indentJSON(metadata json.RawMessage) string {
	var text bytes.Buffer
	if err := json.Indent(&text, metadata, "", "  "); err != nil {
		return string(metadata)
	}
	return text.String()
}

// newTree returns metadata as a tree, in the stored order. cut is the number of
// shown values if some are left out; else 0.
func newTree(metadata json.RawMessage, known pageFinder) (tree []metadataValue, cut int) {
	d := treeReader{decoder: json.NewDecoder(bytes.NewReader(metadata)), findPage: known}
	d.decoder.UseNumber()
	root, err := d.value("")
	if err != nil || d.count > maxShownValues {
		return root.Children, min(d.count, maxShownValues)
	}
	return root.Children, 0
}

type treeReader struct {
	decoder  *json.Decoder
	findPage pageFinder
	count    int
}

func (d *treeReader) value(key string) (metadataValue, error) {
	token, err := d.decoder.Token()
	if err != nil {
		return metadataValue{}, err
	}
	d.count++
	l := metadataValue{Key: key, Kind: "word"}
	switch v := token.(type) {
	case json.Delim:
		l.Kind = map[json.Delim]string{'{': "object", '[': "list"}[v]
		err = d.children(&l)
		l.Text = page.Count(len(l.Children), "value", "values")
	case string:
		l.Kind, l.Text, l.URL = "text", v, d.findPage(v).URL
	case json.Number:
		l.Kind, l.Text = "number", v.String()
	case bool:
		l.Text = strconv.FormatBool(v)
	case nil:
		l.Text = "null"
	}
	return l, err
}

func (d *treeReader) children(parent *metadataValue) error {
	for d.decoder.More() {
		if d.count >= maxShownValues {
			d.count = maxShownValues + 1
			return io.EOF
		}
		key := strconv.Itoa(len(parent.Children) + 1)
		if parent.Kind == "object" {
			name, err := d.decoder.Token()
			if err != nil {
				return err
			}
			key = fmt.Sprint(name)
		}
		child, err := d.value(key)
		parent.Children = append(parent.Children, child)
		if err != nil {
			return err
		}
	}
	_, err := d.decoder.Token()
	return err
}
