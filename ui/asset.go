package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"trento/store"
)

//go:embed static
var staticFiles embed.FS

// assets are the static files, under a path that names their content: they
// never change under their address, so browsers keep them for good. One hash
// covers all of them, so that our modules can import each other by file name.
type assets struct {
	prefix string // "/static/3fa1…", without a slash at the end
	files  map[string]asset
}

type asset struct {
	contentType string
	body        []byte
}

// assetTypes are the types of the files we have. Systems differ in what they
// know, so none is asked.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func loadAssets() (assets, error) {
	a := assets{files: make(map[string]asset)}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum.Write([]byte(name))
		sum.Write(body)
		a.files[path.Base(name)] = asset{assetTypes[path.Ext(name)], body}
		return nil
	})
	a.prefix = "/static/" + hex.EncodeToString(sum.Sum(nil))[:16]
	return a, err
}

// serve answers GET /static/{hash}/{file}. A hash of another version is
// answered too, but not kept: during an upgrade an old page may still ask.
func (a assets) serve(w http.ResponseWriter, r *http.Request) error {
	dir, name := path.Split(r.URL.Path)
	file, ok := a.files[name]
	if !ok {
		return fmt.Errorf("file %s: %w", name, store.ErrNotFound)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if strings.TrimSuffix(dir, "/") == a.prefix {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("ETag", `"`+path.Base(a.prefix)+`"`)
	h.Set("Content-Type", file.contentType)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.body))
	return nil
}
