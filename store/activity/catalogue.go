package activity

// definition is a row of the catalogue; it defines a type.
type definition struct {
	// code is the number of the type in the file. A new type takes the next
	// free number. A number that was used must never be used for another type.
	code     uint16
	event    func() Event // returns an empty event of the type
	label    string
	message  string   // byEvent: see Event's message method
	resource string   // byEvent: see Event's resource method
	severity Severity // severityByEvent: see Event's severity method
	audience audience
}

// The values in the catalogue for types whose events decide the text or
// severity.
const (
	byEvent                  = ""
	severityByEvent Severity = 0
)

// newEventOf returns the constructor of the events of a type that has a struct.
func newEventOf[T any, E interface {
	*T
	Event
}]() func() Event {
	return func() Event { return E(new(T)) }
}

// newRequested returns the constructor of the events of a type of
// OperationRequested.
func newRequested(t Type) func() Event { return func() Event { return &OperationRequested{Of: t} } }

// newForeign returns the constructor of the events of a type that this product
// never writes.
func newForeign(t Type) func() Event { return func() Event { return &Foreign{Of: t} } }

// audience is the group of users who may see the entries of a type.
type audience uint8

const (
	everyone audience = iota
	userManagers
)

// The resources that most types are about.
const (
	application = "Application"
	user        = "User"
	profile     = "Profile"
	host        = "Host"
	cluster     = "Cluster"
	sapSystem   = "SAP System"
	database    = "Database"
)

