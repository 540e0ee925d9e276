package doctor

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth/sso"
	"trento/packaging/config"
	"trento/store/finding"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

// goodState returns the state of a running server with which nothing is wrong.
func goodState() *State {
	started := noon.Add(-time.Hour)
	return &State{
		Now: noon, Version: "1.2.3", StartedAt: &started,
		Configuration: &Configuration{File: "/etc/trento/trento-web"},
		Server:        &Server{Version: "1.2.3", FileChangedAt: started.Add(-time.Hour)},
		Files:         []File{{Path: "/var/lib/trento", Mode: 0o700, Allowed: 0o700, Owner: "trento", Expected: "trento"}},
		Disk:          &Disk{Dir: "/var/lib/trento", Free: 50e9, Size: 100e9, FreeFiles: 1e6, Store: 1e9},
		Data:          &Data{Dir: "/var/lib/trento", Size: 1e9, Free: 1e8},
		Index:         &Index{Behind: time.Second},
		Backups:       &Backups{Dir: "/srv/backup", Encrypted: true, Newest: noon.Add(-time.Hour)},
		Certificate:   &Certificate{On: true, Source: "TLS_CERT_FILE"},
		HostName:      &HostName{Name: "trento.example.com", Tried: true},
		Clock:         &Clock{Synchronized: true},
		OpenFiles:     &OpenFiles{Affordable: 32000, Wanted: 12288},
		Memory:        &Memory{Limit: 2 << 30},
		Service:       &Service{Systemd: true, Watchdog: true},
		Provider:      &Provider{Kind: "OpenID Connect", Asked: true, Findings: []sso.Finding{{Good: true, Text: "fine"}}},
		Messages:      &Messages{Reporting: 3, Connected: 3},
		Agents:        &Agents{Hosts: 3},
		Alerts:        &Alerts{On: true, Relay: "mail.example.com", Encrypted: true, Webhook: "hooks.example.com", Asked: true},
		Admin:         &Admin{Name: "admin"},
		APIKey:        &APIKey{},
		Retention:     &Retention{Text: "1 month", Bytes: 1e9},
	}
}

// stop makes the state that of a server that is stopped.
func (s *State) stop() {
	s.StartedAt, s.Server, s.Index, s.OpenFiles, s.Memory, s.Service, s.Messages, s.Agents, s.Alerts = nil, nil, nil, nil, nil, nil, nil, nil, nil
	s.Ports = []Port{{Variable: "PORT", Number: 4000}}
	s.Data.Verified = true
}

