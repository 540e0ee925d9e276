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

// InitialPasswordFile is the file in the data directory with the generated
// password of the default admin.
const InitialPasswordFile = "initial-admin-password"

// Admin is the configuration of the default admin without the name, which is in
// Options.
type Admin struct {
	Email    string // address of the admin when it is created
	Password string // "" keeps the password of an existing admin, and generates one for a new admin
}

// UsernameFaults returns what is wrong with a user name, in the words of field
// errors.
func UsernameFaults(name string) []string {
	var wrong fieldFaults
	wrong.checkUsername(name)
	return faultDetails(wrong.Errors)
}

// faultDetails returns the sentences of faults, without their fields.
func faultDetails(wrong fault.Errors) []string {
	details := make([]string, len(wrong))
	for i, f := range wrong {
		details[i] = f.Detail
	}
	return details
}

// EmailFaults returns what is wrong with an e-mail address, in the words of
// field errors.
func EmailFaults(address string) []string {
	var wrong fieldFaults
	wrong.checkEmail(address)
	return faultDetails(wrong.Errors)
}

// EnsureAdmin makes sure at every start that the default admin exists, holds
// all:all, and has the configured password. A password that differs from the
// present one replaces it and ends all sessions of the admin.
//
// A new admin without a configured password gets a generated one, in a file in
// dir with mode 0600. The file is deleted at the first sign-in of the admin, so
// that it does not get into backups. EnsureAdmin returns the name of the file
// as long as it exists, else "".
func (a *Auth) EnsureAdmin(ctx context.Context, admin Admin, dir string) (file string, err error) {
	present, err := a.storedPasswordHash(a.adminName)
	missing := errors.Is(err, store.ErrNotFound)
	if err != nil && !missing {
		return "", err
	}
	if missing && a.provider != nil {
		// The first sign-in at the identity provider creates the account. A
		// password would be of no use, and the address could be taken: by the
		// admin who was there before ADMIN_USER was set to a name of the
		// provider.
		return "", nil
	}
	return a.putAdmin(ctx, admin, dir, present, missing)
}

// ResetAdmin is EnsureAdmin, except that it always replaces the password: by
// the given one, or by a generated one if that is "". It fails with faults of
// the field password if the password breaks the rules.
func (a *Auth) ResetAdmin(ctx context.Context, admin Admin, dir string) (file string, err error) {
	if admin.Password != "" {
		var wrong fieldFaults
		wrong.checkPassword(admin.Password, &admin.Password)
		a.refuseWeakPassword(&admin.Password, a.adminName, &wrong)
		if err := wrong.Err(); err != nil {
			return "", err
		}
	}
	return a.putAdmin(ctx, admin, dir, "", true)
}

// putAdmin creates or changes the default admin. If present is the hash of the
// configured password, it leaves the password alone. With generate, it
// generates a password if none is configured.
func (a *Auth) putAdmin(ctx context.Context, admin Admin, dir, present string, generate bool) (file string, err error) {
	file = filepath.Join(dir, InitialPasswordFile)
	var wrong fieldFaults
	if wrong.checkUsername(a.adminName); len(wrong.Errors) > 0 {
		return "", fmt.Errorf("the admin named by ADMIN_USER (%s): %w", a.adminName, wrong.Errors)
	}
	hash := ""
	password := admin.Password
	if password == "" && generate {
		password = GeneratePassword()
		// The file is written before the password is stored. If the process
		// ends in between, the next attempt generates another one.
		if err := writeInitialPassword(file, password); err != nil {
			return "", fmt.Errorf("initial password of the admin: %w", err)
		}
	}
	if admin.Password != "" {
		if warning := PasswordWarning(admin.Password, a.adminName); warning != "" && a.strictPasswords {
			return "", fmt.Errorf("ADMIN_PASSWORD %s, which PASSWORD_POLICY=strict does not allow", warning)
		} else if warning != "" {
			a.log.Warn("ADMIN_PASSWORD " + warning)
		}
	}
	if password != "" {
		if hash, err = a.hashIfChanged(ctx, password, present); err != nil {
			return "", err
		}
	}
	_, err = a.store.EnsureAdmin(ctx, store.NewUser{
		Username: a.adminName, Fullname: "Trento Default Admin", Email: admin.Email,
		PasswordHash: hash, Abilities: []int{abilityAll}, Enabled: true,
	})
	if clash, ok := errors.AsType[*fault.Error](err); ok && clash.Field == "email" {
		return "", fmt.Errorf("the admin named by ADMIN_USER (%s) cannot be made: ADMIN_EMAIL (%s) is the address of another user: %w", a.adminName, admin.Email, err)
	}
	if err != nil {
		return "", fmt.Errorf("the admin named by ADMIN_USER (%s): %w", a.adminName, err)
	}

	info, err := os.Stat(file)
	if err != nil {
		return "", nil
	}
	used, err := a.adminSignedInSince(info.ModTime())
	if err != nil {
		return "", err
	}
	if admin.Password != "" || used { // the file holds an old password, or the process ended before it deleted the file
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("outdated initial password of the admin: %w", err)
		}
		return "", nil
	}
	a.initialPassword.Store(&file)
	return file, nil
}

// adminSignedInSince reports whether the default admin has signed in after a
// time.
func (a *Auth) adminSignedInSince(t time.Time) (used bool, err error) {
	err = a.store.View(func(tx *store.Tx) error {
		user, err := tx.UserNamed(a.adminName)
		used = err == nil && user.LastLoginAt != nil && user.LastLoginAt.After(t)
		return err
	})
	return used, err
}

// deleteInitialPassword deletes the file of the generated password after the
// first sign-in of the default admin. An error is logged and does not fail the
// sign-in.
func (a *Auth) deleteInitialPassword(in store.SignIn) {
	file := a.initialPassword.Load()
	if file == nil || in.Method != store.MethodPassword {
		return
	}
	user, err := a.userByName(a.adminName)
	if err != nil || user == nil || user.ID != in.UserID || !a.initialPassword.CompareAndSwap(file, nil) {
		return
	}
	if err := os.Remove(*file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Error("the file of the initial password could not be removed", "file", *file, "error", err)
		return
	}
	a.log.Info("the default admin has signed in: the file of the initial password is removed", "file", *file)
}

// storedPasswordHash returns the stored password hash of a user.
func (a *Auth) storedPasswordHash(username string) (hash string, err error) {
	err = a.store.View(func(tx *store.Tx) error {
		user, err := tx.UserNamed(username)
		if err == nil {
			hash = user.PasswordHash
		}
		return err
	})
	return hash, err
}

// hashIfChanged returns the hash of a password, or "" if it is the present password.
func (a *Auth) hashIfChanged(ctx context.Context, password, present string) (string, error) {
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

// writeInitialPassword writes the file, and replaces an existing one.
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
