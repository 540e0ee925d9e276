package auth

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"trento/store"
	"trento/store/activity"
)

// code returns the code of a secret at a time.
func code(t *testing.T, e Enrollment, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode(e.Secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withTOTP enables the second factor of a user, and waits until the used code
// has expired.
func (f fixture) withTOTP(u *store.User) Enrollment {
	f.t.Helper()
	id := &Identity{User: u, Via: ViaSession}
	e, err := f.BeginTOTP(f.t.Context(), id)
	if err == nil {
		_, err = f.ConfirmTOTP(f.t.Context(), id, code(f.t, e, f.now()))
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.clock.now = f.clock.now.Add(30 * time.Second)
	return e
}

func TestEnrollment(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann lee")
	id := (&Identity{User: ann, Via: ViaSession}).Confirming(cheapPassword)
	if _, err := f.ConfirmTOTP(t.Context(), id, "123456"); !errors.Is(err, ErrTOTPCode) {
		t.Errorf("a code of no secret: %v", err)
	}
	first, err := f.BeginTOTP(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Secret) != 32 || first.URI != "otpauth://totp/trento:ann%20lee?secret="+first.Secret+"&issuer=Trento" {
		t.Errorf("offered %+v", first)
	}
	stored := f.named("ann lee")
	secret, _ := base32Encoding.DecodeString(first.Secret)
	if bytes.Contains(stored.TOTPSecret, secret) || stored.TOTPEnabledAt != nil || stored.LockVersion != 1 {
		t.Errorf("stored %+v", stored)
	}
	// The second factor is not enabled yet, so no code is required.
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann lee", Password: cheapPassword}, someAddress); err != nil {
		t.Errorf("before it is confirmed: %v", err)
	}
	second, err := f.BeginTOTP(t.Context(), id)
	if err != nil || second.Secret == first.Secret {
		t.Fatalf("%+v, %v", second, err)
	}
	for name, c := range map[string]string{
		"first secret": code(t, first, f.now()), "two codes before": code(t, second, f.now().Add(-60*time.Second)),
		"two codes after": code(t, second, f.now().Add(60*time.Second)), "empty": "", "words": "secret", "long": strings.Repeat("1", 9999),
	} {
		if _, err := f.ConfirmTOTP(t.Context(), id, c); !errors.Is(err, ErrTOTPCode) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now := code(t, second, f.now())
	at, err := f.ConfirmTOTP(t.Context(), id, now)
	if err != nil || !at.Equal(f.clock.now) {
		t.Fatalf("%v, %v", at, err)
	}
	if metadata := f.logged(activity.TypeProfileUpdate, "ann lee"); metadata["totp_enabled"] != true {
		t.Errorf("logged %v", metadata)
	}
	if u := f.named("ann lee"); u.LockVersion != 2 {
		t.Errorf("the version is %d", u.LockVersion)
	}
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann lee", Password: cheapPassword, Code: &now}, someAddress); !errors.Is(err, ErrCredentials) {
		t.Errorf("the code that confirmed signs in: %v", err)
	}
	if _, err := f.BeginTOTP(t.Context(), id); !errors.Is(err, ErrTOTPEnabled) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := f.ConfirmTOTP(t.Context(), id, now); !errors.Is(err, ErrTOTPEnabled) {
		t.Errorf("confirmed twice: %v", err)
	}

	if err := f.EndTOTP(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if metadata := f.logged(activity.TypeProfileUpdate, "ann lee"); metadata["totp_enabled"] != false {
		t.Errorf("logged %v", metadata)
	}
	if u := f.named("ann lee"); u.TOTPSecret != nil || u.TOTPEnabledAt != nil || u.TOTPLastUsedAt != nil || u.LockVersion != 3 {
		t.Errorf("left %+v", u)
	}
	before := f.newest()
	if err := f.EndTOTP(t.Context(), id); err != nil || f.newest() != before {
		t.Errorf("once more: %v", err)
	}
}

// The codes of the period before and after are accepted as well, each once, at
// the enrollment and at the sign-in.
func TestCodeWindow(t *testing.T) {
	for name, enrolled := range map[string]time.Duration{"step before": -30 * time.Second, "this step": 0, "step after": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := &Identity{User: f.user("ann"), Via: ViaSession}
			e, err := f.BeginTOTP(t.Context(), id)
			if err == nil {
				_, err = f.ConfirmTOTP(t.Context(), id, code(t, e, f.now().Add(enrolled)))
			}
			if err != nil {
				t.Fatal(err)
			}
			signIn := func(of time.Time) error {
				f.clock.now = f.clock.now.Add(time.Hour) // failures before are forgotten
				c := code(t, e, of.Add(time.Hour))
				proof, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword, Code: &c}, someAddress)
				if err == nil {
					_, err = f.SignInAPI(get("/"), proof)
				}
				return err
			}
			for _, shift := range []time.Duration{-30 * time.Second, 30 * time.Second, 0} {
				if err := signIn(f.now().Add(shift)); err != nil {
					t.Errorf("the code of %v: %v", shift, err)
				}
			}
		})
	}
}

