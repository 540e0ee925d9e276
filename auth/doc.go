// Package auth answers two questions about a request: who sends it, and may
// they. It knows passwords, console sessions, tokens and the API key of the
// agents. Identifying refuses nothing. The rooms that speak HTTP refuse,
// through the one function that decides (Permit).
//
// # People
//
// Every rule about users is here. Console and API call the same functions
// (CreateUser, ChangeUser, ChangeProfile, BeginTOTP). These check all fields at
// once and return fault.Errors. What must hold at the moment of writing is
// checked inside the transaction, by the functions of the same names in store:
// that a name is free, that the user still has the version the caller saw
// (LockVersion, the ETag), that a code was not used before. The default admin
// is the user whose name is in the configuration. Only the configuration can
// change that user.
//
// A deleted user leaves an id and a name, because the activity log refers to
// both. The name is free at once.
//
// # Signing in
//
// A console session and the grant behind a refresh token are both a
// store.Session: the cookie or token holds a random secret, the store its hash.
// Disabling or deleting a user, or changing the password, deletes the sessions
// in the same transaction. Every request looks up its session and user, so a
// session ends with the next request. An access token names its session (claim
// sid) and ends with it. A user who changes the password keeps the session of
// that request. Streams and downloads, which outlive one check, call
// Auth.Revalidate before each piece. Every commit wakes the streams, so they
// notice at once.
//
// Passwords are hashed with argon2id. At most two hashes are computed at a
// time, and repeated failures are slowed down by user and address. The second
// factor (RFC 6238) accepts the codes of the present half minute, the one
// before and the one after, each once: the sign-in that stores the session also
// stores the time of its code, and fails unless that time is later than the
// stored one. The secret is encrypted with a key derived from SECRET_KEY_BASE
// and bound to the account. Wrong codes are slowed down per user, from any
// address, because codes are only checked after the right password. A right
// password without a code does not reset the count. In the console the code is
// a step of its own. Between the two steps the browser holds a signed cookie
// (auth/pendingsignin.go), so the password is sent once. The cookie permits
// nothing but the code, for five minutes and as long as the password is not
// changed.
//
// Unsafe requests that a browser marks as cross-site are refused. No page
// contains an inline script, so the content security policy allows none.
//
// # Tokens and scopes
//
// A personal access token is a prefix and 64 random bytes. The store has its
// SHA-512, which is also the key it is found by. Nobody can guess 64 random
// bytes, so no slow hash is needed, and a check costs less than that of a
// cookie. The use of a token is recorded in memory after the answer, and
// written to the owner's log once a second. Reading the log writes it first.
//
// A scope names operations of the API, one or a set of them. The table of
// routes (ui/api/route.go) says everything about who may use a route: the
// ability, the sets of scopes that contain it, the abilities that add to its
// answer, and whether tokens are refused. openapi.yaml repeats that for clients
// (x-ability, x-scope-sets, x-widened-by, x-in-person), and a test compares the
// two. So Permit asks two questions about a token: may the owner, at present,
// and does a scope name this route.
//
// Handlers and pages of the console ask for abilities (Identity.Can). For a
// token these are the abilities that the operations within its scopes need; for
// a request that changes something, only those of operations that change
// something. For example, all:users is needed to list users and to create one.
// A token that may list them must not create one in another way. Introspection
// reports the same abilities.
package auth
