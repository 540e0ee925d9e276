package auth

import (
	"strings"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"

	"trento/store"
)

// maxScoredBytes is how much of a password is judged, in bytes: the time grows
// with its square, and longer ones are not common.
const maxScoredBytes = 64

// What a password can be beside within the rules.
const (
	holdsUsername = "contains the user name"
	isCommon      = "is easy to guess: it is a common password, or close to one"
)

// PasswordWarning says why a password that follows the rules is a bad one, in
// the words of a fault of the field password; it is empty for one that
// is not. With PASSWORD_POLICY=strict such a password is refused.
func PasswordWarning(password, username string) string {
	name := store.NormalUsername(username)
	if utf8.RuneCountInString(name) > 2 && strings.Contains(store.NormalUsername(password), name) {
		return holdsUsername
	}
	judged := password
	for len(judged) > maxScoredBytes {
		_, size := utf8.DecodeLastRuneInString(judged)
		judged = judged[:len(judged)-size]
	}
	if zxcvbn.PasswordStrength(judged, nil).Score == 0 {
		return isCommon
	}
	return ""
}

// weakPassword refuses a bad password where the policy is strict.
func (a *Auth) weakPassword(password *string, username string, wrong *fieldFaults) {
	if !a.strictPasswords || password == nil || len(wrong.Errors) > 0 {
		return
	}
	if warning := PasswordWarning(*password, username); warning != "" {
		wrong.Add("password", warning)
	}
}