// The code of a period that was used, or of an earlier one, is not accepted
// again.
func TestStepsAreUsedOnce(t *testing.T) {
	f := newFixture(t)
	id := &Identity{User: f.user("ann"), Via: ViaSession}
	e, err := f.BeginTOTP(t.Context(), id)
	if err == nil {
		_, err = f.ConfirmTOTP(t.Context(), id, code(t, e, f.now().Add(30*time.Second)))
	}
	if err != nil {
		t.Fatal(err)
	}
	start := f.now()
	for _, attempt := range []struct {
		now, of time.Duration
		taken   bool
	}{
		{0, 30 * time.Second, false}, // the one of the enrollment
		{0, 0, false},
		{30 * time.Second, 30 * time.Second, false},
		{60 * time.Second, 30 * time.Second, false},
		{60 * time.Second, 60 * time.Second, true},
		{60 * time.Second, 60 * time.Second, false},
		{60 * time.Second, 90 * time.Second, true},
		{60 * time.Second, 60 * time.Second, false},
		{90 * time.Second, 90 * time.Second, false},
		{150 * time.Second, 120 * time.Second, true},
	} {
		f.clock.now = start.Add(attempt.now)
		f.limiter = newLimiter(f.now, f.log)
		c := code(t, e, start.Add(attempt.of))
		proof, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword, Code: &c}, someAddress)
		if err == nil {
			_, err = f.SignInAPI(get("/"), proof)
		}
		if (err == nil) != attempt.taken {
			t.Errorf("at %v the code of %v: %v", attempt.now, attempt.of, err)
		}
	}
}