// faults are states with which one thing is wrong, and the beginning of what is
// said about each.
var faults = []struct {
	urgency finding.Urgency
	area    string
	what    string
	change  func(*State)
}{
	{finding.Urgent, "Configuration", `PORT "http": want a number.`, func(s *State) { s.Configuration.Faults = []string{`PORT "http": want a number`} }},
	{finding.Warning, "Configuration", "PROT is ignored: did you mean PORT?", func(s *State) {
		s.Configuration.Notices = []config.Notice{{Text: "PROT is ignored: did you mean PORT?", Mend: "Write PORT instead of PROT."}}
	}},
	{finding.Urgent, "Configuration", "/etc/trento/trento-web can be read by everybody.", func(s *State) {
		s.Configuration.Notices = []config.Notice{{Text: "/etc/trento/trento-web can be read by everybody", Mend: "chmod 640 /etc/trento/trento-web"}}
	}},
	{finding.Warning, "Program", "The server runs version 1.2.2", func(s *State) { s.Server.Version = "1.2.2" }},
	{finding.Warning, "Program", "The configuration file was changed on 20 Aug 2026 11:30 UTC", func(s *State) { s.Server.FileChangedAt = noon.Add(-30 * time.Minute) }},
	{finding.Urgent, "Operation", "Changes cannot be stored. The disk is full.", func(s *State) {
		s.Failures = []Failure{{true, "Changes cannot be stored. The disk is full.", "Free space on that disk.", noon}}
	}},
	{finding.Warning, "Operation", "The disk of the server is very slow.", func(s *State) {
		s.Failures = []Failure{{false, "The disk of the server is very slow.", "Find out what else uses the disk.", noon}}
	}},
	{finding.Urgent, "Files", "/var/lib/trento/secrets has mode 0644", func(s *State) {
		s.Files = append(s.Files, File{Path: "/var/lib/trento/secrets", Mode: 0o644, Allowed: 0o600, Owner: "trento", Expected: "trento", Secret: true})
	}},
	{finding.Warning, "Files", "/var/lib/trento has mode 0755", func(s *State) { s.Files[0].Mode = 0o755 }},
	{finding.Urgent, "Files", "/var/lib/trento belongs to root, and the data directory to trento.", func(s *State) { s.Files[0].Owner = "root" }},
	{finding.Urgent, "Files", "/var/lib/trento cannot be read: permission denied.", func(s *State) { s.Files[0].Problem = "permission denied" }},
	{finding.Urgent, "Disk", "The disk of /var/lib/trento has 100 MB left of 100 GB.", func(s *State) { s.Disk.Free = 100e6 }},
	{finding.Urgent, "Disk", "The disk of /var/lib/trento has 900 MB left of 100 GB.", func(s *State) { s.Disk.Free = 900e6 }},
	{finding.Warning, "Disk", "The disk of /var/lib/trento has 50.0 GB left of 100 GB, and is full in about 5 days", func(s *State) { s.Disk.FullIn = 5*24*time.Hour + time.Minute }},
	{finding.Warning, "Disk", "The disk of /var/lib/trento has 50.0 GB left of 100 GB, less than the data file has.", func(s *State) { s.Disk.Store = 60e9 }},
	{finding.Warning, "Disk", "The disk of /var/lib/trento has 900 MB left of 10.0 GB.", func(s *State) { s.Disk.Free, s.Disk.Size, s.Disk.Store = 900e6, 10e9, 1e6 }},
	{finding.Urgent, "Disk", "The disk of /var/lib/trento can only be read.", func(s *State) { s.Disk.ReadOnly = true }},
	{finding.Urgent, "Disk", "The disk of /var/lib/trento has room for 10 more files only.", func(s *State) { s.Disk.FreeFiles = 10 }},
	{finding.Warning, "Data file", "There is no data file in /var/lib/trento.", func(s *State) { s.stop(); s.Data = &Data{Dir: "/var/lib/trento", Missing: true} }},
	{finding.Urgent, "Data file", "The data file was written by a later version", func(s *State) { s.stop(); s.Data = &Data{Newer: true} }},
	{finding.Urgent, "Data file", "The data file is damaged: page 7.", func(s *State) { s.stop(); s.Data.Fault = "page 7" }},
	{finding.Warning, "Data file", "3.0 GB of the data file (4.0 GB) hold no data.", func(s *State) { s.Data.Size, s.Data.Free = 4e9, 3e9 }},
	{finding.Warning, "Search index", "The search index is 2m0s behind the activity log.", func(s *State) { s.Index.Behind = 2 * time.Minute }},
	{finding.Warning, "Backups", "No regular backups are made.", func(s *State) { s.Backups = &Backups{} }},
	{finding.Warning, "Backups", "No regular backups are made.", func(s *State) { s.Backups = &Backups{LastOther: noon.Add(-9 * 24 * time.Hour)} }},
	{finding.Urgent, "Backups", "There is no backup in /srv/backup yet", func(s *State) { s.Backups.Newest, s.Backups.Overdue = time.Time{}, true }},
	{finding.Urgent, "Backups", "The newest backup in /srv/backup is of 18 Aug 2026 12:00 UTC", func(s *State) { s.Backups.Newest, s.Backups.Overdue = noon.Add(-48*time.Hour), true }},
	{finding.Urgent, "Backups", "The directory of the backups cannot be read: no.", func(s *State) { s.Backups.Fault = "no" }},
	{finding.Warning, "Backups", "The regular backups are not encrypted.", func(s *State) { s.Backups.Encrypted = false }},
	{finding.Warning, "Backups", "The backups in /srv/backup are on the disk of the data.", func(s *State) { s.Backups.SameDisk = true }},
	{finding.Warning, "Certificate", "Connections to this server are not encrypted.", func(s *State) { s.Certificate.On = false }},
	{finding.Urgent, "Certificate", "The certificate cannot be used: no such file.", func(s *State) { s.Certificate.Fault = "no such file" }},
	{finding.Warning, "Certificate", "The certificate needs attention: it expires on 1 Sep.", func(s *State) { s.Certificate.Faults = []string{"it expires on 1 Sep"} }},
	{finding.Urgent, "Certificate", "The certificate needs attention: it is not for x.", func(s *State) { s.Certificate.Faults, s.Certificate.Refused = []string{"it is not for x"}, true }},
	{finding.Warning, "Certificate", "The certificate needs attention: it could not be replaced: 429.", func(s *State) {
		s.Certificate.Faults, s.Certificate.Source = []string{"it could not be replaced: 429"}, "TLS_ACME_DOMAIN"
	}},
	{finding.Warning, "Host name", "TRENTO_WEB_ORIGIN is not set, and the check of the certificate needs it.", func(s *State) { s.HostName = &HostName{Needs: "the check of the certificate"} }},
	{finding.Warning, "Host name", "The name in TRENTO_WEB_ORIGIN, trento.example.com, is unknown here: no such host.", func(s *State) { s.HostName.Fault = "no such host" }},
	{finding.Warning, "Clock", "The clock of this machine is not synchronized.", func(s *State) { s.Clock.Synchronized = false }},
	{finding.Urgent, "Ports", "Port 4000 is taken by another program.", func(s *State) { s.stop(); s.Ports[0].InUse = true }},
	{finding.Warning, "Ports", "Port 4000 may only be opened by root", func(s *State) { s.stop(); s.Ports[0].Privileged = true }},
	{finding.Urgent, "Ports", "Port 4000 cannot be opened: no such address.", func(s *State) { s.stop(); s.Ports[0].Problem = "no such address" }},
	{finding.Warning, "Open files", "The limit on open files leaves room for 400 connections", func(s *State) { s.OpenFiles.Affordable = 400 }},
	{finding.Warning, "Memory", "The server may use 268 MB of memory only.", func(s *State) { s.Memory.Limit = 256 << 20 }},
	{finding.Warning, "Service", "Systemd does not watch over the server.", func(s *State) { s.Service.Watchdog = false }},
	{finding.Warning, "Proxy", "Requests are forwarded by a proxy that is not trusted: 10.0.0.7.", func(s *State) { s.Proxies = []string{"10.0.0.7"} }},
	{finding.Urgent, "Single sign-on", "The issuer cannot be reached.", func(s *State) {
		s.Provider.Findings = []sso.Finding{{Text: "the issuer cannot be reached", Cure: "Compare OIDC_BASE_URL."}}
	}},
	{finding.Urgent, "Single sign-on", "Single sign-on with OpenID Connect cannot be tried: x.", func(s *State) { s.Provider.Fault = "x" }},
	{finding.Warning, "Messages to agents", "Agents cannot connect for messages: ENABLE_AMQP is not true.", func(s *State) { s.Messages = &Messages{Off: true} }},
	{finding.Urgent, "Messages to agents", "The broker of AMQP_URL cannot be used: refused.", func(s *State) { s.Messages = &Messages{Elsewhere: true, Fault: "refused"} }},
	{finding.Warning, "Messages to agents", "3 agents report, and none of them is connected", func(s *State) { s.Messages.Connected = 0 }},
	{finding.Warning, "Agents", "Everybody can report as an agent", func(s *State) { s.Agents.KeyOff = true }},
	{finding.Warning, "Agents", "6 of 7 agents: no heartbeats come from a, b, c, d, e and 1 more.", func(s *State) { s.Agents.Hosts, s.Agents.Lost = 7, strings.Split("abcdef", "") }},
	{finding.Warning, "Agents", "Reports of 1 host cannot be used in full: a.", func(s *State) { s.Agents.Faulty = []string{"a"} }},
	{finding.Warning, "Agents", "An agent at 10.0.0.9 was refused for its messages: wrong user or password.", func(s *State) {
		s.Agents.Refused = []Refusal{{"10.0.0.9", "messages", "wrong user or password"}}
	}},
	{finding.Urgent, "Alerts", "The stored passwords of alerting cannot be decrypted.", func(s *State) { s.Alerts.SecretsLost = true }},
	{finding.Urgent, "Alerts", "The mail relay mail.example.com cannot be used: login: 535.", func(s *State) { s.Alerts.RelayFault = "login: 535" }},
	{finding.Warning, "Alerts", "Alerts go to the mail relay mail.example.com without encryption.", func(s *State) { s.Alerts.Encrypted = false }},
	{finding.Urgent, "Alerts", "The webhook at hooks.example.com cannot be reached: no such host.", func(s *State) { s.Alerts.WebhookFault = "no such host" }},
	{finding.Warning, "Default admin", "The generated password of admin is still in the file /x.", func(s *State) { s.Admin.PasswordFile, s.Admin.NeverChanged = "/x", true }},
	{finding.Warning, "Default admin", "The password of admin is still the one it was created with.", func(s *State) { s.Admin.NeverChanged = true }},
	{finding.Warning, "Default admin", "Nobody but admin manages users.", func(s *State) { s.Admin.Alone = true }},
	{finding.Urgent, "API key", "The API key of the agents has expired.", func(s *State) { s.APIKey = &APIKey{Ends: true, Soon: true, DaysLeft: -1} }},
	{finding.Urgent, "API key", "The API key of the agents expires today.", func(s *State) { s.APIKey = &APIKey{Ends: true, Soon: true} }},
	{finding.Warning, "API key", "The API key of the agents expires in 1 day.", func(s *State) { s.APIKey = &APIKey{Ends: true, Soon: true, DaysLeft: 1} }},
	{finding.Warning, "Activity log", "The activity log is kept for 30 years.", func(s *State) { s.Retention.Text, s.Retention.Years = "30 years", 30 }},
}

