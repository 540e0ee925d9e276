package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// minCompressed is the size from which on an answer is compressed, in bytes:
// what fits one packet is not made faster.
const minCompressed = 1024

// compressed are the types of answers worth compressing. Event streams are
// none of them: a compressor kept for every open tab would take some hundred
// kilobytes each, for events of some hundred bytes.
var compressed = []string{"text/html", "text/css", "text/csv", "text/javascript", "text/plain", "application/json", "application/jsonl", "application/problem+json", "image/svg+xml"}

// compress compresses answers to GET where the client takes gzip, files of the
// console included. By BenchmarkCompression, zstd would save 0.2 ms a page and
// make it no smaller, and files compressed once, as small as gzip can, would save
// 7 % of their bytes: neither is worth a second compressor.
//
// Answers to other methods are left as they are: they are short, they are
// where new secrets are shown, and agents come every few seconds. So are the
// answers of routes that are api.Uncompressed.
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.EnableZstd(false), gzhttp.SetContentType(false), gzhttp.ContentTypeFilter(func(contentType string) bool {
		mediaType, _, _ := strings.Cut(contentType, ";")
		return slices.Contains(compressed, mediaType)
	}))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	wrapped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		wrapped.ServeHTTP(w, r)
	}), nil
}
