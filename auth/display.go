package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"trento/store"
)

// A display is a screen on a wall that shows the landscape without a user. It
// may use the routes with the access OnWall and no others: for all of them its
// requests come from nobody. A user adds it and gets a code, with which a
// browser becomes the display. It stays that until a user removes it: nobody is
// there to sign in again, and nothing can be changed with it.

// The names of the cookie of a display, as with the cookie of a session.
const (
	displayCookieName       = "trento-display"
	secureDisplayCookieName = "__Host-trento-display"
)

// displayCookieLifetime is the longest time for which browsers keep a cookie.
// Each visit begins it anew.
const displayCookieLifetime = 400 * 24 * time.Hour

// displaySecretSize is the size of the secret in the cookie, in bytes.
const displaySecretSize = 32

// codeEncoding has no characters that look alike.
var codeEncoding = base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").WithPadding(base32.NoPadding)

// displayCodeSize is the size of a code in bytes. With 40 bits and addressRule,
// guessing a code within its lifetime is hopeless.
const displayCodeSize = 5

// NewDisplay adds a display. The code makes a browser that display; it is good
// for store.DisplayCodeLifetime. It fails as store.CreateDisplay does.
func (a *Auth) NewDisplay(ctx context.Context, id *Identity, name string) (d *store.Display, code string, err error) {
	random := make([]byte, displayCodeSize)
	_, _ = rand.Read(random) // never fails
	text := codeEncoding.EncodeToString(random)
	d, err = a.store.CreateDisplay(ctx, id.Actor(), name, hashOfCode(text))
	return d, text[:4] + "-" + text[4:], err
}

// IsCodeOf reports whether a display waits for a code.
func (a *Auth) IsCodeOf(d *store.Display, code string) bool {
	return d.IsWaiting(a.now()) && string(d.CodeHash) == string(hashOfCode(code))
}

// hashOfCode returns the hash of a code as people type it.
func hashOfCode(code string) []byte {
	typed := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(code))
	hash := sha256.Sum256([]byte("trento display code " + typed))
	return hash[:]
}

// PairDisplay pairs the browser of a request with the display that waits for a
// code, and sets its cookie. It fails with ErrCredentials if no display waits for it.
// Wrong codes from one address are slowed down.
func (a *Auth) PairDisplay(w http.ResponseWriter, r *http.Request, code string) error {
	address := a.ClientAddress(r)
	attempt, err := a.limiter.beginAttempt(r.Context(), guessedSecret{kind: guessedDisplayCode, address: address, rule: addressRule()})
	if err != nil {
		return err
	}
	secret := make([]byte, displaySecretSize)
	_, _ = rand.Read(secret) // never fails
	hash := sha256.Sum256(secret)
	_, err = a.store.PairDisplay(r.Context(), hashOfCode(code), hash[:], address.String())
	switch {
	case errors.Is(err, store.ErrNotFound):
		attempt.recordOutcome(outcomeFailed)
		return ErrCredentials
	case err != nil:
		attempt.recordOutcome(outcomeUnchecked)
		return err
	}
	attempt.recordOutcome(outcomeSucceeded)
	a.setDisplayCookie(w, r, base64.RawURLEncoding.EncodeToString(secret))
	return nil
}

// RefreshDisplayCookie begins the lifetime of the cookie of a display anew, and
// records that the display was seen.
func (a *Auth) RefreshDisplayCookie(w http.ResponseWriter, r *http.Request, d *store.Display) error {
	c, err := r.Cookie(a.displayCookieName(r))
	if err != nil {
		return nil
	}
	a.setDisplayCookie(w, r, c.Value)
	address := a.ClientAddress(r).String()
	store.AfterReading(r.Context(), func(ctx context.Context) {
		if err := a.store.TouchDisplay(ctx, d, address); err != nil && ctx.Err() == nil {
			a.log.Warn("the last visit of a screen could not be noted", "error", err)
		}
	})
	return nil
}

func (a *Auth) setDisplayCookie(w http.ResponseWriter, r *http.Request, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: a.displayCookieName(r), Value: value, Path: "/", MaxAge: int(displayCookieLifetime / time.Second),
		Secure: a.IsHTTPS(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (a *Auth) displayCookieName(r *http.Request) string {
	if a.IsHTTPS(r) {
		return secureDisplayCookieName
	}
	return displayCookieName
}

// DisplayOf returns the display that a request comes from, or ErrSignedOut.
func (a *Auth) DisplayOf(tx *store.Tx, r *http.Request) (*store.Display, error) {
	c, err := r.Cookie(a.displayCookieName(r))
	if err != nil {
		return nil, ErrSignedOut
	}
	secret, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(secret) != displaySecretSize {
		return nil, ErrSignedOut
	}
	hash := sha256.Sum256(secret)
	d, err := tx.DisplayOf(hash[:])
	if errors.Is(err, store.ErrNotFound) {
		err = ErrSignedOut
	}
	return d, err
}

// permitDisplay returns nil if a request comes from a display, or ErrSignedOut.
func (a *Auth) permitDisplay(r *http.Request) error {
	return a.store.ViewIn(r.Context(), func(tx *store.Tx) error {
		_, err := a.DisplayOf(tx, r)
		return err
	})
}
