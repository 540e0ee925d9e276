// Package store is the one file that holds everything: the landscape, the
// activity log, users, sessions and settings. It is the only importer of
// bbolt. What is not in this file is derived and may be deleted.
//
// The buckets, with the encoding of their keys and values. "record" is an
// eight-byte version followed by a JSON document; the version is the record's
// place in the journal. Numbers are big-endian, times are microseconds since
// 1970 as eight bytes.
//
//	meta        "id"                        16 random bytes: which file this is
//	            "version"                   8 bytes: how many migrations have run
//	            "program"                   the version of the program that opened the file last
//	            "expired"                   the midnight for which old entries of the log were removed last
//	host        host id                     record: landscape.Host
//	cluster     cluster id                  record: landscape.Cluster
//	database    database id                 record: landscape.Database, with its instances
//	sap_system  SAP system id               record: landscape.SAPSystem, with its instances
//	kept        host id                     record: landscape.LastSAPReport, the newest SAP report and what of it waits
//	agent_report  host id                   record: AgentReports, the reports of an agent that had problems
//	tags        kind "/" id                 record: Tags of a thing, which outlive it
//	relation    name 0x00 from 0x00 to      nothing; index of host, database, sap_system and kept, see landscape.go
//	user        id (8)                      record: User; of a deleted one what DeleteUser leaves
//	view        user id (8)                 record: SavedViews of a user
//	token       user id (8) token id        record: Token
//	setting     name                        record: APIKey ("api_key"), TokenSettings ("personal_access_tokens"),
//	                                        activity.Retention ("activity_log")
//	username    user name                   user id (8); index of users not deleted
//	token_hash  hash of the text (64)       key of the token; index of tokens
//	token_used  token id                    time of the last use
//	token_former hash of the text (64)      what the text was and since when it is not (JSON)
//	token_use   user id (8) position (8)    id of the token (16) and JSON: TokenUse; the position is an activity.Position
//	            user id (8)                 8 bytes: how many uses there are of the user's tokens
//	journal     version (8)                 kind, 0x00, key: the record last written then
//	activity    activity.Position (8)       entry, see activity.go; the sequence of the bucket, see Newest
//	report      host id "/" kind            the newest report of an agent and kind, see report.go
//	heartbeat   host id                     time of the last heartbeat that was written down
//	session     hash of the secret id (32)  JSON: Session
//	discard     sequence (8)                a payload that could not be decoded, see discard.go
//
// What always holds, and Verify checks: every journal entry names a record
// whose version is its key, and every record has its journal entry; every
// index entry has its record, and the reverse; every entry of the log can be
// read; only users who are enabled have sessions.
//
// # Writing
//
// All changes go through update: a single writer takes what is queued, runs
// it in one transaction and so shares one sync of the disk among many
// callers; see writer.go. An exported verb (Observe, SignIn) is one change.
// It calls the pure rule of package landscape, stores the outcome through
// record, which is the only road to a record and writes the journal with it,
// and logs what happened through log, in the same transaction. A change that
// changes nothing writes nothing. Of records only tokens, the saved views of a
// deleted user and the AgentReports of an agent that has gone are ever erased,
// and their journal entries with them; all others stay.
//
// # Reading
//
// View is one consistent read. Records are handed out decoded and shared:
// they are cached by version, so a page over thousands of hosts decodes only
// what has changed since the last one. Whoever gets a record must not modify
// it.
package store