// Enabling the second factor ends sessions that were started without it.
func TestSecondFactorEndsOtherSessions(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	if _, err := f.SignInAPI(get("/"), proofOf(ann)); err != nil {
		t.Fatal(err)
	}
	mine, err := f.SignInAPI(get("/"), proofOf(ann))
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := f.tokenIdentity(mine.Access)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.BeginTOTP(t.Context(), id)
	if err == nil {
		_, err = f.ConfirmTOTP(t.Context(), id, code(t, e, f.now()))
	}
	if err != nil {
		t.Fatal(err)
	}
	err = f.store.View(func(tx *store.Tx) error {
		left, err := tx.Sessions(ann.ID)
		if err == nil && (len(left) != 1 || left[0].Hash != id.SessionHash) {
			t.Errorf("%d sessions are left", len(left))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A secret belongs to one account and one server.
func TestSecretIsSealed(t *testing.T) {
	f := newFixture(t)
	sealed := f.sealTOTPSecret(1, []byte("secret"))
	if again := f.sealTOTPSecret(1, []byte("secret")); bytes.Equal(sealed, again) {
		t.Error("sealed twice the same way")
	}
	if _, err := f.unsealTOTPSecret(2, sealed); err == nil {
		t.Error("it can be put into another account")
	}
	elsewhere := newFixture(t, func(o *Options) { o.Secrets.Base = bytes.Repeat([]byte("x"), 48) })
	if _, err := elsewhere.unsealTOTPSecret(1, sealed); err == nil {
		t.Error("another server can read it")
	}
}

func TestSignInWithCode(t *testing.T) {
	f := newFixture(t)
	e := f.withTOTP(f.user("ann"))
	check := func(password string, code *string) (*Proof, error) {
		return f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: password, Code: code}, someAddress)
	}
	now := f.now()
	before := f.newest()
	if _, err := check(cheapPassword, nil); !errors.Is(err, ErrCodeMissing) || f.newest() != before {
		t.Errorf("without a code: %v, and nothing is logged yet", err)
	}
	if _, err := check("wrong", nil); !errors.Is(err, ErrCredentials) {
		t.Errorf("a wrong password must not tell of the code: %v", err)
	}
	for name, c := range map[string]string{
		"empty": "", "wrong": "000000x", "two steps ago": code(t, e, now.Add(-60*time.Second)), "two steps ahead": code(t, e, now.Add(60*time.Second)),
	} {
		before := f.newest()
		if _, err := check(cheapPassword, &c); !errors.Is(err, ErrCredentials) || f.newest() == before {
			t.Errorf("%s: %v", name, err)
		}
		f.clock.now = f.clock.now.Add(time.Hour) // failures are forgotten
		now = f.now()
	}
	right := code(t, e, now)
	if _, err := check("wrong", &right); !errors.Is(err, ErrCredentials) {
		t.Errorf("wrong password, right code: %v", err)
	}
	// Two sign-ins at the same time: one code, one session.
	one, err := check(cheapPassword, &right)
	if err != nil {
		t.Fatal(err)
	}
	two, err := check(cheapPassword, &right)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignInAPI(get("/"), one); err != nil {
		t.Fatal(err)
	}
	before = f.newest()
	if _, err := f.SignInAPI(get("/"), two); !errors.Is(err, ErrCredentials) || f.newest() == before {
		t.Errorf("the same code twice: %v", err)
	}
	if _, err := check(cheapPassword, &right); !errors.Is(err, ErrCredentials) {
		t.Errorf("a code that was used: %v", err)
	}
	if u := f.named("ann"); u.TOTPLastUsedAt == nil || u.LockVersion != 2 {
		t.Errorf("after a sign-in: %+v", u)
	}

	// A proof that was made before the second factor was enabled is no longer
	// valid.
	bob := f.user("bob")
	proof := proofOf(bob)
	f.withTOTP(bob)
	if _, err := f.SignInAPI(get("/"), proof); !errors.Is(err, ErrCredentials) {
		t.Errorf("an outdated proof: %v", err)
	}

	// A user manager disables the second factor of a user who has lost the
	// device.
	ann := f.named("ann")
	u, err := f.ChangeUser(t.Context(), f.manager(), ann.ID, ann.LockVersion, UserChange{DisableTOTP: true})
	if err != nil || u.TOTPSecret != nil || u.TOTPEnabledAt != nil || u.LockVersion != ann.LockVersion+1 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := check(cheapPassword, nil); err != nil {
		t.Errorf("without a second factor: %v", err)
	}
}

// Somebody who knows the password but not the code cannot guess codes faster by
// sending the password alone in between, or from many addresses.
func TestCodesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		f.clock.now = time.Now()
		ann := f.user("ann")
		id := &Identity{User: ann, Via: ViaSession}
		e, err := f.BeginTOTP(t.Context(), id)
		if err == nil {
			_, err = f.ConfirmTOTP(t.Context(), id, code(t, e, time.Now()))
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		guess := func(n int, c *string) (time.Duration, error) {
			start := time.Now()
			address := netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", n))
			_, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword, Code: c}, address)
			return time.Since(start), err
		}
		wrong := "abcdef"
		for n, want := range []time.Duration{0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15, 15} {
			if _, err := guess(n, nil); !errors.Is(err, ErrCodeMissing) {
				t.Fatalf("the password alone: %v", err)
			}
			before := f.newest()
			if took, err := guess(n, &wrong); took != want*time.Second || !errors.Is(err, ErrCredentials) || f.newest() == before {
				t.Errorf("guess %d took %v: %v; want %d s, refused and logged", n+1, took, err, want)
			}
		}
		right := code(t, e, time.Now().Add(codeRule().maxDelay))
		if took, err := guess(99, &right); err != nil || took != codeRule().maxDelay {
			t.Errorf("after many wrong codes the right one took %v: %v", took, err)
		}
	})
}

// The right password does not reset the count of wrong codes from the same
// address either.
func TestPasswordAloneForgivesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		f.clock.now = time.Now()
		f.withTOTP(f.user("ann"))
		wrong := "abcdef"
		for range 4 {
			f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword, Code: &wrong}, someAddress)
		}
		start := time.Now()
		if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress); !errors.Is(err, ErrCodeMissing) {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited == 0 {
			t.Error("the password alone is answered at once after wrong codes")
		}
		start = time.Now()
		f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress)
		if waited := time.Since(start); waited == 0 {
			t.Error("it has cleared the failures")
		}
	})
}
