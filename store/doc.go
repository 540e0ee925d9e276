// Package store is the one file that holds everything: the landscape, the
// activity log, users, sessions and settings. What is not in this file is
// derived and may be deleted. How the file works is package kv's; here is what
// is in it, and one file a noun with its verbs.
//
// The buckets are declared in bucket.go, with what their keys and values are.
// "record" is an eight-byte version followed by a JSON document; the version is
// the record's place in the journal. Numbers are big-endian, times are
// microseconds since 1970 as eight bytes.
//
//	meta          "id"                        16 random bytes: which file this is
//	              "version"                   8 bytes: how many migrations have run
//	              "program"                   the version of the program that opened the file last
//	              "expired"                   the midnight for which old entries of the log were removed last
//	journal       version (8)                 bucket, 0x00, key: the record last written then
//	relation      name 0x00 from 0x00 to      nothing; see landscape.go
//	host          host id                     record: landscape.Host
//	cluster       cluster id                  record: landscape.Cluster
//	database      database id                 record: landscape.Database
//	sap_system    SAP system id               record: landscape.SAPSystem
//	kept          host id                     record: landscape.LastSAPReport
//	agent_report  host id                     record: store.AgentReports
//	tags          kind "/" id                 record: store.Tags
//	report        host id "/" kind            the newest report of an agent and kind, see report.go
//	heartbeat     host id                     time of the last heartbeat that was written down
//	discard       sequence (8)                a payload that could not be decoded, see discard.go
//	activity      activity.Position (8)       entry, see activity.go; the sequence of the bucket, see Newest
//	username      user name                   user id (8); users who were not deleted
//	identity      provider 0x00 subject       user id (8); users who were not deleted
//	user          user id (8)                 record: store.User
//	view          user id (8)                 record: store.SavedViews
//	session       hash of the secret id (32)  JSON: store.Session
//	used_attempt  hash of the attempt (32)    JSON: store.UsedAttempt
//	setting       name                        record: json.RawMessage
//	              "api_key"                   record: APIKey
//	              "personal_access_tokens"    record: TokenSettings
//	              "activity_log"              record: activity.Retention
//	              "saml_keys"                 record: SAMLKeys
//	              "saml_metadata"             record: SAMLMetadata
//	token_hash    hash of the text (64)       key of the token
//	token         user id (8) token id        record: store.Token
//	token_use     user id (8) position (8)    id of the token (16) and JSON: TokenUse; the position is an activity.Position
//	              user id (8)                 8 bytes: how many uses of the user's tokens there are
//	token_used    token id                    time of the last use
//	token_former  hash of the text (64)       JSON: store.FormerText
//
// What always holds, and Verify checks: every journal entry names a record
// whose version is its key, and every record has its journal entry; every
// index entry has its record, and the reverse; every entry of the log can be
// read; only users who are enabled have sessions.
//
// # Writing
//
// An exported verb (Observe, SignIn) is one change, and all changes go through
// the single writer of package kv. A verb calls the pure rule of package
// landscape, stores the outcome with its place in the journal, and logs what
// happened, in one transaction. A change that changes nothing writes nothing.
// Of records only tokens, the saved views of a deleted user and the
// AgentReports of an agent that has gone are ever deleted, and their journal
// entries with them; all others stay.
//
// # Reading
//
// View is one consistent read. Records are handed out decoded and shared:
// they are cached by version, so a page over thousands of hosts decodes only
// what has changed since the last one. A record must not be modified.
//
// # The activity log
//
// An entry's key is its *position*: microseconds since 1970 and, in the low
// bits, a sequence within the microsecond. One number is time, order, cursor
// and document id. Positions only grow: should the clock go back, entries
// continue just behind the newest one. The value has a short type code, the id,
// the actor and the metadata. Most of the metadata is keys, usual words and
// ids, so it is encoded in two steps (store/kv/encoding.go): ids become the 16
// bytes they are, and S2 with a dictionary of sample metadata
// (store/dictionary1.json) does the rest. That leaves about a third of the JSON
// and unpacks in a microsecond. Entries are immutable, so the store remembers
// those read lately: consoles ask for the newest page again and again.
//
// store.PruneActivityBefore removes what is too old, some hundred entries a
// transaction, so that nobody waits for long and a process that dies in the
// middle leaves nothing but a log that begins later. bbolt uses the space again
// for what is written next.
//
// The log is pruned by store.PruneActivity, which is asked every minute and
// does something once a day: it notes the midnight it has cleaned up for, so a
// process that was down at midnight does it when it starts, and a changed
// retention waits. An export is read like pages are, a part at a time by
// position, so no transaction is open towards a slow client; before each piece
// goes out, who reads is looked up again.
package store
