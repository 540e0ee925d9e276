package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"trento/auth"
	"trento/store/activity"
	"trento/store/backup"
)

// backUp answers POST /api/v1/backups with a backup of all data.
func (a *API) backUp(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	passphrase := ""
	if given := optional(in.optionalObject(), "passphrase", asPassphrase); given != nil {
		passphrase = *given
	}
	if err := in.fault(); err != nil {
		return err
	}
	return SendBackup(w, r, a.deps.Backup, a.deps.Log, passphrase)
}

// asPassphrase reads the passphrase of a backup. null means none.
func asPassphrase(at place, value json.RawMessage) string {
	if string(value) == "null" {
		return ""
	}
	passphrase := asText(at, value)
	if detail := backup.PassphraseFault(passphrase); detail != "" {
		at.refuse(detail)
	}
	return passphrase
}

// SendBackup answers a request with a backup, encrypted unless the passphrase is
// "", and logs it. The backup contains all secrets of the server, so the caller
// must have checked that the user has all permissions.
func SendBackup(w http.ResponseWriter, r *http.Request, source *backup.Source, log *slog.Logger, passphrase string) error {
	b, err := source.Prepare(r.Context())
	if err != nil {
		return err
	}
	defer b.Close()
	if err := source.Store.LogBackup(r.Context(), auth.From(r.Context()).Actor(), activity.BackupDownload, b.Manifest.Size(), passphrase != ""); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": backup.FileName(b.Manifest.CreatedAt)}))
	h.Set("Cache-Control", "no-store")
	if err := b.WriteTo(r.Context(), &slowWriter{w: w, out: http.NewResponseController(w)}, passphrase); err != nil {
		log.Warn("backup was cut short", "id", w.Header().Get(RequestIDHeader), "error", err)
		panic(http.ErrAbortHandler) // the client must not take it for a whole one
	}
	return nil
}

// pieceTimeout is how long a client may take for one piece of a long answer.
const pieceTimeout = 30 * time.Second

// slowWriter writes an answer that has no deadline as a whole. Each piece has
// one.
type slowWriter struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

func (s *slowWriter) Write(p []byte) (int, error) {
	if err := s.out.SetWriteDeadline(time.Now().Add(pieceTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return s.w.Write(p)
}