// TestFaults checks that each fault is found, and nothing else with it, and that
// somebody is told why it matters and what mends it.
func TestFaults(t *testing.T) {
	examined := map[string]bool{}
	for _, tt := range faults {
		s := goodState()
		tt.change(s)
		r := Examine(s)
		examined[tt.area] = true
		if len(r.Findings) != 1 {
			t.Errorf("%s: found %+v", tt.what, r.Findings)
			continue
		}
		f := r.Findings[0]
		if f.Urgency != tt.urgency || f.Area != tt.area || !strings.HasPrefix(f.What, tt.what) {
			t.Errorf("found %+v, want %v %q", f, tt.urgency, tt.what)
		}
		if !strings.HasSuffix(f.What, ".") && !strings.HasSuffix(f.What, "?") || !strings.HasSuffix(f.Why, ".") || f.Mend == "" {
			t.Errorf("%+v: is no sentence, or does not say why and what mends it", f)
		}
	}
	for _, e := range examinations {
		if !examined[e.area] && e.area != "Firewall" {
			t.Errorf("nothing is ever wrong with %s", e.area)
		}
	}
}

// TestUnknownState checks that what is not known is said, and nothing is made
// up.
func TestUnknownState(t *testing.T) {
	r := Examine(&State{Now: noon})
	if len(r.Findings) > 0 || len(r.Examined) > 0 {
		t.Errorf("%+v", r)
	}
	s := goodState()
	s.Provider, s.HostName = &Provider{Kind: "SAML"}, &HostName{Name: "trento.example.com"}
	s.Clock = &Clock{Problem: "denied"}
	var skipped []string
	for _, e := range Examine(s).Skipped {
		skipped = append(skipped, e.Area)
	}
	if diff := cmp.Diff([]string{"Data file", "Host name", "Clock", "Firewall", "Single sign-on"}, skipped); diff != "" {
		t.Errorf("not examined (-want +got):\n%s", diff)
	}
	// Backups that are made on request by somebody or something count.
	s = goodState()
	s.Backups = &Backups{LastOther: noon.Add(-24 * time.Hour)}
	if r := Examine(s); len(r.Findings) > 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// TestText compares what is printed: of a good installation, running and
// stopped, and of one with which everything is wrong.
func TestText(t *testing.T) {
	stopped := goodState()
	stopped.stop()
	worst := &finding.Report{At: noon, Version: "1.2.3"}
	for _, tt := range faults {
		s := goodState()
		tt.change(s)
		worst.Add(Examine(s))
	}
	for name, r := range map[string]*finding.Report{"good": Examine(goodState()), "stopped": Examine(stopped), "worst": worst} {
		file := filepath.Join("testdata", name+".golden")
		got := Text(r)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if text := Text(&finding.Report{Findings: []finding.Finding{{What: "\x1b[31m"}}}); strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
}

// TestSpaceTrend checks when a disk is expected to be full.
func TestSpaceTrend(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		free []int64 // one for each day
		want time.Duration
	}{
		"unknown":      {[]int64{100}, 0},
		"fills":        {[]int64{100, 90, 80}, 8 * day},
		"empties":      {[]int64{80, 90, 100}, 0},
		"stays":        {[]int64{80, 80}, 0},
		"a week":       {[]int64{1000, 100, 99, 98, 97, 96, 95, 94, 93}, 93 * day},
		"almost stays": {[]int64{1 << 60, 1<<60 - 1}, 10 * 365 * day},
	} {
		var trend SpaceTrend
		for i, free := range tt.free {
			trend.Add(noon.Add(time.Duration(i)*day), free)
		}
		if got := trend.FullIn(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	var trend SpaceTrend
	trend.Add(noon, 100)
	trend.Add(noon.Add(time.Hour), 50)
	if got := trend.FullIn(); got != 0 {
		t.Errorf("after an hour: %v", got)
	}
	trend.Add(noon.Add(-day), 40) // the clock was set back
	if got := trend.FullIn(); got != 0 {
		t.Errorf("after a jump of the clock: %v", got)
	}
}
