package ui

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"trento/store/landscape"
	"trento/ui/page"
)

func execute(t *testing.T, ts page.Templates, p page.Page) string {
	t.Helper()
	f := reflect.ValueOf(p).Elem().FieldByName("Frame").Addr().Interface().(*page.Frame)
	f.Product, f.Assets, f.Here = page.Product, page.PageAssets{Style: "/static/x/app.css", Script: "/static/x/app.js"}, "/here"
	f.User = &page.FrameUser{Username: "ada", Email: "ada@example.com"}
	f.Nav = page.Navigation()
	var b bytes.Buffer
	if err := ts[p.Template()].ExecuteTemplate(&b, "layout", p); err != nil {
		t.Fatalf("%s: %v", p.Template(), err)
	}
	return b.String()
}

// samplePages returns all pages by the name of their template. A comma and a
// variant may follow the name.
func samplePages() map[string]page.Page {
	samples := make(map[string]page.Page)
	for _, room := range consoleParts {
		for _, p := range room.Pages {
			samples[p.Template()] = reflect.New(reflect.TypeOf(p).Elem()).Interface().(page.Page)
			if p.Template() == "profile" {
				shown := reflect.New(reflect.TypeOf(p).Elem())
				secret := shown.Elem().FieldByName("Secret")
				secret.Set(reflect.New(secret.Type().Elem()))
				samples["profile, a token shown"] = shown.Interface().(page.Page)
			}
		}
	}
	return samples
}

// hostile is a text that breaks code that does not escape it.
var hostile = `"><script>alert(1)</script>'` + "\u202e\u05d0\u0645\U0001F680" + `</td></table>{{.}}` + strings.Repeat("w", 200)

// fill sets every string that can be reached to a text, and gives every list
// one element.
func fill(v reflect.Value, text string, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), text, depth-1)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[page.Timestamp]() {
			v.Set(reflect.ValueOf(page.Timestamp{At: time.Unix(1e9, 0), Now: time.Unix(2e9, 0)}))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text, depth)
			}
		}
	case reflect.Slice:
		if depth > 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), text, depth-1)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[page.HTML]() {
			text = string(page.Markdown(text))
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	}
}

// number gives every field of a form an id of its own, as it has on a page.
func number(v reflect.Value, n *int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			number(v.Elem(), n)
		}
	case reflect.Slice:
		for i := range v.Len() {
			number(v.Index(i), n)
		}
	case reflect.Struct:
		*n++
		switch name := strings.ToLower(v.Type().Name()); name {
		case "field", "dropdown", "tageditor", "valuelist":
			v.FieldByName("ID").SetString(fmt.Sprint(name, "-", *n))
		case "settingswitch":
			v.FieldByName("Name").SetString(fmt.Sprint(name, "-", *n))
		default:
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					number(v.Field(i), n)
				}
			}
		}
	}
}

// TestTemplates executes every page with a hostile text in all fields, and with
// all fields empty. The output must be well-formed, and the text must be
// escaped.
func TestTemplates(t *testing.T) {
	t.Parallel()
	ts := newFixture(t).server(t).Templates
	for name, p := range samplePages() {
		t.Run(name, func(t *testing.T) {
			_, _, special := strings.Cut(name, ",")
			number(reflect.ValueOf(p).Elem(), new(int))
			checkMarkup(t, execute(t, ts, p))
			fill(reflect.ValueOf(p).Elem(), hostile, 4)
			if secret := reflect.ValueOf(p).Elem().FieldByName("Secret"); p.Template() == "profile" && !special {
				secret.SetZero() // it hides the dialog before it
			}
			number(reflect.ValueOf(p).Elem(), new(int))
			body := execute(t, ts, p)
			checkMarkup(t, body)
			page := parseMarkup(t, body)
			if scripts := page.all("script"); len(scripts) != 1 {
				t.Errorf("%d scripts, want the one of the layout", len(scripts))
			}
			if len(page.all("style")) > 0 || strings.Contains(body, "ZgotmplZ") {
				t.Error("inline style, or a text where none can be safe")
			}
			for node := range page.root.Descendants() {
				for _, a := range node.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
						t.Errorf("attribute %s of %s", a.Key, node.Data)
					}
				}
			}
		})
	}
}

