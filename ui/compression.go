package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// minCompressed is the smallest answer that is compressed, in bytes. An answer
// that fits into one packet does not get faster.
const minCompressed = 1024

// compressedTypes are the types of answers that are compressed. Event streams are
// not: a compressor for every open tab would take some hundred kilobytes, for
// events of some hundred bytes.
var compressedTypes = []string{"text/html", "text/css", "text/csv", "text/javascript", "text/plain", "application/json", "application/jsonl", "application/problem+json", "image/svg+xml"}

// compress compresses answers to GET if the client accepts gzip. By
// BenchmarkCompression, zstd would save 0.2 ms a page and make it no smaller,
// which is not worth a second compressor. The files of the console come
// compressed already, see page.Assets.
//
// Answers to other methods are not compressed: they are short, they show new
// secrets, and agents cause them every few seconds. Answers of routes marked
// api.Uncompressed are not compressed either.
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.EnableZstd(false), gzhttp.SetContentType(false), gzhttp.ContentTypeFilter(func(contentType string) bool {
		mediaType, _, _ := strings.Cut(contentType, ";")
		return slices.Contains(compressedTypes, mediaType)
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
