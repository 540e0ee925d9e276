package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// The landscape of these tests: a database on two sites, whose hosts are in a
// cluster, and an SAP system on two further hosts.
const (
	db1ID  = "11111111-0000-5000-8000-000000000001"
	db2ID  = "11111111-0000-5000-8000-000000000002"
	app1ID = "22222222-0000-5000-8000-000000000001"
	app2ID = "22222222-0000-5000-8000-000000000002"

	dbKey     = "database-of-the-tests"
	tenant    = "QX1"
	dbAddress = "10.44.0.9"
)

var (
	databaseID  = landscape.DatabaseIDFromKey(dbKey)
	sapSystemID = landscape.SAPSystemIDOn(databaseID, tenant)
	// clusterID is that of the cluster in cluster_hana_scale_up.json.
	clusterID = landscape.ClusterIDFromKey("c72e2158c941635b8ab6c33abcadf6da")
)

// build reports the landscape.
func (f *fixture) build() {
	f.t.Helper()
	for _, h := range []struct{ id, name string }{{db1ID, "qdb01"}, {db2ID, "qdb02"}, {app1ID, "qax01"}, {app2ID, "qax02"}} {
		f.collect(builtHost(h.id, h.name))
		f.clock.pass(time.Second)
	}
	f.collect(reported(f.t, "cluster_hana_scale_up", db1ID))
	f.collect(reported(f.t, "cluster_not_controller", db2ID))
	f.collect(databaseReport(db1ID, primary("ACTIVE")))
	f.clock.pass(time.Second)
	f.collect(databaseReport(db2ID, secondary))
	f.clock.pass(time.Second)
	f.collect(sapReport(app1ID, messageServer("GREEN")))
	f.collect(sapReport(app2ID, applicationServer("YELLOW")))
}

// builtHost is the report of a host of the landscape.
func builtHost(id, name string) string {
	address := map[string]string{db1ID: dbAddress, db2ID: "10.44.0.10", app1ID: "10.44.0.11", app2ID: "10.44.0.12"}[id]
	return strings.Replace(hostReport(id, name), "10.1.2.3", address, 1)
}

// collect sends a report that is taken. The exchange is not held to
// openapi.yaml, which takes longer than all the rest.
func (f *fixture) collect(body string) {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, call{as: agent, method: http.MethodPost, path: collectPath, body: body}.request(f))
	if w.Code != http.StatusAccepted {
		f.t.Fatalf("answer %d %s to %.200s", w.Code, w.Body, body)
	}
}

// reported is one of the reports the tests of package discovery are about,
// from another agent.
func reported(t *testing.T, name, agent string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../store/discovery/testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var envelope struct{ Payload json.RawMessage }
	if err := json.Unmarshal(text, &envelope); err != nil {
		t.Fatal(err)
	}
	return report(agent, "ha_cluster_discovery", string(envelope.Payload))
}

// sapReport is the report of some systems on a host.
func sapReport(agent string, systems ...string) string {
	return report(agent, "sap_system_discovery", "["+strings.Join(systems, ",")+"]")
}

func messageServer(colour string) string {
	return application("00", "qaxascs", "MESSAGESERVER|ENQUE", "1", "enq_server", colour)
}

func applicationServer(colour string) string {
	return application("01", "qaxapp", "ABAP|GATEWAY|ICMAN|IGS", "3", "disp+work", colour)
}

func application(number, hostname, features, priority, process, colour string) string {
	return fmt.Sprintf(`{"Id":"-","SID":"QAX","Type":2,"DBAddress":%q,"Profile":{"dbs/hdb/dbname":%q},"Instances":[%s]}`,
		dbAddress, tenant, instance(number, hostname, features, priority, process, colour, ""))
}

// databaseReport is the report of the database from one of its hosts.
func databaseReport(agent, replication string) string {
	return sapReport(agent, fmt.Sprintf(`{"Id":%q,"SID":"QDB","Type":1,"DBAddress":"","Profile":{},"Databases":[{"Database":%q},{"Database":"SPARE"}],"Instances":[%s]}`,
		dbKey, tenant, instance("10", "qdbsite", "HDB|HDB_WORKER", "0.3", "hdbdaemon", "GREEN", replication)))
}

// primary and secondary are what the two hosts of the database say about
// their replication.
func primary(status string) string {
	return `,"HdbnsutilSRstate":{"mode":"primary","operation_mode":"primary","site_id":"1","site_name":"MUC",` +
		`"siteTier/MUC":"1","siteTier/NUE":"2","siteMapping/MUC":"NUE"},"SystemReplication":{"local_site_id":"1","overall_replication_status":"` + status + `"}`
}

const secondary = `,"HdbnsutilSRstate":{"mode":"sync","operation_mode":"logreplay","site_id":"2","site_name":"NUE",` +
	`"active_primary_site":"1","siteTier/MUC":"1","siteTier/NUE":"2","siteMapping/MUC":"NUE"}`

func instance(number, hostname, features, priority, process, colour, replication string) string {
	return fmt.Sprintf(`{"Host":"h","Name":"n","Type":1,"SAPControl":{"Properties":[{"property":"SAPSYSTEM","value":%q},{"property":"SAPLOCALHOST","value":%q}],`+
		`"Processes":[{"name":%q}],"Instances":[{"currentInstance":true,"hostname":%[2]q,"instanceNr":%[7]s,"features":%[4]q,"httpPort":5%[1]s13,"httpsPort":5%[1]s14,`+
		`"startPriority":%[5]q,"dispstatus":"SAPControl-%[6]s"}]}%[8]s}`,
		number, hostname, process, features, priority, colour, strings.TrimLeft(number[:1], "0")+number[1:], replication)
}

// golden compares the body of an answer with a file in testdata.
func (got answer) golden(t *testing.T, name string) {
	t.Helper()
	var text bytes.Buffer
	if err := json.Indent(&text, []byte(got.body), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	text.WriteByte('\n')
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
}
