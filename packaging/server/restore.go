package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"trento/auth"
	"trento/packaging/config"
	"trento/store"
	"trento/store/backup"
)

// discardLog is the logger for commands, which print their messages instead of
// logging them.
var discardLog = slog.New(slog.DiscardHandler)

// exchangedFiles are the files and directories in the data directory that
// belong to one store. A restore replaces them together, because an index or a
// password file of another store would be wrong.
var exchangedFiles = []string{store.FileName, config.SecretsFile, indexDir, auth.InitialPasswordFile}

// Restored says what a restore did.
type Restored struct {
	Manifest backup.Manifest
	Replaced string // directory with the data from before; "" if there were none
}

// CheckBackup reads a backup and verifies it as Restore does, without changing
// anything. The directory for temporary files (TMPDIR) needs the space
// of the data.
func CheckBackup(r io.Reader, passphrase string) (m *backup.Manifest, err error) {
	dir, err := os.MkdirTemp("", "trento-backup-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return extractBackup(r, passphrase, dir)
}

// extractBackup writes the files of a backup into a directory and verifies them.
func extractBackup(r io.Reader, passphrase, dir string) (*backup.Manifest, error) {
	m, err := backup.Extract(r, passphrase, dir, []string{config.SecretsFile})
	if err != nil {
		return nil, err
	}
	if err := backup.Check(dir, store.Options{Log: discardLog, Program: Version()}); err != nil {
		return nil, fmt.Errorf("the data in the backup are not right: %w", err)
	}
	return m, nil
}

// Restore replaces the data of a server that is stopped by those of a backup,
// after it has verified them. The data from before are kept in a directory
// beside them, for UndoRestore.
func Restore(c config.Config, r io.Reader, passphrase string) (done *Restored, err error) {
	release, err := lockDataDir(c.DataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	dir, err := os.MkdirTemp(c.DataDir, "restore-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, err := extractBackup(r, passphrase, dir)
	if err != nil {
		return nil, err
	}
	for _, name := range exchangedFiles {
		if err := copyOwner(filepath.Join(dir, name), c.DataDir); err != nil {
			return nil, err
		}
	}
	replaced, err := exchangeData(c.DataDir, dir)
	if err != nil {
		return nil, err
	}
	return &Restored{Manifest: *m, Replaced: replaced}, nil
}

// UndoRestore puts back the data that the latest restore has replaced, and keeps
// the present data in the same way. So a second call undoes the first.
func UndoRestore(c config.Config) (replaced string, err error) {
	release, err := lockDataDir(c.DataDir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, release()) }()
	former, err := backup.LatestReplaced(c.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no restore has replaced anything in %s", c.DataDir)
	}
	if err != nil {
		return "", err
	}
	if replaced, err = exchangeData(c.DataDir, former); err != nil {
		return "", err
	}
	return replaced, os.Remove(former)
}

// exchangeData calls backup.Replace, and gives the new directory the owner of
// the data directory.
func exchangeData(dir, from string) (replaced string, err error) {
	if replaced, err = backup.Replace(dir, from, exchangedFiles, time.Now()); err != nil || replaced == "" {
		return "", err
	}
	return replaced, copyOwner(replaced, dir)
}

// lockDataDir makes sure that no server uses a data directory until the caller calls
// release. It creates the directory if it is missing. It also locks data
// that are damaged, because these have to be restored.
func lockDataDir(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if !store.Exists(dir) {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(filepath.Join(dir, store.FileName), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) // as bbolt does
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("the data directory %s is in use by a trento-web; stop it first: systemctl stop trento-web", dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// copyOwner gives a file or directory the owner of the data directory, so that the
// server can read what root has written for it.
func copyOwner(path, dataDir string) error {
	info, err := os.Stat(dataDir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	err = os.Lchown(path, int(owner.Uid), int(owner.Gid))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
