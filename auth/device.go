package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/securecookie"

	"trento/store"
)

// A browser in which somebody has signed in with a password is a known device
// of that account. A cookie proves it at later sign-ins, which then are slowed
// down by failures of this device only. So somebody who guesses passwords
// elsewhere, even behind the same address, cannot keep the user out. The cookie
// signs nobody in, and a new password makes it worthless.
const (
	deviceCookie   = "trento-device"
	deviceLifetime = 365 * 24 * time.Hour
	// maxDeviceAccounts is the number of accounts that a cookie lists. Beyond
	// it, the one with the oldest sign-in is dropped.
	maxDeviceAccounts = 5
)

// deviceID identifies a known device. It is random; zero means an unknown
// device.
type deviceID [16]byte

func (d deviceID) isKnown() bool { return d != deviceID{} }

// deviceAccount is an account in the cookie of a device.
type deviceAccount struct {
	UserID int64     `json:"u"`
	Device []byte    `json:"d"`
	Until  time.Time `json:"t"`
	// Password is derived from the password hash: a new password makes the
	// entry invalid.
	Password []byte `json:"p"`
}

func newDeviceCodec(key []byte) *securecookie.SecureCookie {
	// The cookie itself holds its date, so that tests can use their own clock.
	return securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).MaxAge(0)
}

// deviceOf returns the device that a request comes from, if it is a known
// device of the named user, else the zero device.
func (a *Auth) deviceOf(r *http.Request, username string) (deviceID, error) {
	accounts := a.deviceAccounts(r)
	if len(accounts) == 0 {
		return deviceID{}, nil
	}
	user, err := a.userByName(username)
	if user == nil || err != nil {
		return deviceID{}, err
	}
	for _, known := range accounts {
		if known.UserID == user.ID && subtle.ConstantTimeCompare(known.Password, passwordFingerprint(user)) == 1 && len(known.Device) == len(deviceID{}) {
			return deviceID(known.Device), nil
		}
	}
	return deviceID{}, nil
}

// deviceAccounts returns the accounts in the cookie of a request, without those
// that are too old.
func (a *Auth) deviceAccounts(r *http.Request) []deviceAccount {
	cookie, err := r.Cookie(deviceCookie)
	if err != nil {
		return nil
	}
	var text []byte
	var accounts []deviceAccount
	if a.deviceCodec.Decode(deviceCookie, cookie.Value, &text) != nil || json.Unmarshal(text, &accounts) != nil {
		return nil
	}
	return slices.DeleteFunc(accounts, func(d deviceAccount) bool { return !a.now().Before(d.Until) })
}

// rememberDevice makes the browser a known device of a user who has just signed
// in with a password.
func (a *Auth) rememberDevice(w http.ResponseWriter, r *http.Request, user *store.User) error {
	accounts := a.deviceAccounts(r)
	var id deviceID
	rand.Read(id[:])
	if i := slices.IndexFunc(accounts, func(d deviceAccount) bool { return d.UserID == user.ID }); i >= 0 {
		if len(accounts[i].Device) == len(id) {
			id = deviceID(accounts[i].Device)
		}
		accounts = slices.Delete(accounts, i, i+1)
	}
	accounts = append([]deviceAccount{{
		UserID: user.ID, Device: id[:], Until: a.now().UTC().Add(deviceLifetime).Truncate(time.Second), Password: passwordFingerprint(user),
	}}, accounts...)
	text, err := json.Marshal(accounts[:min(len(accounts), maxDeviceAccounts)])
	if err != nil {
		return fmt.Errorf("auth: device cookie: %w", err)
	}
	value, err := a.deviceCodec.Encode(deviceCookie, text)
	if err != nil {
		return fmt.Errorf("auth: device cookie: %w", err)
	}
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: value, Path: "/session", MaxAge: int(deviceLifetime / time.Second),
		Secure: a.IsHTTPS(r), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return nil
}
