package api

import (
	"io"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"
)

// bodyBytes is the body of a request after it has been read.
type bodyBytes []byte

func (bodyBytes) Read([]byte) (int, error) { return 0, io.EOF }

func (bodyBytes) Close() error { return nil }

// pathText returns a variable of the path, unescaped.
func pathText(r *http.Request, name string) string {
	text, _ := url.PathUnescape(mux.Vars(r)[name]) // cannot fail: net/http has parsed the URL
	return text
}
