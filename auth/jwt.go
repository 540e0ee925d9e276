package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"trento/store"
)

// The lifetimes of the tokens of the API. A sign-in to the API ends with its
// refresh token, which is not extended.
const (
	AccessLifetime  = 180 * time.Second
	RefreshLifetime = 6 * time.Hour
)

// The fixed claims of our tokens. Existing clients check them.
const (
	tokenIssuer    = "https://github.com/trento-project/web"
	tokenAudience  = "trento_app"
	apiKeyAudience = "trento_api_key"
	typeAccess     = "Bearer"
	typeRefresh    = "Refresh"
)

// maxTokenSize is the largest accepted size of a token, in bytes. It is several
// times the size of our own tokens.
const maxTokenSize = 4096

// Tokens are the answer to a sign-in at the API.
type Tokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token,omitempty"` // only after a sign-in
	ExpiresIn int    `json:"expires_in"`              // lifetime of the access token in seconds
}

// SignInAPI starts a session of the API and returns an access token and a
// refresh token. The session is in the store, so signing out, disabling the
// user and changing the password end it. It fails with ErrCredentials if the
// user was disabled meanwhile or the code was used.
func (a *Auth) SignInAPI(r *http.Request, proof *Proof) (Tokens, error) {
	secret := make([]byte, sessionIDSize)
	rand.Read(secret)
	grant := base64.RawURLEncoding.EncodeToString(secret)
	session := a.newSession(r, proof, store.APISession, RefreshLifetime)
	session.Hash = sha256.Sum256([]byte(grant))

	user, err := a.signIn(r.Context(), session)
	if err != nil {
		return Tokens{}, err
	}
	access, err := a.accessSigner.sign(user.ID, uuid.NewString(), sessionEncoding.EncodeToString(session.Hash[:]), AccessLifetime)
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := a.refreshSigner.sign(user.ID, grant, "", RefreshLifetime)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{Access: access, Refresh: refresh, ExpiresIn: int(AccessLifetime / time.Second)}, nil
}

// Refresh returns a new access token. It does not replace the refresh token. It
// fails with ErrRefresh if the refresh token is invalid, expired or revoked.
func (a *Auth) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	claims, err := a.refreshSigner.verify(refreshToken)
	if err != nil {
		return Tokens{}, ErrRefresh
	}
	var grant *store.Session
	err = a.store.View(func(tx *store.Tx) (err error) {
		_, grant, err = a.sessionIdentity(tx, sha256.Sum256([]byte(claims.ID)), ViaToken)
		if err == nil && grant.UserID != claims.Subject {
			err = ErrSignedOut
		}
		return err
	})
	if errors.Is(err, ErrSignedOut) {
		return Tokens{}, ErrRefresh
	}
	if err != nil {
		return Tokens{}, err
	}
	a.recordSessionUse(ctx, grant, true)
	access, err := a.accessSigner.sign(claims.Subject, uuid.NewString(), sessionEncoding.EncodeToString(grant.Hash[:]), AccessLifetime)
	return Tokens{Access: access, ExpiresIn: int(AccessLifetime / time.Second)}, err
}

