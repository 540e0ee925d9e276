package ui

import (
	"bytes"
	"compress/gzip"
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

// asset is a file, as it is and compressed. Of zstd only the slowest level makes
// these files as small as gzip does, and it takes half a second.
type asset struct {
	address        string // "/static/3fa1…/app.css"
	contentType    string
	hash           string
	plain, gzipped []byte
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
	if a.files[styleFile], err = newAsset(styleFile, "text/css; charset=utf-8", style); err != nil {
		return assets{}, err
	}
	if a.files[scriptFile], err = newAsset(scriptFile, "text/javascript; charset=utf-8", script); err != nil {
		return assets{}, err
	}
	a.icon, err = fs.ReadFile(static, "icon.svg")
	return a, err
}

func newAsset(name, contentType string, body []byte) (asset, error) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:8])
	var gzipped bytes.Buffer
	out, err := gzip.NewWriterLevel(&gzipped, gzip.BestCompression)
	if err != nil {
		return asset{}, err
	}
	if _, err := out.Write(body); err != nil {
		return asset{}, err
	}
	if err := out.Close(); err != nil {
		return asset{}, err
	}
	return asset{address: "/static/" + hash + "/" + name, contentType: contentType, hash: hash, plain: body, gzipped: gzipped.Bytes()}, nil
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
	body, etag := file.plain, `"`+file.hash+`"`
	if acceptsGzip(r) {
		body, etag = file.gzipped, `"`+file.hash+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", file.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return ignoreGone(err)
}

// acceptsGzip reports whether a request takes a file compressed.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, quality, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		_, q, _ := strings.Cut(quality, "=")
		weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return err != nil || weight > 0
	}
	return false
}
