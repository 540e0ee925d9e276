package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/alexedwards/argon2id"
	"github.com/rivo/uniseg"

	"trento/store"
)

// The limits of the length of a password, in characters as people see them.
const (
	minPasswordLength = 8
	maxPasswordLength = 4096
)

// PasswordRules returns the rules of a password as sentences for people.
func PasswordRules() []string {
	return []string{
		fmt.Sprintf("at least %d characters", minPasswordLength),
		"no letter or digit three times in a row, as in 111 or aaa",
		"no four letters or digits in sequence, as in 1234 or abcd",
	}
}

// CheckPasswordRules returns a sentence for each rule that a password breaks:
// its length, the same letter or digit three times in a row, four characters in
// ascending sequence.
func CheckPasswordRules(password string) []string {
	var broken []string
	var length, repeated int
	var previous string
	var repetitive bool
	for rest, state := password, -1; rest != ""; length++ {
		// character is what a person sees as one character: a letter with its
		// accents, a flag.
		var character string
		character, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if character == previous {
			repeated++
		} else {
			repeated = 1
		}
		previous = character
		first := []rune(character)[0]
		repetitive = repetitive || repeated == 3 && (unicode.IsLetter(first) || unicode.IsDigit(first))
	}
	switch {
	case length < minPasswordLength:
		broken = append(broken, fmt.Sprintf("should be at least %d character(s)", minPasswordLength))
	case length > maxPasswordLength:
		broken = append(broken, fmt.Sprintf("should be at most %d character(s)", maxPasswordLength))
	}
	if repetitive {
		broken = append(broken, "has repetitive characters")
	}
	if hasSequence(password) {
		broken = append(broken, "has sequential characters")
	}
	return broken
}

func hasSequence(password string) bool {
	const run = 4
	for _, sequence := range []string{"01234567890", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		for i := range len(sequence) - run + 1 {
			if strings.Contains(password, sequence[i:i+run]) {
				return true
			}
		}
	}
	return false
}

const (
	generatedPasswordLength   = 16
	generatedPasswordAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz~!@#$%^&*()_+={}[]|:;<>,.?/-'\"`"
)

// GeneratePassword returns a random password that follows the rules, with about
// 104 bits of entropy.
func GeneratePassword() string {
	for {
		password := make([]byte, generatedPasswordLength)
		for i := range password {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(generatedPasswordAlphabet))))
			if err != nil {
				panic(fmt.Sprintf("auth: the system gives no random numbers: %v", err))
			}
			password[i] = generatedPasswordAlphabet[n.Int64()]
		}
		if len(CheckPasswordRules(string(password))) == 0 {
			return string(password)
		}
	}
}

const (
	// maxConcurrentHashes is the number of hashes computed at a time. It limits
	// memory, 64 MiB each, and leaves processors to the users who are signed
	// in.
	maxConcurrentHashes = 2
	// maxWaitingHashes is the number of passwords of unknown clients that may
	// wait. The last one waits some seconds on a slow machine.
	maxWaitingHashes = 64
	// maxWaitingKnownClients is the number of passwords of known clients that may
	// wait: users who are signed in or come from a known device. A flood of
	// unknown clients cannot take these places.
	maxWaitingKnownClients = 16
)

// hasher computes password hashes, a few at a time.
type hasher struct {
	// params is the cost of new hashes. A stored hash names its own cost, so it
	// stays valid when params change.
	params *argon2id.Params
	// dummyHash takes the place of the hash of an unknown user, so that the
	// time of an answer does not tell whether an account exists. It has the
	// cost of new hashes and fits no known password.
	dummyHash string

	unknownQueue chan struct{} // limits the unknown clients whose passwords are being hashed or wait for that
	knownQueue   chan struct{} // the same for users who are signed in or use a known device
	computeSlots chan struct{} // limits the passwords that are hashed at the same time
}

// HashCost is the cost of one password hash, in the terms of argon2id. The zero
// value means the cost for production. Tests that are not about passwords use a
// cheaper cost.
type HashCost struct {
	Iterations  uint32
	Memory      uint32 // in KiB, at least eight for each lane
	Parallelism uint8  // lanes
}

var productionCost = HashCost{Iterations: 3, Memory: 64 * 1024, Parallelism: 4}

func newHasher(cost HashCost) *hasher {
	if cost == (HashCost{}) {
		cost = productionCost
	}
	return &hasher{
		params: &argon2id.Params{Iterations: cost.Iterations, Memory: cost.Memory, Parallelism: cost.Parallelism, SaltLength: 16, KeyLength: 32},
		dummyHash: fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", cost.Memory, cost.Iterations, cost.Parallelism,
			strings.Repeat("A", base64.RawStdEncoding.EncodedLen(16)), strings.Repeat("A", base64.RawStdEncoding.EncodedLen(32))),
		unknownQueue: make(chan struct{}, maxConcurrentHashes+maxWaitingHashes),
		knownQueue:   make(chan struct{}, maxConcurrentHashes+maxWaitingKnownClients),
		computeSlots: make(chan struct{}, maxConcurrentHashes),
	}
}

// runInTurn calls compute when its turn has come. queue is unknownQueue or
// knownQueue. It fails with ErrBusy if too many wait in that queue, and with
// the error of ctx if ctx is done first.
func (h *hasher) runInTurn(ctx context.Context, queue chan struct{}, compute func() error) error {
	select {
	case queue <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-queue }()
	select {
	case h.computeSlots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.computeSlots }()
	if err := ctx.Err(); err != nil {
		return err
	}
	return compute()
}

