package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"

	"trento/store/alert"
)

// Alert is what messages about a delivery are made of, by mail and by webhook.
type Alert struct {
	Delivery *alert.Delivery
	Facts    []alert.Facts // one for each item
	Console  string        // address of the console, such as https://trento.example.com
	Now      time.Time
}

//go:embed alert.txt alert.html
var alertFiles embed.FS

var (
	alertText = texttemplate.Must(texttemplate.ParseFS(alertFiles, "alert.txt"))
	alertHTML = htmltemplate.Must(htmltemplate.ParseFS(alertFiles, "alert.html"))
)

// maxItems is the largest number of things that a message lists.
const maxItems = 100

// alertView is what the templates show.
type alertView struct {
	Heading       string
	Notes         []string
	Items         []itemView
	More          int // number of things that are not listed
	Interruptions int
	Console       string
}

// itemView is a thing in trouble, or one whose trouble has ended.
type itemView struct {
	Sentence string
	Facts    []factView
	Advice   string
	URL      string // page of the thing; "" if it has none
	EntryURL string // entry of the activity log; "" if there is none
}

// factView is a name with its values.
type factView struct {
	Label  string
	Values []string
}

const timeFormat = "2006-01-02 15:04:05 UTC"

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// Text returns the message as plain text.
func (a *Alert) Text() (string, error) {
	var text bytes.Buffer
	err := alertText.Execute(&text, a.view())
	return text.String(), err
}

// Mail returns the message as a mail without sender, recipients and ids.
func (a *Alert) Mail() (Message, error) {
	text, err := a.Text()
	if err != nil {
		return Message{}, err
	}
	var html bytes.Buffer
	if err := alertHTML.Execute(&html, a.view()); err != nil {
		return Message{}, err
	}
	return Message{Subject: a.Delivery.Subject, Text: text, HTML: html.String(), Date: a.Now}, nil
}

// URL returns the address of the page that the message is about.
func (a *Alert) URL() string {
	if len(a.Delivery.Items) == 1 {
		if path := PathOf(a.Delivery.Items[0].Thing); path != "" {
			return a.Console + path
		}
	}
	return a.Console + "/alerts"
}

// PathOf returns the path of the page of a thing; "" if it has none.
func PathOf(t alert.Thing) string {
	switch t.Type {
	case alert.Host:
		return "/hosts/" + url.PathEscape(t.ID)
	case alert.Cluster:
		return "/clusters/" + url.PathEscape(t.ID)
	case alert.Database:
		return "/databases/" + url.PathEscape(t.ID)
	case alert.SAPSystem:
		return "/sap_systems/" + url.PathEscape(t.ID)
	case alert.APIKey:
		return "/settings/api_key"
	case alert.Backups:
		return "/settings/backup"
	case alert.Certificate:
		return "/about"
	}
	return ""
}

func (a *Alert) view() *alertView {
	d := a.Delivery
	v := &alertView{Heading: strings.TrimPrefix(strings.TrimPrefix(d.Subject, "Trento Alert: "), "Trento: "), Interruptions: d.Interruptions, Console: a.Console}
	if late := d.Lateness(a.Now); late > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("This message is late: it was due %s ago, at %s, and could not be sent before.", late.Round(time.Minute), formatTime(d.At)))
	}
	for i := range d.Items[:min(len(d.Items), maxItems)] {
		v.Items = append(v.Items, a.itemView(&d.Items[i], a.Facts[i]))
	}
	v.More = len(d.Items) - len(v.Items)
	return v
}

func (a *Alert) itemView(i *alert.Item, f alert.Facts) itemView {
	v := itemView{}
	if path := PathOf(i.Thing); path != "" {
		v.URL = a.Console + path
	}
	if i.Entry != 0 {
		v.EntryURL = a.Console + "/activity_log?" + url.Values{"entry": {i.Entry.Cursor()}}.Encode()
	}
	fact := func(label string, values ...string) { v.Facts = append(v.Facts, factView{label, values}) }
	if a.Delivery.Form == alert.Recovery {
		v.Sentence = i.Title() + " " + i.Relief() + "."
		fact("Since", formatTime(i.Ended))
		fact("Trouble began", formatTime(i.Since))
		if i.Health != "" {
			fact("Health", i.Health)
		}
		return v
	}
	v.Sentence = i.Title() + " " + i.Trouble(a.Delivery.At) + "."
	fact("Component", i.Component())
	fact("Name", alert.CleanName(i.Thing.Name))
	switch i.Kind {
	case alert.HeartbeatLost:
		fact("Host id", i.Thing.ID)
		fact("Silent since", formatTime(i.Since))
		addHostFacts(&v, f)
		v.Advice = "Check on the host that the agent runs (systemctl status trento-agent) and that it reaches this server."
	case alert.APIKeyExpiry:
		fact("Ends", formatTime(i.Deadline))
		v.Advice = "Agents cannot report any more once their key has expired. Generate a new API key in the settings, and give it to all agents."
	case alert.CertificateExpiry:
		fact("Ends", formatTime(i.Deadline))
		v.Advice = "Replace the certificate before it expires: browsers and agents refuse an expired one."
		if i.Thing.ID == alert.SAMLCertificate {
			v.Advice = "Make a new certificate (trento-web sso renew-certificate), and give it to the identity provider before this one expires."
		}
	case alert.BackupFailed:
		fact("Since", formatTime(i.Since))
		v.Advice = "Until a backup can be made again, there is no newer one than the last."
	default:
		fact("Health", healthChange(i))
		fact("Since", formatTime(i.Since))
	}
	if i.Detail != "" {
		fact("Cause", printable(i.Detail))
	}
	switch {
	case !i.Ended.IsZero():
		fact("Over since", formatTime(i.Ended))
	case f.Over && !f.Ended.IsZero():
		fact("Over since", formatTime(f.Ended))
	case f.Over:
		fact("State", "It is over by now.")
	}
	return v
}

// healthChange says from what to what the health of a thing has changed.
func healthChange(i *alert.Item) string {
	if i.Before == "" {
		return "critical"
	}
	return "critical (was " + i.Before + ")"
}

func addHostFacts(v *itemView, f alert.Facts) {
	if f.Cluster != nil {
		v.Facts = append(v.Facts, factView{"Cluster", []string{fmt.Sprintf("%s (%s)", alert.CleanName(f.Cluster.Name), f.Cluster.ID)}})
	}
	for _, group := range []struct {
		label string
		kind  alert.ThingType
	}{{"Databases", alert.Database}, {"SAP systems", alert.SAPSystem}} {
		var values []string
		for _, i := range f.Instances {
			if i.System.Type == group.kind {
				values = append(values, fmt.Sprintf("%s, instance %s (%s)", alert.CleanName(i.System.Name), i.Number, i.System.ID))
			}
		}
		if len(values) > 0 {
			v.Facts = append(v.Facts, factView{group.label, values})
		}
	}
}
