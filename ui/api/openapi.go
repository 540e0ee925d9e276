package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// openapiJSON is openapi.yaml as JSON, made from it by "go test -update".
//
//go:embed openapi.json
var openapiJSON []byte

// The parts the description is handed out in, beside one for each version.
const (
	unversioned = "unversioned" // what has no version in its path
	everything  = "all"
)

// describe cuts the embedded description into a part. One that cannot be read
// does not leave the build: the tests read it, too.
func describe(part, version string) []byte {
	var whole, info, paths map[string]json.RawMessage
	decode(openapiJSON, &whole)
	decode(whole["info"], &info)
	decode(whole["paths"], &paths)
	for path := range paths {
		belongsTo := versionOf(path)
		if belongsTo == "" {
			belongsTo = unversioned
		}
		if part != belongsTo && part != everything {
			delete(paths, path)
		}
	}
	info["version"] = encode(version)
	whole["info"], whole["paths"] = encode(info), encode(paths)
	return encode(whole)
}

func decode(text []byte, into any) {
	if err := json.Unmarshal(text, into); err != nil {
		panic(fmt.Sprintf("api: embedded description: %v", err))
	}
}

func encode(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("api: embedded description: %v", err))
	}
	return text
}

// openapi answers GET /api/v1/openapi and its like: what there is to ask, for
// programs. It is cut out of the whole when somebody asks for the first time.
func (a *API) openapi(part string) func(http.ResponseWriter, *http.Request) error {
	description := sync.OnceValue(func() []byte { return describe(part, a.deps.Version) })
	return func(w http.ResponseWriter, _ *http.Request) error {
		write(w, http.StatusOK, description())
		return nil
	}
}
