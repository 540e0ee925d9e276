package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"trento/store"
)

// The parameters of the second factor, RFC 6238. Every authenticator app
// assumes them.
const (
	totpSecretSize = 20 // bytes
	totpPeriod     = 30 // seconds
)

var base32Encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Enrollment is what an authenticator app needs.
type Enrollment struct {
	Secret string // in base32, to be typed
	URI    string // otpauth://…, to be scanned
}

// BeginTOTP generates the secret of a second factor for the user of id.
// ConfirmTOTP enables it. Until then another call of BeginTOTP replaces it.
// BeginTOTP fails with ErrTOTPEnabled, with ErrProtected for the default admin,
// and with ErrForbidden if the request was made with a token.
func (a *Auth) BeginTOTP(ctx context.Context, id *Identity) (Enrollment, error) {
	user, err := a.totpUser(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	secret := make([]byte, totpSecretSize)
	rand.Read(secret)
	err = a.store.OfferTOTP(ctx, id.Actor(), user.ID, a.sealTOTPSecret(user.ID, secret))
	if errors.Is(err, store.ErrConflict) {
		return Enrollment{}, ErrTOTPEnabled
	}
	if err != nil {
		return Enrollment{}, err
	}
	return newEnrollment(user, secret), nil
}

// PendingTOTP returns the enrollment that BeginTOTP has generated, as long as
// it is not enabled. It fails with store.ErrNotFound if no enrollment is
// pending.
func (a *Auth) PendingTOTP(ctx context.Context, id *Identity) (Enrollment, error) {
	user, err := a.manageableUser(ctx, id.User.ID)
	if err != nil {
		return Enrollment{}, err
	}
	if user.TOTPSecret == nil || user.TOTPEnabledAt != nil {
		return Enrollment{}, fmt.Errorf("second factor of user %d: %w", user.ID, store.ErrNotFound)
	}
	secret, err := a.unsealTOTPSecret(user.ID, user.TOTPSecret)
	if err != nil {
		return Enrollment{}, fmt.Errorf("second factor of user %d: %w", user.ID, err)
	}
	return newEnrollment(user, secret), nil
}

func newEnrollment(user *store.User, secret []byte) Enrollment {
	text := base32Encoding.EncodeToString(secret)
	return Enrollment{Secret: text, URI: "otpauth://totp/trento:" + url.PathEscape(user.Username) + "?secret=" + text + "&issuer=Trento"}
}

// ConfirmTOTP enables the pending second factor of the user of id if the code
// matches, and returns the time of that change. The code cannot be used again
// to sign in. All other sessions of the user end, because they were started
// without the second factor. It fails with ErrTOTPCode, and like BeginTOTP.
func (a *Auth) ConfirmTOTP(ctx context.Context, id *Identity, code string) (time.Time, error) {
	user, err := a.totpUser(ctx, id)
	switch {
	case err != nil:
		return time.Time{}, err
	case user.TOTPEnabledAt != nil:
		return time.Time{}, ErrTOTPEnabled
	case user.TOTPSecret == nil:
		return time.Time{}, ErrTOTPCode
	}
	codeAt, err := a.codeTime(user, code)
	if errors.Is(err, ErrCredentials) {
		return time.Time{}, ErrTOTPCode
	}
	if err != nil {
		return time.Time{}, err
	}
	user, err = a.store.EnableTOTP(ctx, id.Actor(), user.ID, store.EnableTOTP{Secret: user.TOTPSecret, CodeAt: codeAt, Keep: id.SessionHash})
	switch {
	case errors.Is(err, store.ErrStale):
		return time.Time{}, ErrTOTPCode
	case errors.Is(err, store.ErrConflict):
		return time.Time{}, ErrTOTPEnabled
	case err != nil:
		return time.Time{}, err
	}
	return *user.TOTPEnabledAt, nil
}

// EndTOTP disables the second factor of the user of id, if there is one, and
// discards a pending one. It fails like BeginTOTP. If a second factor is
// enabled and the password has to be repeated, it also fails with a fault of
// current_password.
func (a *Auth) EndTOTP(ctx context.Context, id *Identity) error {
	user, err := a.totpUser(ctx, id)
	if err != nil {
		return err
	}
	if user.TOTPEnabledAt != nil {
		if err := a.requireConfirmationOnly(ctx, id); err != nil {
			return err
		}
	}
	return a.store.DisableTOTP(ctx, id.Actor(), id.User.ID)
}

// totpUser returns the user of id for a change of the second factor. It refuses
// the default admin, and requests made with a token: a stolen token must not be
// able to take over the account.
func (a *Auth) totpUser(ctx context.Context, id *Identity) (*store.User, error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, err
	}
	return a.manageableUser(ctx, id.User.ID)
}

// checkCode returns the time of a right code, ErrCredentials, or ErrBusy. The sign-in
// that follows marks the code as used.
func (a *Auth) checkCode(ctx context.Context, user *store.User, code string, device deviceID) (*time.Time, error) {
	attempt, err := a.limiter.beginAttempt(ctx, guessedSecret{kind: guessedCode, name: user.Username, device: device, rule: codeRule()})
	if err != nil {
		return nil, err
	}
	outcome := outcomeUnchecked
	defer func() { attempt.recordOutcome(outcome) }()
	at, err := a.codeTime(user, code)
	switch {
	case err == nil && !user.CodeUsed(at):
		outcome = outcomeSucceeded
		return &at, nil
	case err == nil || errors.Is(err, ErrCredentials):
		outcome = outcomeFailed
		return nil, ErrCredentials
	}
	return nil, err
}

// codeTime returns the time for which a code is right: now, or one period
// before or after, because clocks differ and typing takes time (RFC 6238, 5.2).
// It fails with ErrCredentials. It does not check whether the code was used
// before.
func (a *Auth) codeTime(user *store.User, code string) (time.Time, error) {
	secret, err := a.unsealTOTPSecret(user.ID, user.TOTPSecret)
	if err != nil {
		return time.Time{}, fmt.Errorf("second factor of user %d: %w; was SECRET_KEY_BASE changed? Whoever manages users can disable it", user.ID, err)
	}
	now := a.now().UTC()
	for _, periods := range []time.Duration{0, -1, 1} {
		at := now.Add(periods * totpPeriod * time.Second)
		fits, err := totp.ValidateCustom(code, base32Encoding.EncodeToString(secret), at, totp.ValidateOpts{
			Period: totpPeriod, Skew: 0, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if errors.Is(err, otp.ErrValidateInputInvalidLength) {
			break
		}
		if err != nil {
			return time.Time{}, err
		}
		if fits {
			return at, nil
		}
	}
	return time.Time{}, ErrCredentials
}

// newSealer returns a cipher for a key of 32 bytes.
func newSealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealTOTPSecret encrypts the secret of a user's second factor. The result is bound to
// the user: it cannot be decrypted for another account.
func (a *Auth) sealTOTPSecret(userID int64, secret []byte) []byte {
	return a.totpSealer.Seal(nil, nil, secret, []byte(strconv.FormatInt(userID, 10)))
}

func (a *Auth) unsealTOTPSecret(userID int64, sealed []byte) ([]byte, error) {
	return a.totpSealer.Open(nil, nil, sealed, []byte(strconv.FormatInt(userID, 10)))
}
