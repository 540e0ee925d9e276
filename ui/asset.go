package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"trento/store"
)

//go:embed static
var staticFiles embed.FS

// assets are the style and the script of the console, made at the start. The
// path of each names its content: it never changes under its address, so
// browsers keep it for good.
type assets struct {
	files map[string]asset // by file name
	icon  []byte           // SVG
}

// asset is a file.
type asset struct {
	address     string // "/static/3fa1…/app.css"
	contentType string
	etag        string // weak, since it is the same whether the file is compressed or not
	body        []byte
}

const (
	styleFile  = "app.css"
	scriptFile = "app.js"
)

func loadAssets() (assets, error) {
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return assets{}, err
	}
	style, err := bundleStyle(static, styleFile)
	if err != nil {
		return assets{}, fmt.Errorf("style: %w", err)
	}
	script, err := bundleScript(static, strings.TrimSuffix(scriptFile, ".js"))
	if err != nil {
		return assets{}, fmt.Errorf("script: %w", err)
	}
	a := assets{files: make(map[string]asset)}
	a.files[styleFile] = newAsset(styleFile, "text/css; charset=utf-8", style)
	a.files[scriptFile] = newAsset(scriptFile, "text/javascript; charset=utf-8", script)
	a.icon, err = fs.ReadFile(static, "icon.svg")
	return a, err
}

func newAsset(name, contentType string, body []byte) asset {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:8])
	return asset{address: "/static/" + hash + "/" + name, contentType: contentType, etag: `W/"` + hash + `"`, body: body}
}

// serve answers GET /static/{hash}/{file}. A hash of another version is
// answered too, but not kept: during an upgrade an old page may still ask.
func (a assets) serve(w http.ResponseWriter, r *http.Request) error {
	file, ok := a.files[path.Base(r.URL.Path)]
	if !ok {
		return fmt.Errorf("file %s: %w", r.URL.Path, store.ErrNotFound)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if r.URL.Path == file.address {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("ETag", file.etag)
	if r.Header.Get("If-None-Match") == file.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", file.contentType)
	h.Set("Content-Length", strconv.Itoa(len(file.body)))
	_, err := w.Write(file.body)
	return ignoreGone(err)
}
