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

// The parameters of the second factor, RFC 6238: those every authenticator
// app assumes.
const (
	totpSecretSize = 20 // bytes
	totpPeriod     = 30 // seconds
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Enrollment is what an authenticator app has to know.
type Enrollment struct {
	Secret string // in base32, to be typed
	URI    string // otpauth://…, to be scanned
}

// BeginTOTP makes the secret of a second factor for the user who asks. It is
// in force once ConfirmTOTP has seen a code of it; until then another call
// replaces it. It fails with ErrTOTPEnabled, with ErrProtected for the default
// admin, and with ErrForbidden for somebody who has shown a token.
func (a *Auth) BeginTOTP(ctx context.Context, id *Identity) (Enrollment, error) {
	user, err := a.inPerson(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	secret := make([]byte, totpSecretSize)
	rand.Read(secret)
	err = a.store.OfferTOTP(ctx, id.Actor(), user.ID, a.seal(user.ID, secret))
	if errors.Is(err, store.ErrConflict) {
		return Enrollment{}, ErrTOTPEnabled
	}
	if err != nil {
		return Enrollment{}, err
	}
	return newEnrollment(user, secret), nil
}

// PendingTOTP is what BeginTOTP has offered to the user who asks and is not in
// force yet. It fails with store.ErrNotFound where there is no such thing.
func (a *Auth) PendingTOTP(ctx context.Context, id *Identity) (Enrollment, error) {
	user, err := a.manageable(ctx, id.User.ID)
	if err != nil {
		return Enrollment{}, err
	}
	if user.TOTPSecret == nil || user.TOTPEnabledAt != nil {
		return Enrollment{}, fmt.Errorf("second factor of user %d: %w", user.ID, store.ErrNotFound)
	}
	secret, err := a.unseal(user.ID, user.TOTPSecret)
	if err != nil {
		return Enrollment{}, fmt.Errorf("second factor of user %d: %w", user.ID, err)
	}
	return newEnrollment(user, secret), nil
}

func newEnrollment(user *store.User, secret []byte) Enrollment {
	text := base32Text.EncodeToString(secret)
	return Enrollment{Secret: text, URI: "otpauth://totp/trento:" + url.PathEscape(user.Username) + "?secret=" + text + "&issuer=Trento"}
}

// ConfirmTOTP puts the second factor into force whose code this is, and
// returns since when it is. The code cannot be used to sign in any more. All
// other sessions of the user end: they were begun without the factor. It fails
// with ErrTOTPCode, and like BeginTOTP.
func (a *Auth) ConfirmTOTP(ctx context.Context, id *Identity, code string) (time.Time, error) {
	user, err := a.inPerson(ctx, id)
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

// EndTOTP ends the second factor of the user who asks, whether there is one or
// not. It fails like BeginTOTP, and with a fault of
// current_password where that has to be shown again and is not. A secret that
// is not in force yet is given up without.
func (a *Auth) EndTOTP(ctx context.Context, id *Identity) error {
	user, err := a.inPerson(ctx, id)
	if err != nil {
		return err
	}
	if user.TOTPEnabledAt != nil {
		if err := a.confirmed(ctx, id); err != nil {
			return err
		}
	}
	return a.store.DisableTOTP(ctx, id.Actor(), id.User.ID)
}

// inPerson is the user who asks about the own second factor: not the default
// admin, and not the bearer of a token, which must not outlive itself.
func (a *Auth) inPerson(ctx context.Context, id *Identity) (*store.User, error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, err
	}
	return a.manageable(ctx, id.User.ID)
}

// checkCode returns the time of a code that is right, or ErrCredentials. The
// code is used up by the sign-in that follows.
func (a *Auth) checkCode(ctx context.Context, user *store.User, code string, device deviceID) (*time.Time, error) {
	attempt, err := a.limiter.begin(ctx, guess{of: ofCode, name: user.Username, device: device, rule: codeRule()})
	if errors.Is(err, errCrowded) {
		return nil, ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	outcome := abandoned
	defer func() { attempt.end(outcome) }()
	at, err := a.codeTime(user, code)
	switch {
	case err == nil && !user.CodeUsed(at):
		outcome = succeeded
		return &at, nil
	case err == nil || errors.Is(err, ErrCredentials):
		outcome = failed
		return nil, ErrCredentials
	}
	return nil, err
}

// codeTime returns a time at which a code is the right one: now, or one period
// before or after, because clocks differ and typing takes time (RFC 6238,
// 5.2). It fails with ErrCredentials. Whether the code was used before is
// another question.
func (a *Auth) codeTime(user *store.User, code string) (time.Time, error) {
	secret, err := a.unseal(user.ID, user.TOTPSecret)
	if err != nil {
		return time.Time{}, fmt.Errorf("second factor of user %d: %w; was SECRET_KEY_BASE changed? Whoever manages users can disable it", user.ID, err)
	}
	now := a.now().UTC()
	for _, periods := range []time.Duration{0, -1, 1} {
		at := now.Add(periods * totpPeriod * time.Second)
		fits, err := totp.ValidateCustom(code, base32Text.EncodeToString(secret), at, totp.ValidateOpts{
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

// newSealer makes what a key of 32 bytes encrypts with.
func newSealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts a secret of a user. It is bound to the user: put into another
// account it cannot be read.
func (a *Auth) seal(userID int64, secret []byte) []byte {
	return a.sealer.Seal(nil, nil, secret, []byte(strconv.FormatInt(userID, 10)))
}

func (a *Auth) unseal(userID int64, sealed []byte) ([]byte, error) {
	return a.sealer.Open(nil, nil, sealed, []byte(strconv.FormatInt(userID, 10)))
}