// void elements have no end tag.
var void = map[string]bool{"br": true, "hr": true, "img": true, "input": true, "link": true, "meta": true}

// checkMarkup reports unbalanced tags, duplicate ids, and references to ids
// that do not exist in labels, menus and descriptions.
func checkMarkup(t *testing.T, body string) {
	t.Helper()
	var open []string
	ids := map[string]int{}
	var named []string
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		switch kind {
		case html.StartTagToken:
			if !void[token.Data] {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> inside %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
		for _, a := range token.Attr {
			switch a.Key {
			case "id":
				ids[a.Val]++
			case "for", "aria-labelledby", "popovertarget", "data-open", "data-copy", "data-reveal":
				named = append(named, a.Val)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %v", open)
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %q is given %d times", id, n)
		}
	}
	for _, id := range named {
		if ids[id] == 0 {
			t.Errorf("nothing has the id %q", id)
		}
	}
}

// TestHostileLandscape stores a hostile text as agents and users would send it,
// and checks it on every page.
func TestHostileLandscape(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	known := facts(1, hostile)
	known.FQDN, known.OSVersion, known.Arch, known.AgentVersion = hostile, hostile, hostile, hostile
	known.PrometheusTargets = map[string]string{hostile: hostile}
	known.SystemdUnits = []landscape.SystemdUnit{{Name: hostile, UnitFileState: hostile}}
	f.observe(1, landscape.Observation{Host: &known})
	h := hostile
	f.observe(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "gcp", GCP: &landscape.GCPVM{Image: &h, InstanceName: &h, MachineType: &h, Network: &h, ProjectID: &h, Zone: &h}}})
	f.observe(1, landscape.Observation{Subscriptions: []landscape.Subscription{{Identifier: h, Version: h, Arch: h, Status: h, State: &h, Type: &h, StartsAt: &h, ExpiresAt: &h}}})
	if err := f.store.SignInFailed(t.Context(), hostile); err != nil {
		t.Fatal(err)
	}
	log := parseMarkup(t, f.do(call{target: "/activity_log", as: "admin"}).Body.String())
	entry, _ := attribute(log.all("a[data-entry]")[0], "href")
	query := url.Values{"q": {hostile}, "search": {hostile}, "health": {hostile}, "actor": {hostile}, "type": {hostile}, "hostname": {hostile}}.Encode()
	for _, target := range []string{
		"/hosts", "/hosts?" + query, "/hosts/" + string(hostID(1)), "/activity_log", "/activity_log?" + query, entry,
		"/activity_log?search=" + url.QueryEscape(string(hostID(1))) + "&severity=debug", "/" + url.PathEscape(hostile), "/hosts/" + url.PathEscape(hostile),
	} {
		w := f.do(call{target: target, as: "admin"})
		if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
			t.Errorf("%.60s: status %d", target, w.Code)
		}
		checkMarkup(t, w.Body.String())
		if page := parseMarkup(t, w.Body.String()); len(page.all("script")) != 1 {
			t.Errorf("%.60s: %d scripts", target, len(page.all("script")))
		}
	}
	if w := f.do(call{target: "/hosts", as: "admin"}); !strings.Contains(w.Body.String(), html.EscapeString(hostile[:20])) {
		t.Error("the name of the host is not on the page")
	}
}

// TestFrameFields checks that no page has a field with the same name as a field
// of the frame. The frame would show the field of the page, for example the
// version of a user in place of the version of the product.
func TestFrameFields(t *testing.T) {
	t.Parallel()
	frame := reflect.TypeFor[page.Frame]()
	for name, p := range samplePages() {
		page := reflect.TypeOf(p).Elem()
		for i := range frame.NumField() {
			field := frame.Field(i).Name
			if found, ok := page.FieldByName(field); ok && found.Type == frame.Field(i).Type && len(found.Index) > 1 {
				continue
			}
			t.Errorf("the page %s hides the field %s of the frame", name, field)
		}
	}
}
