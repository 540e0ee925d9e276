package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"trento/store"
)

func (f fixture) signInAPI(user *store.User) Tokens {
	f.t.Helper()
	r := withHeader(get("/api/session"), "User-Agent", "curl/8")
	tokens, err := f.SignInAPI(r, proofOf(user))
	if err != nil {
		f.t.Fatal(err)
	}
	return tokens
}

// claimsOf reads a token without checking anything.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestTokenClaims(t *testing.T) {
	f := newFixture(t)
	user := f.user("ann")
	f.clock.now = f.clock.now.Add(123456789) // odd nanoseconds
	tokens := f.signInAPI(user)
	if tokens.ExpiresIn != 180 {
		t.Errorf("ExpiresIn = %d", tokens.ExpiresIn)
	}
	now := float64(f.clock.now.Unix())
	want := map[string]any{
		"iss": "https://github.com/trento-project/web", "aud": "trento_app", "sub": float64(user.ID),
		"typ": "Bearer", "iat": now, "nbf": now, "exp": now + 180,
	}
	access := claimsOf(t, tokens.Access)
	if id, err := uuid.Parse(access["jti"].(string)); err != nil || id.Version() != 4 {
		t.Errorf("jti of the access token is %v: %v", access["jti"], err)
	}
	if sid, ok := access["sid"].(string); !ok || len(sid) != 43 {
		t.Errorf("sid of the access token is %v", access["sid"])
	}
	delete(access, "jti")
	delete(access, "sid")
	if diff := cmp.Diff(want, access); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	want["typ"], want["exp"] = "Refresh", now+21600
	refresh := claimsOf(t, tokens.Refresh)
	if id, ok := refresh["jti"].(string); !ok || len(id) < 43 {
		t.Errorf("jti of the refresh token is %v", refresh["jti"])
	}
	delete(refresh, "jti")
	if diff := cmp.Diff(want, refresh); diff != "" {
		t.Errorf("refresh token (-want +got):\n%s", diff)
	}
}

// Tokens are still valid after the clock was set back.
func TestTokensFromTheFuture(t *testing.T) {
	f := newFixture(t)

	tokens := f.signInAPI(f.user("ann"))
	f.clock.now = f.clock.now.Add(-time.Hour)
	if _, _, err := f.tokenIdentity(tokens.Access); err != nil {
		t.Errorf("access token: %v", err)
	}
	if _, err := f.Refresh(t.Context(), tokens.Refresh); err != nil {
		t.Errorf("refresh token: %v", err)
	}
}

