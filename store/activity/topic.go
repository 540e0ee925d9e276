package activity

import "slices"

// Topic is the name of a kind of event for programs, such as
// "host.health_changed". There are far fewer topics than types: each type of
// entry belongs to one topic. Topics are part of the API. A topic is never
// renamed or removed, and a type never moves to another topic.
type Topic string

// TopicOther is the topic of types that are unknown, or that this product does
// not write.
const TopicOther Topic = "activity.other"

// TopicTest is the topic of an event that only tests whether a receiver answers.
// It is about no entry.
const TopicTest Topic = "webhook.test"

// topicDefinition is a row of the table of topics.
type topicDefinition struct {
	topic Topic
	label string
	types []Type
}

// topics defines all topics, in the order in which people choose from them.
var topics = []topicDefinition{
	{"host.registered", "A host is new", []Type{TypeHostRegistered}},
	{"host.changed", "The details of a host have changed", []Type{
		TypeHostDetailsUpdated, TypeHostChecksHealthChanged, TypeHostSaptuneHealthChanged, TypeSoftwareUpdatesHealthChanged,
		TypeSoftwareUpdatesDiscoveryRequested, TypeSoftwareUpdatesDiscoveryCleared, TypeProviderUpdated, TypeSaptuneStatusUpdated,
		TypeSLESSubscriptionsUpdated, TypeHostIDShared, TypeHostIDUnshared, TypeAgentReportFaulty, TypeAgentReportRecovered,
	}},
	{"host.health_changed", "The health of a host has changed", []Type{TypeHostHealthChanged}},
	{"host.heartbeat_failed", "The agent of a host is silent", []Type{TypeHeartbeatFailed}},
	{"host.heartbeat_succeeded", "The agent of a host is heard again", []Type{TypeHeartbeatSucceeded}},
	{"host.deregistered", "A host was removed", []Type{TypeHostDeregistered}},
	{"host.restored", "A removed host is back", []Type{TypeHostRestored}},

	{"cluster.registered", "A cluster is new", []Type{TypeClusterRegistered}},
	{"cluster.changed", "The details of a cluster have changed", []Type{
		TypeClusterDetailsUpdated, TypeClusterChecksHealthChanged, TypeClusterReplicationHealthChanged, TypeClusterDistributedHealthChanged,
		TypeClusterSBDHealthChanged, TypeClusterDiscoveredHealthChanged, TypeHostAddedToCluster, TypeHostRemovedFromCluster,
		TypeClusterHostStatusChanged, TypeClusterDataMarkedStale, TypeClusterDataMarkedInSync,
	}},
	{"cluster.health_changed", "The health of a cluster has changed", []Type{TypeClusterHealthChanged}},
	{"cluster.deregistered", "A cluster was removed", []Type{TypeClusterDeregistered}},
	{"cluster.restored", "A removed cluster is back", []Type{TypeClusterRestored}},

	{"sap_system.registered", "An SAP system is new", []Type{TypeSAPSystemRegistered}},
	{"sap_system.changed", "The details of an SAP system have changed", []Type{
		TypeSAPSystemUpdated, TypeSAPSystemDatabaseHealthChanged, TypeSAPSystemDataMarkedStale, TypeSAPSystemDataMarkedInSync,
	}},
	{"sap_system.instance_changed", "An instance of an SAP system has come, gone or changed", []Type{
		TypeApplicationInstanceRegistered, TypeApplicationInstanceMoved, TypeApplicationInstanceStatusChanged,
		TypeApplicationInstanceMarkedAbsent, TypeApplicationInstanceMarkedPresent, TypeApplicationInstanceDataMarkedStale,
		TypeApplicationInstanceDataMarkedInSync, TypeApplicationInstanceSystemLost, TypeApplicationInstanceDeregistered,
	}},
	{"sap_system.health_changed", "The health of an SAP system has changed", []Type{TypeSAPSystemHealthChanged}},
	{"sap_system.deregistered", "An SAP system was removed", []Type{TypeSAPSystemDeregistered}},
	{"sap_system.restored", "A removed SAP system is back", []Type{TypeSAPSystemRestored}},

	{"database.registered", "A database is new", []Type{TypeDatabaseRegistered}},
	{"database.changed", "The details of a database have changed", []Type{
		TypeDatabaseUpdated, TypeDatabaseTenantsUpdated, TypeDatabaseDataMarkedStale, TypeDatabaseDataMarkedInSync,
	}},
	{"database.instance_changed", "An instance of a database has come, gone or changed", []Type{
		TypeDatabaseInstanceRegistered, TypeDatabaseInstanceStatusChanged, TypeDatabaseInstanceSystemReplicationChanged,
		TypeDatabaseInstanceMarkedAbsent, TypeDatabaseInstanceMarkedPresent, TypeDatabaseInstanceDataMarkedStale,
		TypeDatabaseInstanceDataMarkedInSync, TypeDatabaseInstanceDeregistered,
	}},
	{"database.health_changed", "The health of a database has changed", []Type{TypeDatabaseHealthChanged}},
	{"database.deregistered", "A database was removed", []Type{TypeDatabaseDeregistered}},
	{"database.restored", "A removed database is back", []Type{TypeDatabaseRestored}},

	{"tag.added", "A tag was added", []Type{TypeResourceTagging}},
	{"tag.removed", "A tag was removed", []Type{TypeResourceUntagging}},
	{"checks.changed", "The choice of checks, or the values of a check, have changed", []Type{
		TypeClusterChecksSelected, TypeHostChecksSelected, TypeCheckCustomizationApplied, TypeCheckCustomizationReset,
		TypeCheckWaiverCreation, TypeCheckWaiverModification, TypeCheckWaiverEnd,
	}},
	{"checks.completed", "The checks of a cluster or host have come to another result", []Type{TypeChecksExecutionCompleted}},
	{"operation.requested", "Somebody has asked for an operation, a clean-up, checks or reports", []Type{
		TypeHostOperationRequested, TypeClusterOperationRequested, TypeClusterHostOperationRequested,
		TypeApplicationInstanceOperationRequested, TypeSAPSystemOperationRequested, TypeDatabaseOperationRequested,
		TypeHostCleanupRequested, TypeSAPSystemCleanupRequested, TypeDatabaseCleanupRequested, TypeHostDeregistrationRequested,
		TypeClusterChecksExecutionRequest, TypeHostChecksExecutionRequest, TypeFactsRequested, TypeHostDiscoveryRequested, TypeClusterDiscoveryRequested,
	}},
	{"operation.completed", "An operation has ended", []Type{TypeOperationCompleted}},
	{"settings.changed", "A setting of this server was changed", []Type{
		TypeAPIKeyGeneration, TypeMessageCredentialRotation, TypeSavingSUMASettings, TypeChangingSUMASettings, TypeClearingSUMASettings,
		TypeSavingAlertingSettings, TypeChangingAlertingSettings, TypeActivityLogSettingsUpdate, TypePersonalAccessTokenSettingsUpdate,
		TypeWebhookCreation, TypeWebhookModification, TypeWebhookDeletion,
		TypeDisplayCreation, TypeDisplayPairing, TypeDisplayDeletion,
		TypeSharedViewCreation, TypeSharedViewModification, TypeSharedViewDeletion,
	}},
	{"server.reported", "This server reports about itself: backups, alerts, webhooks, clock, disk", []Type{
		TypeBackupCreation, TypeBackupFailure, TypeAlertGivenUp, TypeAlertsDiscarded, TypeWritingInterruption, TypeClockChange,
		TypeForwardingInterruption, TypeForwardingResumption,
		TypeSupportBundleCreation, TypeWebhookDisabling,
	}},

	{"user.sign_in", "Somebody has signed in, or has tried to", []Type{TypeLoginAttempt}},
	{"user.created", "A user was created", []Type{TypeUserCreation}},
	{"user.changed", "A user was changed", []Type{
		TypeUserModification, TypeProfileUpdate, TypeAIConfigurationCreation, TypeAIConfigurationModification, TypeAIConfigurationDeletion,
	}},
	{"user.deleted", "A user was deleted", []Type{TypeUserDeletion}},
	{"token.changed", "A personal access token was created, changed or deleted, or has expired", []Type{
		TypePersonalAccessTokenCreation, TypePersonalAccessTokenDeletion, TypePersonalAccessTokenAdminDeletion,
		TypePersonalAccessTokenModification, TypePersonalAccessTokenRegeneration, TypePersonalAccessTokenExpiration,
	}},
}

