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

// The bounds of the length of a password, in characters as people see them.
const (
	minPassword = 8
	maxPassword = 4096
)

// PasswordRules are the rules of a password, for people.
func PasswordRules() []string {
	return []string{
		fmt.Sprintf("at least %d characters", minPassword),
		"no letter or digit three times in a row, as in 111 or aaa",
		"no four letters or digits in sequence, as in 1234 or abcd",
	}
}

// CheckPasswordRules returns a sentence for each rule a password breaks: its
// length, no letter or digit three times in a row, no four characters in
// ascending sequence.
func CheckPasswordRules(password string) []string {
	var broken []string
	var length, repeated int
	var previous string
	var repetitive bool
	for rest, state := password, -1; rest != ""; length++ {
		// What a person sees as one character: a letter with its accents, a flag.
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
	case length < minPassword:
		broken = append(broken, fmt.Sprintf("should be at least %d character(s)", minPassword))
	case length > maxPassword:
		broken = append(broken, fmt.Sprintf("should be at most %d character(s)", maxPassword))
	}
	if repetitive {
		broken = append(broken, "has repetitive characters")
	}
	if sequential(password) {
		broken = append(broken, "has sequential characters")
	}
	return broken
}

func sequential(password string) bool {
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
	generatedLength = 16
	generatedFrom   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz~!@#$%^&*()_+={}[]|:;<>,.?/-'\"`"
)

// GeneratePassword returns a random password that follows the rules: about
// 104 bits of chance.
func GeneratePassword() string {
	for {
		password := make([]byte, generatedLength)
		for i := range password {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(generatedFrom))))
			if err != nil {
				panic(fmt.Sprintf("auth: the system gives no random numbers: %v", err))
			}
			password[i] = generatedFrom[n.Int64()]
		}
		if len(CheckPasswordRules(string(password))) == 0 {
			return string(password)
		}
	}
}

const (
	// hashesAtOnce bounds memory, 64 MiB each, and leaves processors to
	// everybody who is signed in already.
	hashesAtOnce = 2
	// hashesWaiting bounds how long a password waits for its turn: some
	// seconds on a slow machine.
	hashesWaiting = 64
	// knownWaiting bounds how many of those wait who have proven something
	// already: that they are signed in, or come from a known device. A flood of
	// strangers takes none of these places.
	knownWaiting = 16
)

// hasher computes password hashes, a few at a time.
type hasher struct {
	// How passwords are hashed from now on. What is stored names its own
	// parameters, so stored passwords outlive a change.
	params *argon2id.Params
	// dummy is compared with where there is no password to compare with, so
	// that the time an answer takes does not tell whether an account exists.
	// It has the same parameters and is the hash of nothing anybody knows.
	dummy string

	strangers chan struct{} // has room for those who compute and those who wait
	known     chan struct{} // the same, for those who have proven something
	slots     chan struct{} // has room for those who compute
}

// HashCost is what one hash of a password takes, in the words of argon2id. The
// zero value stands for the cost that is right for production; others are for
// tests that are not about passwords.
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
		dummy: fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", cost.Memory, cost.Iterations, cost.Parallelism,
			strings.Repeat("A", base64.RawStdEncoding.EncodedLen(16)), strings.Repeat("A", base64.RawStdEncoding.EncodedLen(32))),
		strangers: make(chan struct{}, hashesAtOnce+hashesWaiting),
		known:     make(chan struct{}, hashesAtOnce+knownWaiting),
		slots:     make(chan struct{}, hashesAtOnce),
	}
}

// do runs compute when it is its turn. queue is strangers or known. It fails
// with ErrBusy if too many wait there already, and with the error of ctx if
// that is done first.
func (h *hasher) do(ctx context.Context, queue chan struct{}, compute func() error) error {
	select {
	case queue <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-queue }()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	if err := ctx.Err(); err != nil {
		return err
	}
	return compute()
}

func (h *hasher) hash(ctx context.Context, password string) (hash string, err error) {
	err = h.do(ctx, h.known, func() (err error) {
		hash, err = argon2id.CreateHash(password, h.params)
		return err
	})
	return hash, err
}

