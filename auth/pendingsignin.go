package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"

	"trento/store"
)

// A sign-in is pending if the password was right and the code is still missing.
// A cookie says so, so that the browser need not send the password again. The
// cookie permits nothing but sending the code.
const (
	pendingSignInCookie   = "trento-pending-sign-in"
	pendingSignInLifetime = 5 * time.Minute
)

// pendingSignIn is the content of the cookie.
type pendingSignIn struct {
	UserID int64     `json:"user_id"`
	Until  time.Time `json:"until"`
	// Password is derived from the password hash: a new password makes the
	// cookie invalid.
	Password []byte `json:"password"`
}

func newPendingSignInCodec(key []byte) *securecookie.SecureCookie {
	// The cookie itself holds its date, so that tests can use their own clock.
	return securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).MaxAge(0)
}

func passwordFingerprint(u *store.User) []byte {
	sum := sha256.Sum256([]byte(u.PasswordHash))
	return sum[:]
}

// SignInWithPassword starts a session of the console for the right name and
// password. It fails like CheckPassword and SignInConsole. After
// ErrCodeMissing, SignInWithCode can complete the sign-in within five minutes.
func (a *Auth) SignInWithPassword(w http.ResponseWriter, r *http.Request, username, password string) error {
	device, err := a.deviceOf(r, username)
	if err != nil {
		return err
	}
	proof, err := a.CheckPassword(r.Context(), Credentials{Username: username, Password: password, device: device}, a.ClientAddress(r))
	if errors.Is(err, ErrCodeMissing) {
		if err := a.putPendingSignIn(w, r, username); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := a.SignInConsole(w, r, proof); err != nil || proof.Method != store.MethodPassword {
		return err
	}
	return a.rememberDevice(w, r, proof.User)
}

// SignInWithCode completes the pending sign-in of a browser. It fails with
// ErrCredentials if the code is wrong or was used before, and with ErrSignedOut
// if the browser has no pending sign-in.
func (a *Auth) SignInWithCode(w http.ResponseWriter, r *http.Request, code string) error {
	user, err := a.PendingSignIn(r)
	if err != nil {
		return err
	}
	device, err := a.deviceOf(r, user.Username)
	if err != nil {
		return err
	}
	at, err := a.checkCode(r.Context(), user, code, device)
	if errors.Is(err, ErrCredentials) {
		return a.logFailedSignIn(r.Context(), user.Username)
	}
	if err != nil {
		return err
	}
	if err := a.SignInConsole(w, r, &Proof{User: user, Method: store.MethodPassword, CodeAt: at}); err != nil {
		return err
	}
	a.EndPendingSignIn(w, r)
	return a.rememberDevice(w, r, user)
}

// PendingSignIn returns the user whose sign-in is pending in a browser, or
// ErrSignedOut.
func (a *Auth) PendingSignIn(r *http.Request) (*store.User, error) {
	cookie, err := r.Cookie(pendingSignInCookie)
	if err != nil {
		return nil, ErrSignedOut
	}
	var text []byte
	var held pendingSignIn
	if a.pendingSignInCodec.Decode(pendingSignInCookie, cookie.Value, &text) != nil || json.Unmarshal(text, &held) != nil || !a.now().Before(held.Until) {
		return nil, ErrSignedOut
	}
	var user *store.User
	err = a.store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		user, err = enabledUser(tx, held.UserID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if user.TOTPEnabledAt == nil || subtle.ConstantTimeCompare(held.Password, passwordFingerprint(user)) != 1 {
		return nil, ErrSignedOut
	}
	return user, nil
}

// EndPendingSignIn deletes the cookie of a pending sign-in.
func (a *Auth) EndPendingSignIn(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, a.newPendingSignInCookie(r, "", -1))
}

func (a *Auth) putPendingSignIn(w http.ResponseWriter, r *http.Request, username string) error {
	var user *store.User
	err := a.store.View(func(tx *store.Tx) (err error) {
		user, err = tx.UserNamed(username)
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(pendingSignIn{UserID: user.ID, Until: a.now().UTC().Add(pendingSignInLifetime), Password: passwordFingerprint(user)})
	if err != nil {
		return fmt.Errorf("auth: cookie of a pending sign-in: %w", err)
	}
	value, err := a.pendingSignInCodec.Encode(pendingSignInCookie, text)
	if err != nil {
		return fmt.Errorf("auth: cookie of a pending sign-in: %w", err)
	}
	http.SetCookie(w, a.newPendingSignInCookie(r, value, int(pendingSignInLifetime/time.Second)))
	return nil
}

func (a *Auth) newPendingSignInCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: pendingSignInCookie, Value: value, Path: "/session", MaxAge: maxAge,
		Secure: a.IsHTTPS(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
