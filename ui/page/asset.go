package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"trento/store"
)

// Assets are the style and script of the console, built at the start. The path
// of each contains its hash, so browsers can keep it forever.
type Assets struct {
	Files map[string]asset // by file name
	Icon  []byte           // SVG
}

// asset is a file.
type asset struct {
	Address     string // "/static/3fa1…/app.css"
	contentType string
	etag        string // weak, because compressed and uncompressed answers share it
	Body        []byte
	// gzipped is Body, compressed as strongly as gzip can. That takes longer than
	// for pages, but only once, and saves 7 % (BenchmarkCompression).
	gzipped []byte
}

// The names of the files that every page loads.
const (
	StyleFile  = "app.css"
	ScriptFile = "app.js"
)

// LoadAssets builds style and script from the files of all parts of the
// console.
func LoadAssets(files RoomFiles) (Assets, error) {
	style, err := bundleStyle(files, StyleFile)
	if err != nil {
		return Assets{}, fmt.Errorf("style: %w", err)
	}
	script, err := bundleScript(files, strings.TrimSuffix(ScriptFile, ".js"))
	if err != nil {
		return Assets{}, fmt.Errorf("script: %w", err)
	}
	a := Assets{Files: make(map[string]asset)}
	a.Files[StyleFile] = newAsset(StyleFile, "text/css; charset=utf-8", style)
	a.Files[ScriptFile] = newAsset(ScriptFile, "text/javascript; charset=utf-8", script)
	a.Icon, err = fs.ReadFile(files, "icon.svg")
	return a, err
}

func newAsset(name, contentType string, body []byte) asset {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:8])
	return asset{Address: "/static/" + hash + "/" + name, contentType: contentType, etag: `W/"` + hash + `"`, Body: body, gzipped: gzipped(body)}
}

func gzipped(body []byte) []byte {
	var compressed bytes.Buffer
	// Neither writing to memory nor a known level can fail.
	w, _ := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	_, _ = w.Write(body)
	_ = w.Close()
	return compressed.Bytes()
}

// acceptsGzip reports whether a client accepts answers compressed with gzip.
func acceptsGzip(r *http.Request) bool {
	for element := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, quality, _ := strings.Cut(strings.ReplaceAll(element, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") {
			return strings.Trim(strings.TrimPrefix(quality, "q="), "0.") != "" || quality == ""
		}
	}
	return false
}

// Serve answers GET /static/{hash}/{file}. A hash of another version is
// answered without caching, for pages that were open during an upgrade.
func (a Assets) Serve(w http.ResponseWriter, r *http.Request) error {
	file, ok := a.Files[path.Base(r.URL.Path)]
	if !ok {
		return fmt.Errorf("file %s: %w", r.URL.Path, store.ErrNotFound)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if r.URL.Path == file.Address {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("ETag", file.etag)
	if r.Header.Get("If-None-Match") == file.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", file.contentType)
	body := file.Body
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = file.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return IgnoreGone(err)
}
