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

// A browser whose user has shown the right password and owes a code is halfway
// in. That is written into a cookie, so that the password need not be sent a
// second time; the cookie opens nothing but the way to the code.
const (
	halfwayCookie   = "trento-halfway"
	halfwayLifetime = 5 * time.Minute
)

// halfway is what the cookie holds.
type halfway struct {
	UserID int64     `json:"user_id"`
	Until  time.Time `json:"until"`
	// Password is a mark of the password that was shown: when that is changed,
	// having shown it means nothing.
	Password []byte `json:"password"`
}

func newHalfwayCodec(key []byte) *securecookie.SecureCookie {
	// How long it holds is written in it, so that the clock is ours.
	return securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).MaxAge(0)
}

func passwordMark(u *store.User) []byte {
	sum := sha256.Sum256([]byte(u.PasswordHash))
	return sum[:]
}

// SignInWithPassword begins a console session for whoever types the right name
// and password. It fails as CheckPassword and SignInConsole do. ErrCodeMissing
// means that the browser is halfway in: within five minutes SignInWithCode
// takes it further.
func (a *Auth) SignInWithPassword(w http.ResponseWriter, r *http.Request, username, password string) error {
	device, err := a.deviceOf(r, username)
	if err != nil {
		return err
	}
	proof, err := a.CheckPassword(r.Context(), Credentials{Username: username, Password: password, device: device}, a.ClientAddress(r))
	if errors.Is(err, ErrCodeMissing) {
		if err := a.putHalfway(w, r, username); err != nil {
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

// SignInWithCode begins the console session of a browser that is halfway in.
// It fails with ErrCredentials where the code is wrong or was used before, and
// with ErrSignedOut where the browser is not, or no longer, halfway in.
func (a *Auth) SignInWithCode(w http.ResponseWriter, r *http.Request, code string) error {
	user, err := a.Halfway(r)
	if err != nil {
		return err
	}
	device, err := a.deviceOf(r, user.Username)
	if err != nil {
		return err
	}
	at, err := a.checkCode(r.Context(), user, code, device)
	if errors.Is(err, ErrCredentials) {
		return a.signInFailed(r.Context(), user.Username)
	}
	if err != nil {
		return err
	}
	if err := a.SignInConsole(w, r, &Proof{User: user, Method: store.MethodPassword, CodeAt: at}); err != nil {
		return err
	}
	a.EndHalfway(w, r)
	return a.rememberDevice(w, r, user)
}

// Halfway is the user whose code a browser owes, or ErrSignedOut.
func (a *Auth) Halfway(r *http.Request) (*store.User, error) {
	cookie, err := r.Cookie(halfwayCookie)
	if err != nil {
		return nil, ErrSignedOut
	}
	var text []byte
	var held halfway
	if a.halfway.Decode(halfwayCookie, cookie.Value, &text) != nil || json.Unmarshal(text, &held) != nil || !a.now().Before(held.Until) {
		return nil, ErrSignedOut
	}
	var user *store.User
	err = a.store.View(func(tx *store.Tx) (err error) {
		user, err = enabledUser(tx, held.UserID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if user.TOTPEnabledAt == nil || subtle.ConstantTimeCompare(held.Password, passwordMark(user)) != 1 {
		return nil, ErrSignedOut
	}
	return user, nil
}

// EndHalfway takes the cookie of a browser that is halfway in away.
func (a *Auth) EndHalfway(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, a.newHalfwayCookie(r, "", -1))
}

func (a *Auth) putHalfway(w http.ResponseWriter, r *http.Request, username string) error {
	var user *store.User
	err := a.store.View(func(tx *store.Tx) (err error) {
		user, err = tx.UserNamed(username)
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(halfway{UserID: user.ID, Until: a.now().UTC().Add(halfwayLifetime), Password: passwordMark(user)})
	if err != nil {
		return fmt.Errorf("auth: halfway cookie: %w", err)
	}
	value, err := a.halfway.Encode(halfwayCookie, text)
	if err != nil {
		return fmt.Errorf("auth: halfway cookie: %w", err)
	}
	http.SetCookie(w, a.newHalfwayCookie(r, value, int(halfwayLifetime/time.Second)))
	return nil
}

func (a *Auth) newHalfwayCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: halfwayCookie, Value: value, Path: "/session", MaxAge: maxAge,
		Secure: a.Secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
