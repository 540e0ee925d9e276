package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"trento/packaging/config"
	"trento/store"
	"trento/store/backup"
	"trento/store/durable"
	"trento/store/fault"
)

// backupSource returns what backups of this server are made of. The generated
// secrets belong to it: without them, stored secrets cannot be decrypted.
func (s *server) backupSource() *backup.Source {
	return &backup.Source{Store: s.store, Dir: s.config.DataDir, Files: []string{config.SecretsFile}, Program: Version()}
}

// backupSchedule returns the schedule of the configuration; nil if backups are
// only made on request.
func (s *server) backupSchedule() *backup.Schedule {
	if s.config.BackupDir == "" {
		return nil
	}
	return &backup.Schedule{
		Source: s.backups, Dir: s.config.BackupDir, Interval: s.config.BackupInterval, Keep: s.config.BackupKeep,
		Passphrase: string(s.config.BackupPassphrase),
	}
}

// BackUp writes a backup of the running server of this machine, or of the data
// of a server that is stopped.
func BackUp(ctx context.Context, c config.Config, w io.Writer, passphrase string) (err error) {
	if detail := backup.PassphraseFault(passphrase); passphrase != "" && detail != "" {
		return fault.Field("passphrase", detail)
	}
	answer, err := request(ctx, c, "POST", "/api/v1/backups", map[string]any{"passphrase": nullIfEmpty(passphrase)})
	if err == nil {
		defer answer.Close()
		_, err = io.Copy(w, answer)
		return err
	}
	if !errors.Is(err, ErrNotRunning) {
		return err
	}
	s, err := openStoppedServer(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.closeAll()) }()
	b, err := s.backupSource().Prepare(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	return b.WriteTo(ctx, w, passphrase)
}

// BackUpTo is BackUp into a file, which has its name only when it is complete.
func BackUpTo(ctx context.Context, c config.Config, file, passphrase string) error {
	return durable.Stream(file, 0o600, func(w io.Writer) error { return BackUp(ctx, c, w, passphrase) })
}

func nullIfEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// openStoppedServer opens the store of a server that is stopped.
func openStoppedServer(c config.Config) (*server, error) {
	if !store.Exists(c.DataDir) {
		return nil, errNoData(c.DataDir)
	}
	s := &server{config: c, log: discardLog}
	if err := s.openFile(); err != nil {
		return nil, errors.Join(err, s.closeAll())
	}
	return s, nil
}

// Verify checks all data of a server that is stopped.
func Verify(c config.Config) error {
	s, err := openStoppedServer(c)
	if err != nil {
		return err
	}
	return errors.Join(s.store.Verify(), s.closeAll())
}

// Compact rewrites the store of a server that is stopped without its free
// space, and returns its sizes in bytes.
func Compact(c config.Config) (before, after int64, err error) {
	s, err := openStoppedServer(c)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.closeAll()) }()
	if before, err = s.store.Size(); err != nil {
		return 0, 0, err
	}
	dir, err := os.MkdirTemp(c.DataDir, "compact-*")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	compacted := filepath.Join(dir, store.FileName)
	if err := s.store.Compact(compacted); err != nil {
		return 0, 0, err
	}
	if err := backup.Check(dir, store.Options{Log: discardLog}); err != nil {
		return 0, 0, fmt.Errorf("the compacted store is not right, so the present one stays: %w", err)
	}
	info, err := os.Stat(compacted)
	if err != nil {
		return 0, 0, err
	}
	if err := copyOwner(compacted, c.DataDir); err != nil {
		return 0, 0, err
	}
	return before, info.Size(), durable.Rename(compacted, filepath.Join(c.DataDir, store.FileName))
}
