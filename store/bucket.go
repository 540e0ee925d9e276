package store

import (
	"encoding/binary"
	"encoding/json"

	"trento/store/alert"
	"trento/store/kv"
	"trento/store/landscape"
)

// buckets holds all buckets of the file. The declarations also create and
// verify the buckets, and produce the table in doc.go.
type buckets struct {
	schema *kv.Schema
	meta   *kv.Bucket

	hosts          *kv.Table[landscape.Host]
	clusters       *kv.Table[landscape.Cluster]
	databases      *kv.Table[landscape.Database]
	sapSystems     *kv.Table[landscape.SAPSystem]
	lastSAPReports *kv.Table[landscape.LastSAPReport]
	agentReports   *kv.Table[AgentReports]
	tags           *kv.Table[Tags]
	relations      *kv.Index
	reports        *kv.Bucket
	reportTimes    *kv.Bucket
	heartbeats     *kv.Bucket
	discards       *kv.Bucket

	entries       *kv.Bucket
	healthChanges *kv.Bucket

	users         *kv.Table[User]
	usernames     *kv.Index
	identities    *kv.Index
	views         *kv.Table[SavedViews]
	sessions      *kv.Table[Session]
	usedAttempts  *kv.Table[UsedAttempt]
	settings      *kv.Table[json.RawMessage]
	tokens        *kv.Table[Token]
	tokenHashes   *kv.Index
	tokenUses     *kv.Bucket
	tokenLastUses *kv.Bucket
	formerTexts   *kv.Table[FormerText]

	alerts     *kv.Table[alert.Alert]
	deliveries *kv.Table[alert.Delivery]

	webhooks          *kv.Table[Webhook]
	webhookStates     *kv.Table[WebhookState]
	webhookDeliveries *kv.Table[WebhookDelivery]

	checkedGroups  *kv.Table[CheckedGroup]
	executions     *kv.Table[Execution]
	executionIDs   *kv.Index
	executionTimes *kv.Index
	conclusions    *kv.Bucket
	customizations *kv.Table[Customization]
	waivers        *kv.Table[Waiver]

	displays    *kv.Table[Display]
	sharedViews *kv.Table[SharedView]

	queues         *kv.Table[Queue]
	queuedMessages *kv.Bucket
}

