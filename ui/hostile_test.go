package ui

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"trento/store/landscape"
)

// hostileNames are names as somebody would choose them who means harm: each
// breaks something that does not treat it as text.
var hostileNames = map[string]string{
	"markup":     `<img src=x onerror=alert(1)>"'&`,
	"direction":  "abc\u202egnp.exe\u2066",
	"controls":   "a\x00b\x1b[31mc\r\nd\te\u2028f",
	"length":     strings.Repeat("w", 4000),
	"formula =":  `=HYPERLINK("http://evil.example","x")`,
	"formula +":  "+1+cmd|'/C calc'!A0",
	"formula -":  "-2+3",
	"formula @":  "@SUM(1)",
	"formula \t": "\t=1",
	"formula \r": "\r=1",
}

// TestHostileNames gives the hosts, the cluster, the database, its tenant and
// the SAP system a hostile name and reads it wherever names are listed: on
// pages it stays text, in tables for spreadsheets it is no formula.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for label, name := range hostileNames {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.user("admin", 1)
			f.host(1, name)
			f.host(2, name)
			cluster := hanaClusterReport()
			cluster.Name, cluster.Facts.SAPInstances[0].SID = &name, name
			cluster.Facts.HANA.Nodes[0].Name, cluster.Facts.HANA.Sites[0].Name = name, name
			cluster.Facts.HANA.Resources[0].ID, cluster.Facts.HANA.Resources[1].Parent.ID = name, name
			f.discover(1, landscape.Observation{Cluster: cluster})
			database := hanaElement(landscape.PrimaryRole, name, "", 1, 1, landscape.Red)
			database.SID, database.Database.Tenants = name, []string{name}
			f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{database}}})
			var elements []landscape.Element
			for number, features := range map[string]string{"00": "MESSAGESERVER", "01": "ABAP"} {
				e := applicationElement(number, features, landscape.Red)
				e.SID, e.Application.Tenant = name, name
				elements = append(elements, e)
			}
			f.discover(2, landscape.Observation{SAP: &landscape.SAPReport{Elements: elements}})
			f.beat(1)
			f.beat(2)
			f.silence(1)
			system := landscape.SAPSystemIDOn(prdID, name)
			words := url.Values{"q": {strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(name))}, "sid": {name}, "name": {name}}.Encode()
			for _, target := range []string{
				"/", "/hosts", "/clusters", "/databases?open=" + string(prdID), "/sap_systems?open=" + string(system), "/cleanup",
				"/clusters?" + words, "/databases?" + words, "/sap_systems?" + words, "/search?" + words, "/search?q=1",
				clusterPath("hana"), "/databases/" + string(prdID), "/sap_systems/" + string(system), hostCleanup(2),
			} {
				w := f.do(call{target: target, as: "admin"})
				if w.Code != http.StatusOK {
					t.Errorf("%.60s: status %d", target, w.Code)
				}
				checkMarkup(t, w.Body.String())
				page := parseMarkup(t, w.Body.String())
				if len(page.all("script")) != 1 || len(page.all("img")) > 0 || strings.Contains(w.Body.String(), "\x00") {
					t.Errorf("%.60s: the name is more than text", target)
				}
			}
			for _, list := range []string{"dashboard", "hosts", "clusters", "databases", "sap_systems", "cleanup"} {
				f.checkTable(t, "/"+list+".csv")
			}
		})
	}
}

// checkTable reports cells of a CSV that a spreadsheet would compute.
func (f *fixture) checkTable(t *testing.T, target string) {
	t.Helper()
	rows, err := csv.NewReader(f.do(call{target: target, as: "admin"}).Body).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Errorf("%s: %d rows, %v", target, len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(string([]rune(cell)[:1]), "=+-@\t\r\n＝＋－＠") {
				t.Errorf("%s: a formula: %.40q", target, cell)
			}
		}
	}
}
