package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"trento/store/activity"
	"trento/store/landscape"
)

// leaf is a value of an entry's metadata, with what is inside it.
type leaf struct {
	Key, Text string
	Kind      string // text, number, word (true, false, null), object, list
	URL       string
	Children  []leaf
}

// maxLeaves bounds the tree that is drawn of one entry; its JSON has the rest.
const maxLeaves = 2000

// thingKeys name the things an entry is about: the id of each, and its name.
var thingKeys = []struct{ id, name string }{
	{"host_id", "hostname"}, {"cluster_id", "name"}, {"database_id", "sid"}, {"sap_system_id", "sid"},
	{"resource_id", "hostname"}, {"resource_id", "name"}, {"resource_id", "sid"}, {"user_id", "username"},
}

// thingsOf are the things the metadata of an entry names.
func thingsOf(e *activity.Entry, names hostNames) []thing {
	var texts map[string]any
	if err := json.Unmarshal(e.Metadata, &texts); err != nil {
		return nil
	}
	var things []thing
	for _, keys := range thingKeys {
		name, named := texts[keys.name].(string)
		id := fmt.Sprint(texts[keys.id])
		if _, has := texts[keys.id]; !has || !named || name == "" {
			continue
		}
		things = append(things, thing{Name: name, URL: hostURL(id, names)})
	}
	return things
}

// hostURL is the page of a host; "" if the id is not one of a registered host.
func hostURL(text string, names hostNames) string {
	if id, ok := landscape.ParseHostID(text); ok && names != nil && names(id) != "" {
		return "/hosts/" + string(id)
	}
	return ""
}

// correlation is the id of the flow an entry belongs to, or empty.
func correlation(e *activity.Entry) string {
	var flow struct {
		ID string `json:"correlation_id"`
	}
	if err := json.Unmarshal(e.Metadata, &flow); err != nil {
		return ""
	}
	return flow.ID
}

func indented(metadata json.RawMessage) string {
	var text bytes.Buffer
	if err := json.Indent(&text, metadata, "", "  "); err != nil {
		return string(metadata)
	}
	return text.String()
}

// newTree draws metadata, members in the order they are stored. cut is the
// number of values drawn if there are more.
func newTree(metadata json.RawMessage, names hostNames) (tree []leaf, cut int) {
	d := treeDrawer{decoder: json.NewDecoder(bytes.NewReader(metadata)), names: names}
	d.decoder.UseNumber()
	root, err := d.value("")
	if err != nil || d.drawn > maxLeaves {
		return root.Children, min(d.drawn, maxLeaves)
	}
	return root.Children, 0
}

type treeDrawer struct {
	decoder *json.Decoder
	names   hostNames
	drawn   int
}

func (d *treeDrawer) value(key string) (leaf, error) {
	token, err := d.decoder.Token()
	if err != nil {
		return leaf{}, err
	}
	d.drawn++
	l := leaf{Key: key, Kind: "word"}
	switch v := token.(type) {
	case json.Delim:
		l.Kind = map[json.Delim]string{'{': "object", '[': "list"}[v]
		err = d.children(&l)
		l.Text = count(len(l.Children), "value", "values")
	case string:
		l.Kind, l.Text, l.URL = "text", v, hostURL(v, d.names)
	case json.Number:
		l.Kind, l.Text = "number", v.String()
	case bool:
		l.Text = strconv.FormatBool(v)
	case nil:
		l.Text = "null"
	}
	return l, err
}

func (d *treeDrawer) children(parent *leaf) error {
	for d.decoder.More() {
		if d.drawn >= maxLeaves {
			d.drawn = maxLeaves + 1
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