var (
	definitionByTopic = indexByTopic()
	topicByType       = indexTopicsByType()
)

func indexByTopic() map[Topic]*topicDefinition {
	index := make(map[Topic]*topicDefinition, len(topics))
	for i := range topics {
		index[topics[i].topic] = &topics[i]
	}
	return index
}

func indexTopicsByType() map[Type]Topic {
	index := make(map[Type]Topic)
	for _, d := range topics {
		for _, t := range d.types {
			index[t] = d.topic
		}
	}
	return index
}

// Topics lists the topics that can be chosen: all but TopicOther. The slice
// belongs to the caller.
func Topics() []Topic {
	list := make([]Topic, len(topics))
	for i := range topics {
		list[i] = topics[i].topic
	}
	return list
}

// Topic returns the topic of the entries of a type.
func (t Type) Topic() Topic {
	if topic, ok := topicByType[t]; ok {
		return topic
	}
	return TopicOther
}

// Known reports whether the topic is in the list of Topics.
func (t Topic) Known() bool { return definitionByTopic[t] != nil }

// Label says in words what the topic is about.
func (t Topic) Label() string {
	if d := definitionByTopic[t]; d != nil {
		return d.label
	}
	return string(t)
}

// UserManagement reports whether only users who may manage users may see the
// entries of the topic.
func (t Topic) UserManagement() bool {
	d := definitionByTopic[t]
	return d != nil && slices.ContainsFunc(d.types, Type.UserManagement)
}