// tokenIdentity returns the identity and the claims of an access token, or
// ErrSignedOut. An access token ends with its session.
func (a *Auth) tokenIdentity(text string) (*Identity, *Claims, error) {
	claims, err := a.accessSigner.verify(text)
	if err != nil {
		return nil, nil, ErrSignedOut
	}
	hash, err := sessionEncoding.DecodeString(claims.Session)
	if err != nil || len(hash) != sha256.Size {
		return nil, nil, ErrSignedOut
	}
	var id *Identity
	err = a.store.View(func(tx *store.Tx) (err error) {
		id, _, err = a.sessionIdentity(tx, [sha256.Size]byte(hash), ViaToken)
		if err == nil && id.User.ID != claims.Subject {
			err = ErrSignedOut
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	id.expiresAt = time.Unix(claims.Expires, 0)
	return id, &claims, nil
}

// sessionEncoding is the encoding of a session hash in a token.
var sessionEncoding = base64.RawURLEncoding

// bearerToken returns the token of an Authorization header. The scheme "Bearer"
// may be written in any case, and may be missing because existing clients leave
// it out. ok is false for other schemes, which can be meant for a proxy in
// front of this server.
func bearerToken(header string) (token string, ok bool) {
	words := strings.Fields(header)
	switch {
	case len(words) == 1 && !strings.EqualFold(words[0], "bearer"):
		return words[0], true
	case len(words) == 2 && strings.EqualFold(words[0], "bearer"):
		return words[1], true
	}
	return "", false
}

// Claims are the claims of access and refresh tokens. Times are whole seconds
// since 1970. Plain integers are much faster to read than the types of the jwt
// library.
type Claims struct {
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	Issuer    string `json:"iss"`
	ID        string `json:"jti"`
	NotBefore int64  `json:"nbf"`
	Session   string `json:"sid,omitempty"` // of an access token: the hash of its session
	Subject   int64  `json:"sub"`           // id of a user; an integer, where most issuers write a string
	Type      string `json:"typ"`
}

// timeOfClaim returns the time of a claim, or nil if the claim is missing.
func timeOfClaim(seconds int64) (*jwt.NumericDate, error) {
	if seconds == 0 {
		return nil, nil
	}
	return &jwt.NumericDate{Time: time.Unix(seconds, 0)}, nil
}

func (c Claims) GetExpirationTime() (*jwt.NumericDate, error) { return timeOfClaim(c.Expires) }
func (c Claims) GetIssuedAt() (*jwt.NumericDate, error)       { return timeOfClaim(c.IssuedAt) }

// GetNotBefore returns no time: verify checks it.
func (c Claims) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }
func (c Claims) GetIssuer() (string, error)              { return c.Issuer, nil }
func (c Claims) GetSubject() (string, error)             { return fmt.Sprint(c.Subject), nil }
func (c Claims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

var errWrongClaim = errors.New("auth: a claim of the token is missing or wrong")

// signer signs and verifies tokens of one type with one secret.
type signer struct {
	secret    []byte
	tokenType string
	now       func() time.Time
	parser    *jwt.Parser
}

func newSigner(secret []byte, tokenType string, now func() time.Time) *signer {
	return &signer{secret: secret, tokenType: tokenType, now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(tokenIssuer),
		jwt.WithAudience(tokenAudience),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(now),
	)}
}

func (s *signer) sign(userID int64, id, session string, lifetime time.Duration) (string, error) {
	now := s.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, Claims{
		Audience: tokenAudience, Expires: now.Add(lifetime).Unix(), IssuedAt: now.Unix(),
		Issuer: tokenIssuer, ID: id, NotBefore: now.Unix(), Session: session, Subject: userID, Type: s.tokenType,
	}).SignedString(s.secret)
	if err != nil {
		return "", fmt.Errorf("auth: token: %w", err)
	}
	return token, nil
}

// verify checks signature, algorithm, type and all claims. Its error is for
// tests and debugging, not for the sender of the token.
func (s *signer) verify(token string) (Claims, error) {
	var claims Claims
	if len(token) > maxTokenSize {
		return claims, errWrongClaim
	}
	_, err := s.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return s.secret, nil })
	if err != nil {
		return claims, err
	}
	if claims.Type != s.tokenType || claims.ID == "" || claims.IssuedAt == 0 || claims.NotBefore == 0 || claims.Subject <= 0 {
		return claims, errWrongClaim
	}
	// Our tokens are valid from the time at which they were issued. When that is in
	// the future, the clock was set back, and refusing them would sign everybody out.
	if claims.NotBefore > max(s.now().Unix(), claims.IssuedAt) {
		return claims, errWrongClaim
	}
	return claims, nil
}
