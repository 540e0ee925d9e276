package auth

import "slices"

// Ability is a permission that a user can hold. Ids, names and labels are part
// of the wire format and of stored users, so they never change.
type Ability struct {
	ID       int
	Name     string // "start"
	Resource string // "database"
	Label    string // for people: what the ability permits
}

// String returns the ability in the form of documents: "start:database".
func (a Ability) String() string { return a.Name + ":" + a.Resource }

// Abilities returns all abilities, in the order of their ids.
func Abilities() []Ability { return slices.Clone(abilities) }

// abilityByID returns the ability with an id.
func abilityByID(id int) (Ability, bool) {
	if id < 1 || id > len(abilities) {
		return Ability{}, false
	}
	return abilities[id-1], true
}

// The abilities that the code treats in a special way.
const (
	abilityAll        = 1  // all:all stands for every ability
	abilityUsers      = 2  // all:users permits managing users
	abilityOperations = 35 // operation:all stands for all abilities to run operations
)

// abilityAPIKeySettings is the id of the ability to see the API key of the agents.
// Users without it get the same answers without the key.
const abilityAPIKeySettings = 14

var abilities = []Ability{
	{1, "all", "all", "Permits all operations on all the resources"},
	{2, "all", "users", "Permits all operations on user resource"},
	{3, "all", "cluster_checks_execution", "Permits all operations on cluster checks executions"},
	{4, "all", "host_checks_execution", "Permits all operations on host checks executions"},
	{5, "all", "host_checks_selection", "Permits all operation on host checks selection"},
	{6, "all", "cluster_checks_selection", "Permits all operations on cluster checks selection"},
	{7, "all", "host_tags", "Permits all operation on host tags"},
	{8, "all", "cluster_tags", "Permits all operation on cluster tags"},
	{9, "all", "database_tags", "Permits all operation on database tags"},
	{10, "all", "sap_system_tags", "Permits all operation on sap_system tags"},
	{11, "cleanup", "host", "Permits cleanup of hosts"},
	{12, "cleanup", "application_instance", "Permits cleanup of application instances"},
	{13, "cleanup", "database_instance", "Permits cleanup of database instances"},
	{14, "all", "api_key_settings", "Permits all operations in API keys settings"},
	{15, "all", "suma_settings", "Permits all operations on SUSE Multi-Linux Manager settings"},
	{16, "all", "activity_logs_settings", "Permits all operations on Activity Logs settings"},
	{17, "activity_log", "users", "Permits access to users in activity log"},
	{18, "all", "check_customization", "Permits customizing checks values"},
	{19, "saptune_solution_apply", "host", "Permits Saptune solution apply operation on host"},
	{20, "all", "alerting_settings", "Permits all operations on Alerting Settings"},
	{21, "saptune_solution_change", "host", "Permits Saptune solution change operation on host"},
	{22, "maintenance_change", "cluster", "Permits maintenance change operation on cluster"},
	{23, "start", "application_instance", "Permits start operation on application instances"},
	{24, "stop", "application_instance", "Permits stop operation on application instances"},
	{25, "pacemaker_enable", "cluster", "Permits enabling pacemaker on a cluster host"},
	{26, "pacemaker_disable", "cluster", "Permits disabling pacemaker on a cluster host"},
	{27, "start", "sap_system", "Permits start operation on SAP systems"},
	{28, "stop", "sap_system", "Permits stop operation on SAP systems"},
	{29, "start", "database", "Permits start operation on databases"},
	{30, "stop", "database", "Permits stop operation on databases"},
	{31, "cluster_host_start", "cluster", "Permits start operation on cluster hosts"},
	{32, "cluster_host_stop", "cluster", "Permits stop operation on cluster hosts"},
	{33, "reboot", "host", "Permits reboot operation on host"},
	{34, "resource_refresh", "cluster", "Permits resource refresh operation on cluster"},
	{35, "operation", "all", "Permits running operations in all resources"},
	{36, "all", "personal_access_token_settings", "Permits all operations on personal access token settings"},
}

// isOperationAbility reports whether operation:all includes the ability.
func isOperationAbility(id int) bool { return id == 19 || 21 <= id && id <= 34 }
