package activity

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/catalogue.golden")

// TestCodes compares the numbers of the types with testdata. No test writes
// that file: a new type adds a line, and no line may ever change.
func TestCodes(t *testing.T) {
	golden, err := os.ReadFile("testdata/codes.golden")
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[Type]uint16{}
	for line := range strings.Lines(string(golden)) {
		var code uint16
		var name Type
		if _, err := fmt.Sscan(line, &code, &name); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		pinned[name] = code
		if got, ok := TypeOfCode(code); !ok || got != name {
			t.Errorf("code %d is type %q, has always been %q", code, got, name)
		}
		if got, ok := name.Code(); !ok || got != code {
			t.Errorf("type %s has code %d, has always had %d", name, got, code)
		}
	}
	for _, name := range Types() {
		code, ok := name.Code()
		if !ok || code == 0 {
			t.Errorf("type %s has no code", name)
		}
		if pinned[name] == 0 {
			t.Errorf("type %s with code %d is not pinned in testdata/codes.golden", name, code)
		}
	}
	if len(typeByCode) != len(catalogue) || len(definitionByType) != len(catalogue) {
		t.Errorf("%d types have %d names and %d codes", len(catalogue), len(definitionByType), len(typeByCode))
	}
	if got, ok := TypeOfCode(0); ok {
		t.Errorf("code 0 is type %s", got)
	}
}

// TestCatalogue compares the texts of every type. The metadata contains every
// field that any type reads.
func TestCatalogue(t *testing.T) {
	metadata := `{"reason":"Invalid credentials.","hostname":"hana01","name":"hana_cluster","sid":"PRD","added_tag":"blue","removed_tag":"green",
		"resource_type":"cluster","target_type":"host","check_id":"DA114A","operation":"reboot","result":"UPDATED","status":"yellow",
		"health":"unknown","checks_health":"unknown","saptune_health":"unknown","replication_health":"unknown","distributed_health":"unknown",
		"sbd_health":"unknown","discovered_health":"unknown","database_health":"unknown","cluster_host_status":"offline",
		"discovery_type":"sap_system_discovery","outcome":"partly_used","problem_count":2,"problems":[{"pointer":"/0/Type","detail":"is invalid","read":"9"}]}`
	var b strings.Builder
	for _, name := range Types() {
		entry := Entry{Type: name, Metadata: json.RawMessage(metadata)}
		audience := "everyone"
		if name.UserManagement() {
			audience = "user managers"
		}
		fmt.Fprintf(&b, "%s | %s | %s | %s | %s | %s\n", name, name.Label(), entry.Message(), entry.Resource(), SeverityOf(entry.Event()), audience)
	}
	const file = "testdata/catalogue.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(golden), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("the catalogue reads differently (-golden +now):\n%s", diff)
	}
}

func TestLabelsAreDistinct(t *testing.T) {
	seen := map[string]Type{}
	for _, name := range Types() {
		label := name.Label()
		if other, ok := seen[label]; ok {
			t.Errorf("%s and %s share the label %q", name, other, label)
		}
		if label == "" || strings.ContainsAny(label, "`<>") {
			t.Errorf("%s has the label %q", name, label)
		}
		seen[label] = name
	}
}