func (h *hasher) matches(ctx context.Context, password, hash string, known bool) (match bool, err error) {
	queue := h.strangers
	if known {
		queue = h.known
	}
	err = h.do(ctx, queue, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return match, err
}

// HashPassword returns what is stored of a password. It does not check the
// rules. It fails with ErrBusy when too many are waiting.
func (a *Auth) HashPassword(ctx context.Context, password string) (string, error) {
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("auth: hash a password: %w", err)
	}
	return hash, nil
}

// Credentials are what somebody types to sign in.
type Credentials struct {
	Username, Password string
	Code               *string // of the second factor; nil where none was asked for

	device deviceID // the known device of the user that they come from
}

// Proof says who has proven who they are, and how. Only a sign-in is to be
// made of it, and soon.
type Proof struct {
	User    *store.User
	Method  string // one of the methods of package store
	TokenID string // with store.MethodToken
	// CodeAt is the time of the code that was the second factor.
	CodeAt *time.Time
}

// CheckPassword checks what somebody types to sign in. ErrCredentials says
// that it is nobody's, that the user may not sign in, that the code is wrong
// or was used before, or that too many attempts are waiting already: the answer
// is the same, and takes the same time, whether the user exists or not. The
// failure is in the activity log when CheckPassword returns; what was refused
// unseen is counted for LogRefusedSignIns. ErrCodeMissing says that all is right so
// far and that a code is needed, too. ErrBusy says that nothing was checked.
//
// It can take most of a minute where many attempts failed before.
func (a *Auth) CheckPassword(ctx context.Context, c Credentials, address netip.Addr) (*Proof, error) {
	username := store.NormalUsername(c.Username)
	guesses := []guess{{of: ofPassword, name: username, device: c.device, rule: passwordRule()}}
	if !c.device.known() {
		guesses[0].address = address
		guesses = append(guesses, guess{of: ofAnyPassword, address: address, rule: addressRule()})
	}
	attempt, err := a.limiter.begin(ctx, guesses...)
	if errors.Is(err, errCrowded) {
		return nil, ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	outcome := abandoned
	defer func() { attempt.end(outcome) }()
	proof, err := a.prove(ctx, c)
	switch {
	case err == nil:
		outcome = succeeded
	case errors.Is(err, ErrCredentials):
		outcome = failed
		err = a.signInFailed(ctx, username)
	case errors.Is(err, ErrBusy):
		a.limiter.refuse(guesses)
	}
	// A password without its code counts as neither: else whoever knows the
	// password could show it to have wrong codes forgotten.
	return proof, err
}

// prove checks password and code.
func (a *Auth) prove(ctx context.Context, c Credentials) (*Proof, error) {
	if isAccessToken(c.Password) {
		return a.proveByToken(ctx, c)
	}
	user, err := a.userNamed(c.Username)
	if err != nil {
		return nil, err
	}
	if err := a.matches(ctx, user, c.Password, c.device.known()); err != nil {
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

// userNamed is the user of a name in any form, nil where there is none.
func (a *Auth) userNamed(username string) (user *store.User, err error) {
	err = a.store.View(func(tx *store.Tx) (err error) {
		user, err = tx.UserNamed(username)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return user, err
}

// matches compares a password with that of a user. Where there is no such
// user, or one who is disabled or has no password, it compares with a dummy
// and refuses whatever comes out. known says that whoever asks has proven
// something already, and need not wait among strangers.
func (a *Auth) matches(ctx context.Context, user *store.User, password string, known bool) error {
	maySignIn := user != nil && user.Enabled() && user.PasswordHash != ""
	hash := a.hasher.dummy
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

// signInFailed logs a failure, also when whoever tried has gone meanwhile, and
// returns what the caller is told.
func (a *Auth) signInFailed(ctx context.Context, username string) error {
	if err := a.store.SignInFailed(context.WithoutCancel(ctx), username); err != nil {
		return err
	}
	return ErrCredentials
}
