package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"trento/store"
	"trento/store/fault"
)

// initialPasswordFile is where a password that was generated for the default
// admin is written, in the data directory.
const initialPasswordFile = "initial-admin-password"

// Admin is what the configuration says about the default admin, beside the
// name that New was given.
type Admin struct {
	Email    string // of a new one
	Password string // "" leaves it as it is, and generates one for a new admin
}

// UsernameFaults are what is wrong with a user name, in the words of field
// errors.
func UsernameFaults(name string) []string {
	var wrong fieldFaults
	wrong.username(name)
	return details(wrong.Errors)
}

// details are faults without their fields.
func details(wrong fault.Errors) []string {
	details := make([]string, len(wrong))
	for i, f := range wrong {
		details[i] = f.Detail
	}
	return details
}

// EmailFaults are what is wrong with an e-mail address.
func EmailFaults(address string) []string {
	var wrong fieldFaults
	wrong.email(address)
	return details(wrong.Errors)
}

// EnsureAdmin makes sure at every start that the default admin exists, may do
// everything, and has the configured password. A password that differs from
// the present one replaces it and ends all sessions of the admin.
//
// Where an admin is made without a configured password, one is generated and
// written to a file in dir, mode 0600. It is removed at the first sign-in of the
// admin: who has read it does not need it again, and it must not get into
// backups. EnsureAdmin returns the name of that file as long as it is there,
// else "".
func (a *Auth) EnsureAdmin(ctx context.Context, admin Admin, dir string) (file string, err error) {
	present, err := a.presentHash(a.admin)
	missing := errors.Is(err, store.ErrNotFound)
	if err != nil && !missing {
		return "", err
	}
	return a.putAdmin(ctx, admin, dir, present, missing)
}

// ResetAdmin is EnsureAdmin that replaces the password in any case: by the
// given one, or by a generated one where that is "". It fails with faults
// of password where a password breaks the rules.
func (a *Auth) ResetAdmin(ctx context.Context, admin Admin, dir string) (file string, err error) {
	if admin.Password != "" {
		var wrong fieldFaults
		wrong.password(admin.Password, &admin.Password)
		a.weakPassword(&admin.Password, a.admin, &wrong)
		if err := wrong.Err(); err != nil {
			return "", err
		}
	}
	return a.putAdmin(ctx, admin, dir, "", true)
}

// putAdmin makes or changes the default admin. present is the hash of the
// password that needs no replacement; generate says to make one up where none
// is given.
func (a *Auth) putAdmin(ctx context.Context, admin Admin, dir, present string, generate bool) (file string, err error) {
	file = filepath.Join(dir, initialPasswordFile)
	var wrong fieldFaults
	if wrong.username(a.admin); len(wrong.Errors) > 0 {
		return "", fmt.Errorf("the admin named by ADMIN_USER (%s): %w", a.admin, wrong.Errors)
	}
	hash := ""
	password := admin.Password
	if password == "" && generate {
		password = GeneratePassword()
		// Written before it is in force: should the process end in between, the
		// next attempt generates another one.
		if err := writeInitialPassword(file, password); err != nil {
			return "", fmt.Errorf("initial password of the admin: %w", err)
		}
	}
	if admin.Password != "" {
		if warning := PasswordWarning(admin.Password, a.admin); warning != "" && a.strictPasswords {
			return "", fmt.Errorf("ADMIN_PASSWORD %s, which PASSWORD_POLICY=strict does not allow", warning)
		} else if warning != "" {
			a.log.Warn("ADMIN_PASSWORD " + warning)
		}
	}
	if password != "" {
		if hash, err = a.changedHash(ctx, password, present); err != nil {
			return "", err
		}
	}
	_, err = a.store.EnsureAdmin(ctx, store.NewUser{
		Username: a.admin, Fullname: "Trento Default Admin", Email: admin.Email,
		PasswordHash: hash, Abilities: []int{allAll}, Enabled: true,
	})
	if clash, ok := errors.AsType[*fault.Error](err); ok && clash.Field == "email" {
		return "", fmt.Errorf("the admin named by ADMIN_USER (%s) cannot be made: ADMIN_EMAIL (%s) is the address of another user: %w", a.admin, admin.Email, err)
	}
	if err != nil {
		return "", fmt.Errorf("the admin named by ADMIN_USER (%s): %w", a.admin, err)
	}

	info, err := os.Stat(file)
	if err != nil {
		return "", nil
	}
	read, err := a.usedSince(info.ModTime())
	if err != nil {
		return "", err
	}
	if admin.Password != "" || read { // it is no longer the password, or the process has ended before the file was removed
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("outdated initial password of the admin: %w", err)
		}
		return "", nil
	}
	a.initialPassword.Store(&file)
	return file, nil
}

// usedSince reports whether the default admin has signed in after a time.
func (a *Auth) usedSince(t time.Time) (used bool, err error) {
	err = a.store.View(func(tx *store.Tx) error {
		user, err := tx.UserNamed(a.admin)
		used = err == nil && user.LastLoginAt != nil && user.LastLoginAt.After(t)
		return err
	})
	return used, err
}

// forgetInitialPassword removes the file of the generated password once the
// default admin has signed in. A sign-in does not fail because of it.
func (a *Auth) forgetInitialPassword(in store.SignIn) {
	file := a.initialPassword.Load()
	if file == nil || in.Method != store.MethodPassword {
		return
	}
	user, err := a.userNamed(a.admin)
	if err != nil || user == nil || user.ID != in.UserID || !a.initialPassword.CompareAndSwap(file, nil) {
		return
	}
	if err := os.Remove(*file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Error("the file of the initial password could not be removed", "file", *file, "error", err)
		return
	}
	a.log.Info("the default admin has signed in: the file of the initial password is removed", "file", *file)
}

// presentHash is what is stored of the password of a user.
func (a *Auth) presentHash(username string) (hash string, err error) {
	err = a.store.View(func(tx *store.Tx) error {
		user, err := tx.UserNamed(username)
		if err == nil {
			hash = user.PasswordHash
		}
		return err
	})
	return hash, err
}

// changedHash is the hash of a password, "" if it is the present one.
func (a *Auth) changedHash(ctx context.Context, password, present string) (string, error) {
	if present != "" {
		same, err := a.hasher.matches(ctx, password, present, true)
		if err != nil {
			return "", fmt.Errorf("present password of the admin: %w", err)
		}
		if same {
			return "", nil
		}
	}
	return a.HashPassword(ctx, password)
}

// writeInitialPassword writes the file anew, whatever was there.
func writeInitialPassword(file, password string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(password + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}