// catalogue defines all types, in the order in which filters list them.
var catalogue = []definition{
	// Sign-in and user management.
	{1, newEventOf[LoginAttempt](), "Login Attempt", byEvent, application, severityByEvent, userManagers},
	{2, newEventOf[UserCreation](), "User Created", byEvent, user, Info, userManagers},
	{3, newEventOf[UserModification](), "User Modified", byEvent, user, Info, userManagers},
	{4, newEventOf[UserDeletion](), "User Deleted", "User was deleted", user, Warning, userManagers},
	{5, newEventOf[ProfileUpdate](), "Profile Updated", "User modified profile", profile, Info, userManagers},
	{6, newEventOf[PersonalAccessTokenCreation](), "Personal Access Token Created", "Personal access token was created", profile, Info, userManagers},
	{7, newEventOf[PersonalAccessTokenDeletion](), "Personal Access Token Deleted", "Personal access token was deleted", profile, Warning, userManagers},
	{8, newEventOf[PersonalAccessTokenAdminDeletion](), "Personal Access Token Deleted by Admin", "Personal access token was deleted by admin", user, Warning, userManagers},
	{9, newEventOf[PersonalAccessTokenModification](), "Personal Access Token Modified", "Personal access token was modified", byEvent, Info, userManagers},
	{10, newEventOf[PersonalAccessTokenRegeneration](), "Personal Access Token Regenerated", "Personal access token was regenerated", byEvent, Warning, userManagers},
	{11, newEventOf[PersonalAccessTokenExpiration](), "Personal Access Token Expired", "Personal access token was expired", byEvent, Warning, userManagers},
	{12, newForeign(TypeAIConfigurationCreation), "AI Configuration Created", "AI configuration was created", profile, Info, userManagers},
	{13, newForeign(TypeAIConfigurationModification), "AI Configuration Updated", "AI configuration was updated", profile, Info, userManagers},
	{14, newForeign(TypeAIConfigurationDeletion), "AI Configuration Cleared", "AI configuration was cleared", profile, Info, userManagers},

	// Settings, tags, checks and clean-up.
	{15, newEventOf[ResourceTagging](), "Tag Added", byEvent, byEvent, Info, everyone},
	{16, newEventOf[ResourceUntagging](), "Tag Removed", byEvent, byEvent, Info, everyone},
	{17, newEventOf[APIKeyGeneration](), "API Key Generated", "API Key was generated", "API Key", Info, everyone},
	{123, newEventOf[MessageCredentialRotation](), "Message Credential Rotated", "Password for messages to agents was replaced", "Message Credential", Info, everyone},
	{126, newEventOf[BackupCreation](), "Backup Made", "Backup was made", "Backup", Info, everyone},
	{127, newEventOf[BackupFailure](), "Backup Failed", "Backup could not be made", "Backup", Critical, everyone},
	{18, newForeign(TypeSavingSUMASettings), "SUSE Multi-Linux Manager Settings Saved", "SUSE Multi-Linux Manager Settings were saved", "SUSE Multi-Linux Manager Settings", Info, everyone},
	{19, newForeign(TypeChangingSUMASettings), "SUSE Multi-Linux Manager Settings Changed", "SUSE Multi-Linux Manager Settings were changed", "SUSE Multi-Linux Manager Settings", Info, everyone},
	{20, newForeign(TypeClearingSUMASettings), "SUSE Multi-Linux Manager Settings Cleared", "SUSE Multi-Linux Manager Settings were cleared", "SUSE Multi-Linux Manager Settings", Warning, everyone},
	{21, newForeign(TypeSavingAlertingSettings), "Alerting Settings Saved", "Alerting Settings were saved", "Alerting Settings", Info, everyone},
	{22, newForeign(TypeChangingAlertingSettings), "Alerting Settings Changed", "Alerting Settings were changed", "Alerting Settings", Info, everyone},
	{23, newEventOf[ActivityLogSettingsUpdate](), "Activity Log Settings Updated", "Activity log settings were updated", "Activity Log Settings", Debug, everyone},
	{24, newEventOf[PersonalAccessTokenSettingsUpdate](), "Personal Access Token Settings Updated", "Personal access token settings were updated", "Personal Access Token Settings", Info, everyone},
	{25, newEventOf[ClusterChecksSelected](), "Cluster Checks Selected", "Checks were selected for cluster", cluster, Warning, everyone},
	{26, newEventOf[HostChecksSelected](), "Host Checks Selected", "Checks were selected for host", host, Warning, everyone},
	{27, newForeign(TypeClusterChecksExecutionRequest), "Cluster Checks Execution Requested", "Checks execution requested for cluster", cluster, Info, everyone},
	{28, newForeign(TypeHostChecksExecutionRequest), "Host Checks Execution Requested", "Checks execution requested for host", host, Info, everyone},
	{124, newEventOf[HostDiscoveryRequested](), "Host Discovery Requested", "Reports were requested from the agent of the host", host, Info, everyone},
	{125, newEventOf[ClusterDiscoveryRequested](), "Cluster Discovery Requested", "Reports were requested from the agents of the cluster", cluster, Info, everyone},
	{29, newEventOf[HostCleanupRequested](), "Host Cleanup Requested", "Host cleanup requested", host, Warning, everyone},
	{30, newEventOf[SAPSystemCleanupRequested](), "SAP System Cleanup Requested", "SAP System cleanup requested", sapSystem, Warning, everyone},
	{31, newEventOf[DatabaseCleanupRequested](), "Database Cleanup Requested", "Database cleanup requested", database, Warning, everyone},

	// Operations.
	{32, newRequested(TypeHostOperationRequested), "Host Operation Requested", byEvent, host, Info, everyone},
	{33, newRequested(TypeClusterOperationRequested), "Cluster Operation Requested", byEvent, cluster, Info, everyone},
	{34, newRequested(TypeClusterHostOperationRequested), "Operation Requested on a cluster host", byEvent, cluster, Info, everyone},
	{35, newRequested(TypeApplicationInstanceOperationRequested), "Application Instance Operation Requested", byEvent, "Application Instance", Info, everyone},
	{36, newRequested(TypeSAPSystemOperationRequested), "SAP System Operation Requested", byEvent, sapSystem, Info, everyone},
	{37, newRequested(TypeDatabaseOperationRequested), "Database Operation Requested", byEvent, database, Info, everyone},
	{38, newEventOf[OperationCompleted](), "Operation Completed", byEvent, byEvent, severityByEvent, everyone},

	// Check customization.
	{39, newEventOf[CheckCustomizationApplied](), "Check was customized", byEvent, byEvent, Warning, everyone},
	{40, newEventOf[CheckCustomizationReset](), "Check customization was reset", byEvent, byEvent, Info, everyone},

	// Host events.
	{41, newEventOf[HeartbeatFailed](), "Heartbeat Failed", "Host heartbeat failed", host, Warning, everyone},
	{42, newEventOf[HeartbeatSucceeded](), "Heartbeat Succeeded", "Host heartbeat succeeded", host, Debug, everyone},
	{43, newEventOf[HostRegistered](), "Host Registered", "A new host was registered", host, Info, everyone},
	{44, newEventOf[HostDetailsUpdated](), "Host Details Updated", "Host details were updated", host, Info, everyone},
	{45, newEventOf[HostHealthChanged](), "Host Health Changed", byEvent, host, severityByEvent, everyone},
	{46, newEventOf[HostChecksHealthChanged](), "Checks Health Changed", byEvent, host, severityByEvent, everyone},
	{47, newEventOf[HostSaptuneHealthChanged](), "Host Saptune Health Changed", byEvent, host, severityByEvent, everyone},
	{48, newEventOf[SoftwareUpdatesHealthChanged](), "Software Updates Health Changed", byEvent, host, severityByEvent, everyone},
	{49, newEventOf[SoftwareUpdatesDiscoveryRequested](), "Software Updates Discovery Requested", "Software updates discovery was requested", host, Debug, everyone},
	{50, newEventOf[SoftwareUpdatesDiscoveryCleared](), "Software Updates Discovery Cleared", "Software updates discovery was cleared", host, Debug, everyone},
	{51, newEventOf[ProviderUpdated](), "Provider Updated", "Host Provider was updated", host, Debug, everyone},
	{52, newEventOf[SaptuneStatusUpdated](), "Saptune Status Updated", "Host Saptune status was updated", host, Info, everyone},
	{53, newEventOf[SLESSubscriptionsUpdated](), "SLES Subscriptions Updated", "SLES subscriptions were updated", host, Debug, everyone},
	{120, newEventOf[HostIDShared](), "Host ID Shared", byEvent, host, Warning, everyone},
	{121, newEventOf[HostIDUnshared](), "Host ID No Longer Shared", "Only one machine reports under the id of the host again", host, Info, everyone},
	{54, newEventOf[HostDeregistrationRequested](), "Host Deregistration Requested", "Deregistration for host was requested", host, Debug, everyone},
	{55, newEventOf[HostDeregistered](), "Host Deregistered", "Host was deregistered", host, Warning, everyone},
	{56, newEventOf[HostRestored](), "Host Restored", "Host was restored", host, Info, everyone},
	{117, newEventOf[AgentReportFaulty](), "Agent Report Faulty", byEvent, host, Warning, everyone},
	{118, newEventOf[AgentReportRecovered](), "Agent Report Usable Again", byEvent, host, Info, everyone},

	// Cluster events.
	{57, newEventOf[ClusterRegistered](), "Cluster Registered", "A new cluster was registered", cluster, Info, everyone},
	{58, newEventOf[ClusterDetailsUpdated](), "Cluster Details Updated", "Cluster details were updated", cluster, Debug, everyone},
	{59, newEventOf[ClusterHealthChanged](), "Cluster Health Changed", byEvent, cluster, severityByEvent, everyone},
	{60, newEventOf[ClusterChecksHealthChanged](), "Cluster Checks Health Changed", byEvent, cluster, severityByEvent, everyone},
	{61, newEventOf[ClusterReplicationHealthChanged](), "Cluster Replication Health Changed", byEvent, cluster, severityByEvent, everyone},
	{62, newEventOf[ClusterDistributedHealthChanged](), "Cluster Distributed Health Changed", byEvent, cluster, severityByEvent, everyone},
	{63, newEventOf[ClusterSBDHealthChanged](), "Cluster SBD Health Changed", byEvent, cluster, severityByEvent, everyone},
	{64, newEventOf[ClusterDiscoveredHealthChanged](), "Cluster Discovered Health Changed", byEvent, cluster, Info, everyone},
	{65, newEventOf[HostAddedToCluster](), "Host Added to Cluster", "Host was added to cluster", cluster, Debug, everyone},
	{66, newEventOf[HostRemovedFromCluster](), "Host Removed from Cluster", "Host was removed from cluster", cluster, Debug, everyone},
	{67, newEventOf[ClusterHostStatusChanged](), "Cluster Host Status Changed", byEvent, cluster, Info, everyone},
	{68, newEventOf[ClusterDataMarkedStale](), "Cluster Data Marked Stale", "Cluster data was marked stale", cluster, Debug, everyone},
	{69, newEventOf[ClusterDataMarkedInSync](), "Cluster Data Marked In Sync", "Cluster data was marked in sync", cluster, Debug, everyone},
	{70, newEventOf[ClusterDeregistered](), "Cluster Deregistered", "Cluster was deregistered", cluster, Warning, everyone},
	{71, newEventOf[ClusterRestored](), "Cluster Restored", "Cluster was restored", cluster, Info, everyone},

	// SAP system and application instance events.
	{72, newEventOf[ApplicationInstanceRegistered](), "Application Instance Registered", "Application instance was registered", sapSystem, Info, everyone},
	{73, newEventOf[ApplicationInstanceMoved](), "Application Instance Moved", "Application instance was moved", sapSystem, Info, everyone},
	{74, newEventOf[ApplicationInstanceStatusChanged](), "Application Instance Status Changed", byEvent, sapSystem, severityByEvent, everyone},
	{75, newEventOf[ApplicationInstanceMarkedAbsent](), "Application Instance Marked Absent", "Application instance was marked absent", sapSystem, Warning, everyone},
	{76, newEventOf[ApplicationInstanceMarkedPresent](), "Application Instance Marked Present", "Application instance was marked present", sapSystem, Info, everyone},
	{77, newEventOf[ApplicationInstanceDataMarkedStale](), "Application Instance Data Marked Stale", "Application instance data was marked stale", sapSystem, Debug, everyone},
	{78, newEventOf[ApplicationInstanceDataMarkedInSync](), "Application Instance Data Marked In Sync", "Application instance data was marked in sync", sapSystem, Debug, everyone},
	{122, newEventOf[ApplicationInstanceSystemLost](), "Application Instance Lost Its System", byEvent, sapSystem, Info, everyone},
	{79, newEventOf[ApplicationInstanceDeregistered](), "Application Instance Deregistered", "Application instance was deregistered", sapSystem, Warning, everyone},
	{80, newEventOf[SAPSystemRegistered](), "SAP System Registered", "A new SAP system was registered", sapSystem, Info, everyone},
	{81, newEventOf[SAPSystemUpdated](), "SAP System Updated", "SAP system was updated", sapSystem, Info, everyone},
	{82, newEventOf[SAPSystemHealthChanged](), "SAP System Health Changed", byEvent, sapSystem, severityByEvent, everyone},
	{83, newEventOf[SAPSystemDatabaseHealthChanged](), "SAP System Database Health Changed", byEvent, sapSystem, severityByEvent, everyone},
	{84, newEventOf[SAPSystemDataMarkedStale](), "SAP System Data Marked Stale", "SAP System data was marked stale", sapSystem, Debug, everyone},
	{85, newEventOf[SAPSystemDataMarkedInSync](), "SAP System Data Marked In Sync", "SAP System data was marked in sync", sapSystem, Debug, everyone},
	{86, newEventOf[SAPSystemDeregistered](), "SAP System Deregistered", "SAP system was deregistered", sapSystem, Warning, everyone},
	{87, newEventOf[SAPSystemRestored](), "SAP System Restored", "SAP system was restored", sapSystem, Debug, everyone},

	// Database events.
	{88, newEventOf[DatabaseRegistered](), "Database Registered", "A new database was registered", database, Info, everyone},
	{119, newEventOf[DatabaseUpdated](), "Database Updated", "Database was updated", database, Info, everyone},
	{89, newEventOf[DatabaseHealthChanged](), "Database Health Changed", byEvent, database, severityByEvent, everyone},
	{90, newEventOf[DatabaseTenantsUpdated](), "Database Tenants Updated", "Database tenants were updated", database, Info, everyone},
	{91, newEventOf[DatabaseInstanceRegistered](), "Database Instance Registered", "Database instance was registered", database, Info, everyone},
	{92, newEventOf[DatabaseInstanceStatusChanged](), "Database Instance Status Changed", byEvent, database, severityByEvent, everyone},
	{93, newEventOf[DatabaseInstanceSystemReplicationChanged](), "Database Instance System Replication Changed", byEvent, database, Warning, everyone},
	{94, newEventOf[DatabaseInstanceMarkedAbsent](), "Database Instance Marked Absent", "Database instance was marked absent", database, Warning, everyone},
	{95, newEventOf[DatabaseInstanceMarkedPresent](), "Database Instance Marked Present", "Database instance was marked present", database, Info, everyone},
	{96, newEventOf[DatabaseInstanceDataMarkedStale](), "Database Instance Data Marked Stale", "Database instance data was marked stale", database, Debug, everyone},
	{97, newEventOf[DatabaseInstanceDataMarkedInSync](), "Database Instance Data Marked In Sync", "Database instance data was marked in sync", database, Debug, everyone},
	{98, newEventOf[DatabaseInstanceDeregistered](), "Database Instance Deregistered", "Database instance was deregistered", database, Warning, everyone},
	{99, newEventOf[DatabaseDataMarkedStale](), "Database Data Marked Stale", "Database data was marked stale", database, Debug, everyone},
	{100, newEventOf[DatabaseDataMarkedInSync](), "Database Data Marked In Sync", "Database data was marked in sync", database, Debug, everyone},
	{101, newEventOf[DatabaseDeregistered](), "Database Deregistered", "Database was deregistered", database, Warning, everyone},
	{102, newEventOf[DatabaseRestored](), "Database Restored", "Database was restored", database, Info, everyone},

	// Maintenance of an event store, which this product does not have. It never
	// writes these types, but shows them if entries were imported.
	{103, newForeign(TypeHostTombstoned), "Host Tombstoned", "Host was tombstoned", host, Debug, everyone},
	{104, newForeign(TypeClusterTombstoned), "Cluster Tombstoned", "Cluster was tombstoned", cluster, Debug, everyone},
	{105, newForeign(TypeSAPSystemTombstoned), "SAP System Tombstoned", "SAP system was tombstoned", sapSystem, Debug, everyone},
	{106, newForeign(TypeDatabaseTombstoned), "Database Tombstoned", "Database was tombstoned", database, Debug, everyone},
	{107, newForeign(TypeHostRollUpRequested), "Host Roll Up Requested", "Roll up for host was requested", host, Debug, everyone},
	{108, newForeign(TypeClusterRollUpRequested), "Cluster Roll Up Requested", "Roll up for cluster was requested", cluster, Debug, everyone},
	{109, newForeign(TypeSAPSystemRollUpRequested), "SAP System Roll Up Requested", "Roll up for SAP system was requested", sapSystem, Debug, everyone},
	{110, newForeign(TypeDatabaseRollUpRequested), "Database Roll Up Requested", "Roll up for database was requested", database, Info, everyone},
	{111, newForeign(TypeHostRolledUp), "Host Rolled Up", "Host was rolled up", host, Debug, everyone},
	{112, newForeign(TypeClusterRolledUp), "Cluster Rolled Up", "Cluster was rolled up", cluster, Debug, everyone},
	{113, newForeign(TypeSAPSystemRolledUp), "SAP System Rolled Up", "SAP system was rolled up", sapSystem, Debug, everyone},
	{114, newForeign(TypeDatabaseRolledUp), "Database Rolled Up", "Database was rolled up", database, Debug, everyone},

	// Types of old versions, never written.
	{115, newForeign(TypeApplicationInstanceHealthChanged), "Application Instance Health Changed", "Application instance health changed", sapSystem, Info, everyone},
	{116, newForeign(TypeDatabaseInstanceHealthChanged), "Database Instance Health Changed", "Database instance health changed", database, Info, everyone},
}

var (
	definitionByType = indexByType()
	typeByCode       = indexByCode()
)

func (d *definition) eventType() Type { return d.event().Type() }

func indexByType() map[Type]*definition {
	index := make(map[Type]*definition, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].eventType()] = &catalogue[i]
	}
	return index
}

func indexByCode() map[uint16]Type {
	index := make(map[uint16]Type, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].code] = catalogue[i].eventType()
	}
	return index
}
