// Package auth answers two questions about a request: who is it, and may they.
// It knows passwords, console sessions, tokens and the API key of the agents.
// It identifies without refusing; refusing is left to the rooms that speak
// HTTP, through the one function that decides (Permit).
//
// # People
//
// Every rule about people is here; console and API call the same verbs (CreateUser, ChangeUser, ChangeProfile, BeginTOTP). They check all
// fields at once and answer with FieldErrors. What must be true at the moment
// of writing is checked inside the transaction, by the verbs of store of the
// same names: that a name is free, that the user is still of the version the
// caller saw (LockVersion, the ETag), that a code was not used before. The
// default admin is known by the name in the configuration, and changed by the
// configuration alone.
//
// Deleting leaves a tombstone of id and name, because the activity log speaks
// of both; the name is free at once.
//
// # Signing in
//
// Console sessions and the grants behind refresh tokens are one thing,
// store.Session: the cookie or token holds a random secret, the file its hash.
// Disabling or deleting a user, or changing the password, removes them in the
// same transaction, and every request looks its session and user up, so they
// end with the next byte. An access token names the session it was given in
// (claim sid) and ends with it. Who changes the own password keeps the session
// it is changed in. What outlives a request, a stream or a download, asks again
// (Auth.Revalidate) before each piece; every commit wakes the streams, so they
// need not wait to find out.
//
// Passwords are argon2id hashes; at most two are computed at a time, and
// repeated failures are slowed down per user and address. The second factor
// (RFC 6238) accepts the codes of the present half minute, the one before and
// the one after, and each once: the sign-in that stores the session also stores
// the time of its code, and fails where that is not a later one. Its secret is
// encrypted under a key derived from SECRET_KEY_BASE and bound to the account.
// Wrong codes are slowed down per user wherever they come from: who gets that
// far knows the password. Showing the password alone in between forgives
// nothing. In the console the code is a step of its own: between the two the
// browser holds a signed cookie (auth/pendingsignin.go) that is good for the
// code and nothing else, for five minutes and while the password that was shown
// is still the password, so the password is sent once.
//
// Unsafe requests that a browser marks as coming from elsewhere are refused.
// There is no script in any page, so the content security policy allows none.
//
// # Tokens and scopes
//
// A personal access token is 64 random bytes behind a prefix; the file has its
// SHA-512, which is also the index it is found by. No slow hash is needed where
// nobody can guess, so a check costs less than that of a cookie. What is done
// with a token is noted after the answer, in memory, and written to the owner's
// log once a second; a reader of the log has it written first.
//
// A scope names operations of the API, alone or as a set. The table of routes
// (ui/api/route.go) says all about who may use one: the ability, the sets of
// scopes it is in, what makes its answer say more, and whether no token may.
// openapi.yaml repeats that for clients (x-ability, x-scope-sets, x-widened-by,
// x-in-person), and a test compares the two. So Permit asks two questions about
// a token: may the owner, now, and does a scope name this route.
//
// Handlers, and the pages of the console, ask for abilities (Identity.Can). For
// those the scopes leave what an operation within them makes use of, and for a
// request that changes something only what a changing one does: all:users is
// needed to list users and to make one, and a token that may list them must not
// make one by another way. That is also what introspection reports.
package auth