func TestUnknownType(t *testing.T) {
	entry := Entry{Type: "moon_landed", Metadata: json.RawMessage(`{}`)}
	if entry.Type.Known() || entry.Type.UserManagement() {
		t.Error("an unknown type is known")
	}
	if got := entry.Type.Label(); got != "moon_landed" {
		t.Errorf("label %q, want the raw type", got)
	}
	if got := entry.Message(); got != "moon_landed" {
		t.Errorf("message %q, want the raw type", got)
	}
	if got := entry.Resource(); got != "Unrecognized resource" {
		t.Errorf("resource %q", got)
	}
	if got := SeverityOf(entry.Event()); got != Info {
		t.Errorf("severity %s, want info", got)
	}
	if _, ok := entry.Type.Code(); ok {
		t.Error("an unknown type has a code")
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name              Type
		metadata          string
		message, resource string
	}{
		{TypeLoginAttempt, `{}`, "User logged in", "Application"},
		{TypeLoginAttempt, `{"username":"jane","reason":"Invalid credentials."}`, "Login failed", "Application"},
		{TypeLoginAttempt, `{"reason":"Too many sign-ins at once.","refused":37}`, "37 sign-in(s) refused unseen, because too many came at once", "Application"},
		{TypeLoginAttempt, `{"provider":"oidc_local"}`, "User logged in through the identity provider", "Application"},
		{TypeLoginAttempt, `{"provider":"oidc_local","reason":"The sign-in took too long."}`, "Login failed: The sign-in took too long", "Application"},
		{TypeUserCreation, `{"username":"ann","user_id":2}`, "User was created", "User"},
		{TypeUserCreation, `{"username":"ann","user_id":2,"provider":"oidc_local"}`, "User ann was created by the identity provider, at the first sign-in", "User"},
		{TypeUserModification, `{"username":"ann","user_id":2,"enabled":false}`, "User was modified", "User"},
		{TypeUserModification, `{"username":"ann","user_id":2,"provider":"saml_local"}`, "User ann was modified by the identity provider, at a sign-in", "User"},
		{TypeResourceTagging, `{"added_tag":"a","resource_type":"host","hostname":"hana01"}`, `Tag "a" added to Host "hana01"`, "Host"},
		{TypeResourceTagging, `{"added_tag":"a","resource_type":"database","sid":"PRD"}`, `Tag "a" added to Database "PRD"`, "Database"},
		{TypeResourceTagging, `{"added_tag":"a","resource_type":"host","hostname":null}`, `Tag "a" added to Host "unrecognized resource"`, "Host"},
		{TypeResourceUntagging, `{"removed_tag":"a","resource_type":"sap_system","sid":"NWP"}`, `Tag "a" removed from SAP System "NWP"`, "SAP System"},
		{TypeResourceUntagging, `{"removed_tag":"a"}`, `Tag "a" removed from Unable to determine resource type "unrecognized resource"`, "Unable to determine resource type"},
		{TypeCheckCustomizationApplied, `{"check_id":"X"}`, "Check X was customized", "Unable to determine target type"},
		{TypeCheckCustomizationReset, `{"check_id":"X","target_type":"cluster"}`, "Customization for check X was reset", "Cluster"},
		{TypeHostOperationRequested, `{"operation":"saptune_solution_apply"}`, "Operation Apply Saptune solution requested", "Host"},
		{TypeClusterHostOperationRequested, `{"operation":"pacemaker_enable"}`, "Operation Enable Pacemaker requested", "Cluster"},
		{TypeOperationCompleted, `{"operation":"sap_instance_stop","result":"FAILED"}`, "Operation SAP instance stop completed", "Application Instance"},
		{TypeOperationCompleted, `{"operation":"database_start","result":"REQUEST_FAILED"}`, "Operation Database start request failed", "Database"},
		{TypeOperationCompleted, `{"operation":"dance"}`, "Operation unknown completed", "Unable to determine operation type"},
		{TypePersonalAccessTokenModification, `{"id":"1","name":"ci"}`, "Personal access token was modified", "Profile"},
		{TypePersonalAccessTokenExpiration, `{"id":"1","name":"ci","user_id":7}`, "Personal access token was expired", "User"},
		{TypeHostHealthChanged, `{"old":"passing","health":"critical","cause":"saptune is not compliant"}`, "Host health changed from passing to critical: saptune is not compliant", "Host"},
		{TypeHostHealthChanged, `{"health":"critical"}`, "Host health changed to critical", "Host"},
		{TypeHostHealthChanged, `{}`, "Host health changed", "Host"},
		{TypeDatabaseInstanceStatusChanged, `{"old":"green","status":"red"}`, "Database instance status changed from green to red", "Database"},
		{TypeClusterHostStatusChanged, `{"old":"online","cluster_host_status":"offline"}`, "Cluster host status changed from online to offline", "Cluster"},
		{TypeHeartbeatFailed, `[]`, "Host heartbeat failed", "Host"},
		{TypeCheckCustomizationApplied, `no JSON`, "Check  was customized", "Unable to determine target type"},
	}
	for _, test := range tests {
		entry := Entry{Type: test.name, Metadata: json.RawMessage(test.metadata)}
		if got := entry.Message(); got != test.message {
			t.Errorf("%s %s: message %q, want %q", test.name, test.metadata, got, test.message)
		}
		if got := entry.Resource(); got != test.resource {
			t.Errorf("%s %s: resource %q, want %q", test.name, test.metadata, got, test.resource)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	tests := []struct {
		event Event
		want  Severity
	}{
		{&LoginAttempt{}, Info},
		{&LoginAttempt{Username: "jane", Reason: "Invalid credentials."}, Warning},
		{&UserDeletion{}, Warning},
		{&ActivityLogSettingsUpdate{}, Debug},

		{&DatabaseHealthChanged{Health: "passing"}, Info},
		{&DatabaseHealthChanged{Health: "warning"}, Warning},
		{&DatabaseHealthChanged{Health: "critical"}, Critical},
		{&DatabaseHealthChanged{Health: "unknown"}, Info},
		{&DatabaseHealthChanged{}, Info},
		{&SAPSystemHealthChanged{Health: "critical"}, Critical},
		{&SAPSystemDatabaseHealthChanged{Health: "warning"}, Warning},

		{&HostHealthChanged{Health: "unknown"}, Warning},
		{&HostHealthChanged{Health: "critical"}, Critical},
		{&HostHealthChanged{}, Info},
		{&HostHealthChanged{AboutHost: AboutHost{Hostname: "critical"}, Health: "passing"}, Info},
		{&HostSaptuneHealthChanged{Health: "warning"}, Warning},
		{&SoftwareUpdatesHealthChanged{Health: "not_set"}, Info},
		{&ClusterSBDHealthChanged{Health: "unknown"}, Warning},
		{&ClusterDiscoveredHealthChanged{Health: "critical"}, Info},

		{&ApplicationInstanceStatusChanged{Status: "green"}, Info},
		{&ApplicationInstanceStatusChanged{Status: "yellow"}, Warning},
		{&DatabaseInstanceStatusChanged{Status: "red"}, Critical},
		{&DatabaseInstanceStatusChanged{Status: "gray"}, Info},

		{&OperationCompleted{Result: "updated"}, Info},
		{&OperationCompleted{Result: "NOT_UPDATED"}, Info},
		{&OperationCompleted{Result: "ROLLED_BACK"}, Critical},
		{&OperationCompleted{Result: "REQUEST_FAILED"}, Critical},
		{&OperationCompleted{}, Critical},

		{&Foreign{Of: TypeHostRollUpRequested}, Debug},
		{&Foreign{Of: TypeDatabaseRollUpRequested}, Info},
		{&Foreign{Of: "moon_landed"}, Info},
	}
	for _, test := range tests {
		if got := SeverityOf(test.event); got != test.want {
			t.Errorf("%s %+v is %s, want %s", test.event.Type(), test.event, got, test.want)
		}
	}
}
