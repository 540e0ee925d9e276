package activity

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Message is the sentence of the entry. Entries of unknown types say the name
// of their type.
func (e *Entry) Message() string {
	if d := byType[e.Type]; d != nil {
		return d.message(e.facts())
	}
	return string(e.Type)
}

// Resource is the kind of thing the entry is about.
func (e *Entry) Resource() string {
	if d := byType[e.Type]; d != nil {
		return d.resource(e.facts())
	}
	return "Unrecognized resource"
}

// facts is the metadata of an entry, decoded or about to be encoded.
type facts map[string]any

// facts are empty where the metadata is no object: a sentence with gaps says
// more than an error.
func (e *Entry) facts() facts {
	var f facts
	if err := json.Unmarshal(e.Metadata, &f); err != nil {
		return nil
	}
	return f
}

// text is the value of the key if it is a text, else "". Severities are judged
// before the metadata is encoded, so a value may be of a named string type or
// a pointer.
func (f facts) text(key string) string {
	v := reflect.ValueOf(f[key])
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.String {
		return v.String()
	}
	return ""
}

func fixed(sentence string) func(facts) string {
	return func(facts) string { return sentence }
}

func loginMessage(f facts) string {
	if refused, ok := f["refused"].(float64); ok {
		return fmt.Sprintf("%.0f sign-in(s) refused unseen, because too many came at once", refused)
	}
	if _, failed := f["reason"]; failed {
		return "Login failed"
	}
	return "User logged in"
}

func tagAdded(f facts) string {
	return fmt.Sprintf(`Tag "%s" added to %s "%s"`, f.text("added_tag"), tagged(f), taggedName(f))
}

func tagRemoved(f facts) string {
	return fmt.Sprintf(`Tag "%s" removed from %s "%s"`, f.text("removed_tag"), tagged(f), taggedName(f))
}

// kinds are the resources that entries name by a value of their metadata.
var kinds = map[string]struct{ label, nameKey string }{
	"host":       {"Host", "hostname"},
	"cluster":    {"Cluster", "name"},
	"database":   {"Database", "sid"},
	"sap_system": {"SAP System", "sid"},
}

func tagged(f facts) string {
	if kind, ok := kinds[f.text("resource_type")]; ok {
		return kind.label
	}
	return "Unable to determine resource type"
}

func taggedName(f facts) string {
	if name := f.text(kinds[f.text("resource_type")].nameKey); name != "" {
		return name
	}
	return "unrecognized resource"
}

func customized(f facts) string {
	if kind, ok := kinds[f.text("target_type")]; ok {
		return kind.label
	}
	return "Unable to determine target type"
}

func checkCustomized(f facts) string {
	return fmt.Sprintf("Check %s was customized", f.text("check_id"))
}

func checkReset(f facts) string {
	return fmt.Sprintf("Customization for check %s was reset", f.text("check_id"))
}

// changed is the sentence about a value that has changed: from what to what,
// and why, as far as the entry knows.
func changed(what, key string) func(facts) string {
	return func(f facts) string {
		sentence := what + " changed"
		if now := f.text(key); now != "" {
			if old := f.text("old"); old != "" && old != now {
				sentence += " from " + old
			}
			sentence += " to " + now
		}
		if cause := f.text("cause"); cause != "" {
			sentence += " because of " + cause
		}
		return sentence
	}
}

// sharedMessage names the machines that report under one id.
func sharedMessage(f facts) string {
	var names []string
	machines, _ := f["machines"].([]any)
	for _, m := range machines {
		machine, _ := m.(map[string]any)
		name := facts(machine).text("hostname")
		if addresses, _ := machine["ip_addresses"].([]any); len(addresses) > 0 {
			name += fmt.Sprintf(" (%v)", addresses[0])
		}
		names = append(names, name)
	}
	return fmt.Sprintf("%d machines report under one id: %s", len(names), strings.Join(names, ", "))
}

// systemLostMessage says what an instance waits for whose system has gone.
func systemLostMessage(f facts) string {
	instance := "Application instance " + f.text("instance_number")
	if f.text("waits_for") == "system" {
		return instance + " will wait for the rest of its system"
	}
	return instance + " will wait for its database"
}

// tokenOwner: only an administrator changes a token that is not their own, and
// only then the entry names the user.
func tokenOwner(f facts) string {
	if _, foreign := f["user_id"]; foreign {
		return "User"
	}
	return "Profile"
}

// operations are the names operations have for people and what they work on.
var operations = map[string]struct{ label, resource string }{
	"saptune_solution_apply":     {"Apply Saptune solution", "Host"},
	"saptune_solution_change":    {"Change Saptune solution", "Host"},
	"reboot":                     {"Reboot host", "Host"},
	"cluster_maintenance_change": {"Cluster maintenance change", "Cluster"},
	"cluster_resource_refresh":   {"Refresh cluster resources", "Cluster"},
	"cluster_host_start":         {"Set node online in cluster", "Host"},
	"cluster_host_stop":          {"Set node offline in cluster", "Host"},
	"pacemaker_enable":           {"Enable Pacemaker", "Host"},
	"pacemaker_disable":          {"Disable Pacemaker", "Host"},
	"sap_instance_start":         {"SAP instance start", "Application Instance"},
	"sap_instance_stop":          {"SAP instance stop", "Application Instance"},
	"sap_system_start":           {"SAP system start", "SAP System"},
	"sap_system_stop":            {"SAP system stop", "SAP System"},
	"database_start":             {"Database start", "Database"},
	"database_stop":              {"Database stop", "Database"},
}

func operationLabel(f facts) string {
	if operation, ok := operations[f.text("operation")]; ok {
		return operation.label
	}
	return "unknown"
}

func operated(f facts) string {
	if operation, ok := operations[f.text("operation")]; ok {
		return operation.resource
	}
	return "Unable to determine operation type"
}

func requestMessage(f facts) string {
	return fmt.Sprintf("Operation %s requested", operationLabel(f))
}

func completionMessage(f facts) string {
	if f.text("result") == "REQUEST_FAILED" {
		return fmt.Sprintf("Operation %s request failed", operationLabel(f))
	}
	return fmt.Sprintf("Operation %s completed", operationLabel(f))
}
