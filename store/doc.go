// Package store holds the single file in which the server keeps everything: the
// landscape, the activity log, users, sessions and settings. All other data is
// derived from this file and may be deleted. Package kv documents how the file
// works. Package store documents its content. Each kind of thing has a Go file
// with the functions that read and change it.
//
// The following table lists the buckets, as bucket.go declares them, with their
// keys and values. A "record" is an eight-byte version followed by a JSON
// document. The version is the record's place in the journal. Numbers are
// big-endian. Times are microseconds since 1970 in eight bytes.
//
//	meta                  "id"                                                        16 random bytes: which file this is
//	                      "version"                                                   8 bytes: how many migrations have run
//	                      "program"                                                   the version of the program that opened the file last
//	                      "expired"                                                   the midnight for which old entries of the log were removed last
//	journal               version (8)                                                 bucket, 0x00, key: the record last written then
//	relation              name 0x00 from 0x00 to                                      nothing; see landscape.go
//	host                  host id                                                     record: landscape.Host
//	cluster               cluster id                                                  record: landscape.Cluster
//	database              database id                                                 record: landscape.Database
//	sap_system            SAP system id                                               record: landscape.SAPSystem
//	kept                  host id                                                     record: landscape.LastSAPReport
//	agent_report          host id                                                     record: store.AgentReports
//	tags                  kind "/" id                                                 record: store.Tags
//	report                host id "/" kind                                            the newest report of an agent and kind, see report.go
//	report_time           host id "/" kind                                            time of the last report of an agent and kind that was written down
//	heartbeat             host id                                                     time of the last heartbeat that was written down
//	discard               sequence (8)                                                a payload that could not be decoded, see discard.go
//	activity              activity.Position (8)                                       entry, see activity.go; the sequence of the bucket, see Newest
//	health_change         kind (1) id position (8)                                    change of the health of a thing, see healthhistory.go; the position is that of the entry
//	username              user name                                                   user id (8); users who were not deleted
//	identity              provider 0x00 subject                                       user id (8); users who were not deleted
//	user                  user id (8)                                                 record: store.User
//	view                  user id (8)                                                 record: store.SavedViews
//	session               hash of the secret id (32)                                  JSON: store.Session
//	used_attempt          hash of the attempt (32)                                    JSON: store.UsedAttempt
//	setting               name                                                        record: json.RawMessage
//	                      "api_key"                                                   record: APIKey
//	                      "personal_access_tokens"                                    record: TokenSettings
//	                      "activity_log"                                              record: activity.Retention
//	                      "saml_keys"                                                 record: SAMLKeys
//	                      "saml_metadata"                                             record: SAMLMetadata
//	                      "message_credential"                                        record: MessageCredential
//	                      "alerts"                                                    record: AlertSettings
//	token_hash            hash of the text (64)                                       key of the token
//	token                 user id (8) token id                                        record: store.Token
//	token_use             user id (8) position (8)                                    id of the token (16) and JSON: TokenUse; the position is an activity.Position
//	                      user id (8)                                                 8 bytes: how many uses of the user's tokens there are
//	token_used            token id                                                    time of the last use
//	token_former          hash of the text (64)                                       JSON: store.FormerText
//	alert                 kind "/" id of the thing                                    JSON: alert.Alert
//	alert_delivery        sequence (8)                                                JSON: alert.Delivery
//	display               display id                                                  record: store.Display
//	shared_view           view id                                                     record: store.SharedView
//	webhook               webhook id                                                  record: store.Webhook
//	webhook_state         webhook id                                                  JSON: store.WebhookState
//	webhook_delivery      webhook id 0x00 sequence (8)                                JSON: store.WebhookDelivery
//	checked_group         cluster or host id                                          record: store.CheckedGroup
//	execution_id          execution id                                                key of the execution
//	execution_time        time of the start (8) execution id                          key of the execution
//	execution             cluster or host id 0x00 time of the start (8) execution id  JSON: store.Execution
//	execution_conclusion  cluster or host id 0x00 SHA-256 in hexadecimal              check.Conclusion as JSON, compressed; executions with equal conclusions share it
//	customization         cluster or host id "/" check id                             record: store.Customization
//	waiver                waiver id                                                   record: store.Waiver
//	message_queue         name                                                        JSON: store.Queue
//	queued_message        queue 0x00 sequence (8)                                     message, see messagequeue.go; the sequence of the bucket is the last one given
//
// Verify checks these rules, which always hold: Every journal entry names a
// record whose version is the key of the entry, and every record has its
// journal entry. Every index entry has its record, and every record has its
// index entries. Every entry of the activity log can be read. Only enabled
// users have sessions. Every queued message belongs to a stored queue. Every
// alert has the key of its kind and thing. The last health change of each
// host, cluster, database and SAP system tells the state of its record. Every
// webhook has a state, and every state and delivery of a webhook has its
// webhook. Every display waits for its code or has a browser. No two shared
// views of a list have names that look alike. Every execution has a conclusion,
// and every conclusion an execution.
//
// # Writing
//
// An exported method such as Observe or SignIn makes one change. All changes go
// through the single writer of package kv. In one transaction, the method calls
// a pure function of package landscape, stores the result with its place in the
// journal, and logs the events. A change that has no effect writes nothing.
// Only these records are ever deleted, together with their journal entries:
// tokens, webhooks, displays, shared views, customisations, waivers, the saved
// views of a deleted user, cleared AlertSettings, and the AgentReports of an
// agent that was cleaned up or pruned. All other records stay.
//
// # Reading
//
// View runs one consistent read. Records are returned decoded and are shared
// between readers. They are cached by version, so a page about thousands of
// hosts decodes only the records that have changed since the last page. A
// record must not be modified.
//
// # The activity log
//
// The key of an entry is its position: microseconds since 1970 and, in the low
// bits, a sequence number within the microsecond. This one number serves as
// time, order, cursor and document id. Positions only grow: if the clock goes
// back, new entries continue directly behind the newest one. The value holds a
// short type code, the severity, the id, the actor and the metadata. Most of
// the metadata consists of JSON keys, common words and ids. It is therefore
// encoded in two steps (store/kv/encoding.go): ids are written as their 16
// bytes, and the rest is compressed by S2 with a dictionary of sample metadata
// (store/dictionary1.json). The result is about a third of the size of the JSON
// and is decoded in a microsecond. Entries are immutable, so the store caches
// those that were read recently: consoles read the newest page again and again.
//
// store.PruneActivityBefore prunes the entries before a time, a few hundred per
// transaction, so that no other change waits for long. If the process ends in
// the middle, the log is intact and only begins later. bbolt reuses the space
// for later writes.
//
// Changes of the health of a thing, and of whether it reports, are in the
// bucket health_change as well (healthhistory.go). It is written by the same
// transaction and from the same events. The health of a thing at any time, and
// since when it has its present health, is thus found in one seek. The last
// change before the log begins is kept for each thing.
//
// store.PruneActivity is called every minute and prunes the log once a day. It
// records the midnight for which it has pruned the log. A process that was not
// running at midnight therefore prunes the log when it starts, and a changed
// retention takes effect at the next midnight. An export reads the log in
// parts, as pages do, so no transaction stays open while a slow client reads.
// Before each part is sent, the permission of the reader is checked again.
package store