func (h *hasher) hash(ctx context.Context, password string) (hash string, err error) {
	err = h.runInTurn(ctx, h.knownQueue, func() (err error) {
		hash, err = argon2id.CreateHash(password, h.params)
		return err
	})
	return hash, err
}

func (h *hasher) matches(ctx context.Context, password, hash string, known bool) (match bool, err error) {
	queue := h.unknownQueue
	if known {
		queue = h.knownQueue
	}
	err = h.runInTurn(ctx, queue, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return match, err
}

// HashPassword returns the hash of a password for the store. It does not check
// the rules. It fails with ErrBusy if too many are waiting.
func (a *Auth) HashPassword(ctx context.Context, password string) (string, error) {
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("auth: hash a password: %w", err)
	}
	return hash, nil
}

// Credentials are what a user enters to sign in.
type Credentials struct {
	Username, Password string
	Code               *string // code of the second factor; nil if none was sent

	device deviceID // the known device of the user, if the request comes from one
}

// Proof is the result of checking credentials: which user, and by which method.
// It serves to start one session soon afterwards.
type Proof struct {
	User    *store.User
	Method  string // one of the methods of package store
	TokenID string // id of the token, with store.MethodToken
	// CodeAt is the time for which the code of the second factor is right; nil
	// without a code.
	CodeAt *time.Time

	// person is the person that an identity provider has confirmed. User is nil
	// then.
	person      *store.Person
	logoutToken string // of the provider, see sso.Person
	provider    string // name of the provider, if User has signed in there before
}

// CheckPassword checks what a user enters to sign in. It fails with
// ErrCredentials if the user is unknown or may not sign in, if password or code
// are wrong, or if the code was used before.
// Text and time of the answer do not tell whether the user exists.
// CheckPassword writes the failure to the activity log. Attempts that were
// refused without checking the password are only counted, for
// LogRefusedSignIns. It fails with ErrCodeMissing if everything is right so far
// but a code is needed, and with ErrBusy if too many attempts are under way.
//
// After many failed attempts it can take most of a minute.
func (a *Auth) CheckPassword(ctx context.Context, c Credentials, address netip.Addr) (*Proof, error) {
	username := store.NormalUsername(c.Username)
	guesses := []guessedSecret{{kind: guessedPassword, name: username, device: c.device, rule: passwordRule()}}
	if !c.device.isKnown() {
		guesses[0].address = address
		guesses = append(guesses, guessedSecret{kind: guessedAnyPassword, address: address, rule: addressRule()})
	}
	attempt, err := a.limiter.beginAttempt(ctx, guesses...)
	if err != nil {
		return nil, err
	}
	outcome := outcomeUnchecked
	defer func() { attempt.recordOutcome(outcome) }()
	proof, err := a.checkCredentials(ctx, c)
	switch {
	case err == nil:
		outcome = outcomeSucceeded
	case errors.Is(err, ErrCredentials):
		outcome = outcomeFailed
		err = a.logFailedSignIn(ctx, username)
	case errors.Is(err, ErrBusy) && !errors.Is(err, errTooManyAttempts): // those are counted already
		a.limiter.countRefused(guesses)
	}
	// A right password without its code counts neither as failure nor as
	// success. Otherwise somebody who knows the password could send it to reset
	// the count of wrong codes.
	return proof, err
}

// checkCredentials checks password and code.
func (a *Auth) checkCredentials(ctx context.Context, c Credentials) (*Proof, error) {
	if isPersonalToken(c.Password) {
		return a.checkTokenCredentials(ctx, c)
	}
	user, err := a.userByName(c.Username)
	if err != nil {
		return nil, err
	}
	if err := a.comparePassword(ctx, user, c.Password, c.device.isKnown()); err != nil {
		return nil, err
	}
	proof := &Proof{User: user, Method: store.MethodPassword}
	if user.TOTPEnabledAt == nil {
		return proof, nil
	}
	if c.Code == nil {
		return nil, ErrCodeMissing
	}
	if proof.CodeAt, err = a.checkCode(ctx, user, *c.Code, c.device); err != nil {
		return nil, err
	}
	return proof, nil
}

// userByName returns the user with a name, or nil if no user has it. The name
// need not be normalized.
func (a *Auth) userByName(username string) (user *store.User, err error) {
	err = a.store.View(func(tx *store.Tx) (err error) {
		user, err = tx.UserNamed(username)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return user, err
}

// comparePassword compares a password with that of a user. If there is no such user, or
// the user is disabled or has no password, it compares with a dummy and refuses
// in any case. known is true for users who are signed in or come from a known
// device. They do not wait in the queue of unknown clients.
func (a *Auth) comparePassword(ctx context.Context, user *store.User, password string, known bool) error {
	maySignIn := user != nil && user.Enabled() && user.PasswordHash != ""
	hash := a.hasher.dummyHash
	if maySignIn {
		hash = user.PasswordHash
	}
	match, err := a.hasher.matches(ctx, password, hash, known)
	if err != nil {
		return fmt.Errorf("auth: check a password: %w", err)
	}
	if !match || !maySignIn {
		return ErrCredentials
	}
	return nil
}

// logFailedSignIn logs a failed sign-in, even if the client has gone meanwhile,
// and returns the error for the caller.
func (a *Auth) logFailedSignIn(ctx context.Context, username string) error {
	if err := a.store.SignInFailed(context.WithoutCancel(ctx), username); err != nil {
		return err
	}
	return ErrCredentials
}