// declareBuckets declares the buckets and their indexes.
func (s *Store) declareBuckets() {
	b, f := &s.buckets, kv.NewSchema()
	b.schema = f
	b.meta = f.Meta.
		Row(`"program"`, "the version of the program that opened the file last").
		Row(`"expired"`, "the midnight for which old entries of the log were removed last")

	b.relations = kv.NewIndex(f, "relation", "name 0x00 from 0x00 to", "nothing; see landscape.go")
	b.hosts = kv.NewRecords[landscape.Host](f, "host", "host id").IndexedBy(b.relations, hostRelations)
	b.clusters = kv.NewRecords[landscape.Cluster](f, "cluster", "cluster id")
	b.databases = kv.NewRecords[landscape.Database](f, "database", "database id").IndexedBy(b.relations, databaseRelations)
	b.sapSystems = kv.NewRecords[landscape.SAPSystem](f, "sap_system", "SAP system id").IndexedBy(b.relations, sapSystemRelations)
	b.lastSAPReports = kv.NewRecords[landscape.LastSAPReport](f, "kept", "host id").IndexedBy(b.relations, lastSAPReportRelations)
	b.agentReports = kv.NewRecords[AgentReports](f, "agent_report", "host id")
	b.tags = kv.NewRecords[Tags](f, "tags", `kind "/" id`)
	b.reports = f.NewBucket("report", `host id "/" kind`, "the newest report of an agent and kind, see report.go")
	b.reports.Verify(s.newVerifier((*Tx).verifyReports))
	b.reportTimes = f.NewBucket("report_time", `host id "/" kind`, "time of the last report of an agent and kind that was written down")
	b.reportTimes.Verify(s.newVerifier((*Tx).verifyReportTimes))
	b.heartbeats = f.NewBucket("heartbeat", "host id", "time of the last heartbeat that was written down")
	b.discards = f.NewBucket("discard", "sequence (8)", "a payload that could not be decoded, see discard.go")
	b.discards.Verify(s.newVerifier((*Tx).verifyDiscards))

	b.entries = f.NewBucket("activity", "activity.Position (8)", "entry, see activity.go; the sequence of the bucket, see Newest")
	b.entries.Verify(s.newVerifier((*Tx).verifyEntries))
	b.healthChanges = f.NewBucket("health_change", "kind (1) id position (8)", "change of the health of a thing, see healthhistory.go; the position is that of the entry")
	b.healthChanges.Verify(s.newVerifier((*Tx).verifyHealthChanges))

	b.usernames = kv.NewUniqueIndex(f, "username", "user name", "user id (8); users who were not deleted")
	b.identities = kv.NewUniqueIndex(f, "identity", "provider 0x00 subject", "user id (8); users who were not deleted")
	b.users = kv.NewRecords[User](f, "user", "user id (8)").IndexedBy(b.usernames, usernameKeysOf).IndexedBy(b.identities, identityKeysOf)
	b.views = kv.NewRecords[SavedViews](f, "view", "user id (8)")
	b.sessions = kv.NewTable[Session](f, "session", "hash of the secret id (32)").SetKey(func(session *Session, key []byte) { copy(session.Hash[:], key) })
	b.sessions.Verify(s.newVerifier((*Tx).verifySessions))
	b.usedAttempts = kv.NewTable[UsedAttempt](f, "used_attempt", "hash of the attempt (32)").SetKey(func(used *UsedAttempt, key []byte) { copy(used.Hash[:], key) })
	b.settings = kv.NewRecords[json.RawMessage](f, "setting", "name")
	b.settings.Row(`"api_key"`, "record: APIKey").
		Row(`"personal_access_tokens"`, "record: TokenSettings").
		Row(`"activity_log"`, "record: activity.Retention").
		Row(`"saml_keys"`, "record: SAMLKeys").
		Row(`"saml_metadata"`, "record: SAMLMetadata").
		Row(`"message_credential"`, "record: MessageCredential").
		Row(`"alerts"`, "record: AlertSettings")
	b.settings.Verify(s.newVerifier((*Tx).verifySettings))
	b.tokenHashes = kv.NewUniqueIndex(f, "token_hash", "hash of the text (64)", "key of the token")
	b.tokens = kv.NewRecords[Token](f, "token", "user id (8) token id").IndexedBy(b.tokenHashes, tokenHashKeysOf)
	b.tokens.Verify(s.newVerifier((*Tx).verifyTokens))
	b.tokenUses = f.NewBucket("token_use", "user id (8) position (8)", "id of the token (16) and JSON: TokenUse; the position is an activity.Position").
		Row("user id (8)", "8 bytes: how many uses of the user's tokens there are")
	b.tokenUses.Verify(s.newVerifier((*Tx).verifyTokenUses))
	b.tokenLastUses = f.NewBucket("token_used", "token id", "time of the last use")
	b.tokenLastUses.Verify(s.newVerifier((*Tx).verifyTokensUsed))
	b.formerTexts = kv.NewTable[FormerText](f, "token_former", "hash of the text (64)").SetKey(func(t *FormerText, key []byte) { copy(t.Hash[:], key) })

	b.alerts = kv.NewTable[alert.Alert](f, "alert", `kind "/" id of the thing`)
	b.alerts.Verify(s.newVerifier((*Tx).verifyAlerts))
	b.deliveries = kv.NewTable[alert.Delivery](f, "alert_delivery", "sequence (8)").SetKey(func(d *alert.Delivery, key []byte) { d.Sequence = binary.BigEndian.Uint64(key) })
	b.deliveries.Verify(s.newVerifier((*Tx).verifyDeliveries))

	b.displays = kv.NewRecords[Display](f, "display", "display id")
	b.displays.Verify(s.newVerifier((*Tx).verifyDisplays))
	b.sharedViews = kv.NewRecords[SharedView](f, "shared_view", "view id")
	b.sharedViews.Verify(s.newVerifier((*Tx).verifySharedViews))

	b.webhooks = kv.NewRecords[Webhook](f, "webhook", "webhook id")
	b.webhooks.Verify(s.newVerifier((*Tx).verifyWebhooks))
	b.webhookStates = kv.NewTable[WebhookState](f, "webhook_state", "webhook id")
	b.webhookDeliveries = kv.NewTable[WebhookDelivery](f, "webhook_delivery", "webhook id 0x00 sequence (8)").SetKey(setWebhookDeliveryKey)

	b.checkedGroups = kv.NewRecords[CheckedGroup](f, "checked_group", "cluster or host id")
	b.executionIDs = kv.NewUniqueIndex(f, "execution_id", "execution id", "key of the execution")
	b.executionTimes = kv.NewUniqueIndex(f, "execution_time", "time of the start (8) execution id", "key of the execution")
	b.executions = kv.NewTable[Execution](f, "execution", "cluster or host id 0x00 time of the start (8) execution id").
		IndexedBy(b.executionIDs, executionIDs).IndexedBy(b.executionTimes, executionTimes)
	b.executions.Verify(s.newVerifier((*Tx).verifyExecutions))
	b.conclusions = f.NewBucket("execution_conclusion", "cluster or host id 0x00 SHA-256 in hexadecimal", "check.Conclusion as JSON, compressed; executions with equal conclusions share it")
	b.customizations = kv.NewRecords[Customization](f, "customization", `cluster or host id "/" check id`)
	b.customizations.Verify(s.newVerifier((*Tx).verifyCustomizations))
	b.waivers = kv.NewRecords[Waiver](f, "waiver", "waiver id")
	b.waivers.Verify(s.newVerifier((*Tx).verifyWaivers))

	b.queues = kv.NewTable[Queue](f, "message_queue", "name").SetKey(func(q *Queue, key []byte) { q.Name = string(key) })
	b.queuedMessages = f.NewBucket("queued_message", "queue 0x00 sequence (8)", "message, see messagequeue.go; the sequence of the bucket is the last one given")
	b.queuedMessages.Verify(s.newVerifier((*Tx).verifyQueuedMessages))
}

// newVerifier returns a check of the store as a function that package kv can call.
func (s *Store) newVerifier(check func(*Tx) error) func(*kv.Tx) error {
	return func(tx *kv.Tx) error { return check(s.newTx(tx)) }
}