// forge signs the claims of the token good, after change has altered them.
func (f fixture) forge(good string, method jwt.SigningMethod, secret any, change func(jwt.MapClaims)) string {
	f.t.Helper()
	claims := jwt.MapClaims{}
	maps.Copy(claims, claimsOf(f.t, good))
	for _, name := range []string{"exp", "iat", "nbf", "sub"} {
		claims[name] = int64(claims[name].(float64))
	}
	if change != nil {
		change(claims)
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(secret)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// attacks are ways to turn a valid token into an invalid one. All are tried on
// access tokens and on refresh tokens.
func attacks(f fixture, good string, secret []byte) map[string]string {
	now := f.clock.now.Unix()
	changed := func(change func(jwt.MapClaims)) string { return f.forge(good, jwt.SigningMethodHS256, secret, change) }
	parts := strings.Split(good, ".")
	tokens := map[string]string{
		"empty":             "",
		"no token":          "hello",
		"two parts":         parts[0] + "." + parts[1],
		"without signature": parts[0] + "." + parts[1] + ".",
		"other signature":   parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
		"huge":              good + strings.Repeat("A", maxTokenSize),
		"algorithm none":    f.forge(good, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"HS384":             f.forge(good, jwt.SigningMethodHS384, secret, nil),
		"HS512":             f.forge(good, jwt.SigningMethodHS512, secret, nil),
		"wrong secret":      f.forge(good, jwt.SigningMethodHS256, []byte("guessed"), nil),
		"empty secret":      f.forge(good, jwt.SigningMethodHS256, []byte{}, nil),
		"key material":      f.forge(good, jwt.SigningMethodHS256, testSecrets.Base, nil),
		"expired":           changed(func(c jwt.MapClaims) { c["exp"] = now - 1 }),
		"expires now":       changed(func(c jwt.MapClaims) { c["exp"] = now }),
		"not yet":           changed(func(c jwt.MapClaims) { c["nbf"] = now + 1 }),
		"other issuer":      changed(func(c jwt.MapClaims) { c["iss"] = "https://evil.example.com" }),
		"key's audience":    changed(func(c jwt.MapClaims) { c["aud"] = apiKeyAudience }),
		"other type":        changed(func(c jwt.MapClaims) { c["typ"] = "Other" }),
		"lower-case type":   changed(func(c jwt.MapClaims) { c["typ"] = strings.ToLower(c["typ"].(string)) }),
		"sub as text":       changed(func(c jwt.MapClaims) { c["sub"] = "1" }),
		"sub zero":          changed(func(c jwt.MapClaims) { c["sub"] = 0 }),
		"sub negative":      changed(func(c jwt.MapClaims) { c["sub"] = -1 }),
		"sub of nobody":     changed(func(c jwt.MapClaims) { c["sub"] = 4711 }),
		"sub not whole":     changed(func(c jwt.MapClaims) { c["sub"] = 1.5 }),
		"huge, but signed":  changed(func(c jwt.MapClaims) { c["more"] = strings.Repeat("A", maxTokenSize) }),
		"jti empty":         changed(func(c jwt.MapClaims) { c["jti"] = "" }),
		"exp as text":       changed(func(c jwt.MapClaims) { c["exp"] = "never" }),
	}
	for _, name := range []string{"iss", "aud", "sub", "typ", "jti", "iat", "nbf", "exp"} {
		tokens["without "+name] = changed(func(c jwt.MapClaims) { delete(c, name) })
		tokens["null "+name] = changed(func(c jwt.MapClaims) { c[name] = nil })
	}
	return tokens
}

func TestAccessTokenAttacks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tokens := f.signInAPI(f.user("ann"))
	bad := attacks(f, tokens.Access, testSecrets.Access)
	bad["refresh token"] = tokens.Refresh
	bad["refresh token with the access secret"] = f.forge(tokens.Refresh, jwt.SigningMethodHS256, testSecrets.Access, nil)
	bad["API key"] = f.apiKeyText()
	bad["personal access token"] = "trento_pat_" + strings.Repeat("A", 86)
	for name, token := range bad {
		if id := f.identify(withHeader(get("/"), "Authorization", "Bearer "+token)); id != nil {
			t.Errorf("%s: it is %s", name, id.User.Username)
		}
		if _, err := f.accessSigner.verify(token); err == nil && name != "sub of nobody" {
			t.Errorf("%s: only the store has refused it", name)
		}
	}

	good := f.forge(tokens.Access, jwt.SigningMethodHS256, testSecrets.Access, nil)
	if id := f.identify(withHeader(get("/"), "Authorization", "Bearer "+good)); id == nil {
		t.Error("an unchanged token is refused, so this test shows nothing")
	}
}

func TestRefreshTokenAttacks(t *testing.T) {
	f := newFixture(t)
	ann, eve := f.user("ann"), f.user("eve")
	tokens := f.signInAPI(ann)
	console := f.signInConsole(get("/"), eve)
	bad := attacks(f, tokens.Refresh, testSecrets.Refresh)
	bad["access token"] = tokens.Access
	bad["access token with the refresh secret"] = f.forge(tokens.Access, jwt.SigningMethodHS256, testSecrets.Refresh, nil)
	bad["grant of somebody else"] = f.forge(tokens.Refresh, jwt.SigningMethodHS256, testSecrets.Refresh, func(c jwt.MapClaims) { c["sub"] = eve.ID })
	bad["unknown grant"] = f.forge(tokens.Refresh, jwt.SigningMethodHS256, testSecrets.Refresh, func(c jwt.MapClaims) { c["jti"] = "AAAA" })
	bad["cookie as grant"] = f.forge(tokens.Refresh, jwt.SigningMethodHS256, testSecrets.Refresh, func(c jwt.MapClaims) { c["jti"] = console.Value })
	for name, token := range bad {
		if got, err := f.Refresh(t.Context(), token); !errors.Is(err, ErrRefresh) || got != (Tokens{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}

	good := f.forge(tokens.Refresh, jwt.SigningMethodHS256, testSecrets.Refresh, nil)
	if _, err := f.Refresh(t.Context(), good); err != nil {
		t.Errorf("an unchanged token is refused (%v), so this test shows nothing", err)
	}
}

func TestAuthorizationHeader(t *testing.T) {
	f := newFixture(t)
	token := f.signInAPI(f.user("ann")).Access
	for header, want := range map[string]bool{
		"Bearer " + token:          true,
		"bearer " + token:          true,
		"BEARER \t " + token + " ": true,
		token:                      true,
		"Bearer":                   false,
		"Bearer" + token:           false,
		"Basic " + token:           false,
		"Bearer x " + token:        false,
		"Bearer Bearer " + token:   false,
	} {
		if id := f.identify(withHeader(get("/"), "Authorization", header)); (id != nil) != want {
			t.Errorf("%.20q: identified: %v, want %v", header, id != nil, want)
		} else if want && (id.Via != ViaToken || id.User.Username != "ann" || id.SessionHash == [32]byte{}) {
			t.Errorf("%.20q: identity is %+v", header, id)
		}
	}
}

// A changed password ends all sessions of the user, except the one in which it
// was changed.
func TestAccessTokenAfterAPasswordChange(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	mine := withHeader(get("/"), "Authorization", f.signInAPI(ann).Access)
	other := withHeader(get("/"), "Authorization", f.signInAPI(ann).Access)
	_, err := f.ChangeProfile(t.Context(), f.identify(mine), ProfileChange{
		Password: new(goodPassword), PasswordConfirmation: new(goodPassword), CurrentPassword: new(cheapPassword),
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.identify(other) != nil {
		t.Error("a token from before the change is still good")
	}
	if f.identify(mine) == nil {
		t.Error("who changed the password was thrown out")
	}
	ann = f.named("ann")
	if _, err := f.ChangeUser(t.Context(), f.manager(), ann.ID, ann.LockVersion, UserChange{Password: new("Another1pass"), PasswordConfirmation: new("Another1pass")}); err != nil {
		t.Fatal(err)
	}
	if f.identify(mine) != nil {
		t.Error("a token lives on though somebody else has changed the password")
	}
}

func TestAccessTokenLifetime(t *testing.T) {
	f := newFixture(t)
	r := withHeader(get("/"), "Authorization", f.signInAPI(f.user("ann")).Access)
	f.clock.now = f.clock.now.Add(AccessLifetime - time.Second)
	if f.identify(r) == nil {
		t.Error("the token is dead before its time")
	}
	f.clock.now = f.clock.now.Add(time.Second)
	if f.identify(r) != nil {
		t.Error("the token lives beyond its time")
	}
}

func TestRefresh(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	tokens := f.signInAPI(ann)
	f.clock.now = f.clock.now.Add(RefreshLifetime - time.Second)
	fresh, err := f.Refresh(t.Context(), tokens.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	if fresh.Refresh != "" || fresh.ExpiresIn != 180 {
		t.Errorf("Refresh() = %+v", fresh)
	}
	if text, err := json.Marshal(fresh); err != nil || strings.Contains(string(text), "refresh_token") {
		t.Errorf("on the wire it is %s, %v", text, err)
	}
	if id := f.identify(withHeader(get("/"), "Authorization", fresh.Access)); id == nil || id.User.ID != ann.ID {
		t.Error("the new access token is refused")
	}
	f.clock.now = f.clock.now.Add(time.Second)
	if _, err := f.Refresh(t.Context(), tokens.Refresh); !errors.Is(err, ErrRefresh) {
		t.Errorf("after six hours: %v", err)
	}
}

// Disabling the user, signing out and a changed admin password end the session
// of the API.
func TestGrantsEnd(t *testing.T) {
	t.Run("disabled", func(t *testing.T) {
		f := newFixture(t)
		ann := f.user("ann")
		tokens := f.signInAPI(ann)
		f.disable(ann)
		if _, err := f.Refresh(t.Context(), tokens.Refresh); !errors.Is(err, ErrRefresh) {
			t.Errorf("Refresh() = %v", err)
		}
		if f.identify(withHeader(get("/"), "Authorization", tokens.Access)) != nil {
			t.Error("the access token of a disabled user still works")
		}
		if _, err := f.SignInAPI(get("/"), proofOf(ann)); !errors.Is(err, ErrCredentials) {
			t.Errorf("SignInAPI() of a user who was disabled meanwhile = %v", err)
		}
	})
	t.Run("revoked", func(t *testing.T) {
		f := newFixture(t)
		tokens := f.signInAPI(f.user("ann"))
		other := f.signInAPI(f.user("bob"))
		grant := claimsOf(t, tokens.Refresh)["jti"].(string)
		if err := f.store.SignOut(t.Context(), hashOf(grant)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Refresh(t.Context(), tokens.Refresh); !errors.Is(err, ErrRefresh) {
			t.Errorf("Refresh() = %v", err)
		}
		if _, err := f.Refresh(t.Context(), other.Refresh); err != nil {
			t.Errorf("somebody else's: %v", err)
		}
	})
}

// The stored record of a session contains nothing that can be used to sign in.
func TestGrantRecord(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	tokens := f.signInAPI(ann)
	grant := claimsOf(t, tokens.Refresh)["jti"].(string)
	var session *store.Session
	if err := f.store.View(func(tx *store.Tx) (err error) { session, err = tx.Session(hashOf(grant)); return err }); err != nil {
		t.Fatal(err)
	}
	want := &store.Session{
		Hash: hashOf(grant), ID: session.ID, UserID: ann.ID, Kind: store.APISession, Method: "password", CreatedAt: f.clock.now,
		ExpiresAt: f.clock.now.Add(6 * time.Hour), LastSeenAt: f.clock.now, Address: "192.0.2.1", UserAgent: "curl/8",
	}
	if diff := cmp.Diff(want, session); diff != "" || session.ID == "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
}
