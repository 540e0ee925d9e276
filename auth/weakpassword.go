package auth

import (
	"strings"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"

	"trento/store"
)

// maxScoredBytes is the length of the part of a password that is scored, in
// bytes. The time for scoring grows with the square of the length, and long
// passwords are never common ones.
const maxScoredBytes = 64

// The reasons why a password that follows the rules is weak.
const (
	containsUsernameDetail = "contains the user name"
	commonPasswordDetail   = "is easy to guess: it is a common password, or close to one"
)

// PasswordWarning says why a password that follows the rules is weak, in the
// words of a fault of the field password; "" if it is not weak. With
// PASSWORD_POLICY=strict such a password is refused.
func PasswordWarning(password, username string) string {
	name := store.NormalUsername(username)
	if utf8.RuneCountInString(name) > 2 && strings.Contains(store.NormalUsername(password), name) {
		return containsUsernameDetail
	}
	judged := password
	for len(judged) > maxScoredBytes {
		_, size := utf8.DecodeLastRuneInString(judged)
		judged = judged[:len(judged)-size]
	}
	if zxcvbn.PasswordStrength(judged, nil).Score == 0 {
		return commonPasswordDetail
	}
	return ""
}

// refuseWeakPassword adds a fault if a password is weak and the policy is
// strict.
func (a *Auth) refuseWeakPassword(password *string, username string, wrong *fieldFaults) {
	if !a.strictPasswords || password == nil || len(wrong.Errors) > 0 {
		return
	}
	if warning := PasswordWarning(*password, username); warning != "" {
		wrong.Add("password", warning)
	}
}
