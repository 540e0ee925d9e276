package api

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/store/landscape"
)

// input reads a request: variables of its path, parameters of its query,
// members of its body. A handler first reads all members and parameters that it
// accepts, and then calls fault. fault refuses all other members and parameters
// as unexpected.
type input struct {
	r *http.Request

	query      parameters // nil until a parameter is read
	queryFault error      // the query cannot be parsed or exceeds a limit
	wrong      []problem  // faults of path, query and headers

	body         *object   // nil until it is read
	bodyFault    error     // the body cannot be read
	objects      []*object // the body and the objects within it
	missing      []problem // faults of required members that are missing in the body
	wrongMembers []problem // faults of the members of the body
}

// readInput returns the reader of a request.
func readInput(r *http.Request) *input { return &input{r: r} }

// fault returns the faults of the request. It checks one kind of fault after
// the other, in the order below, and returns only the first kind that it finds.
// Of unexpected names it returns only the alphabetically first, as existing
// clients expect.
func (in *input) fault() error {
	if name, ok := in.query.unexpected(); ok {
		return unprocessable(unexpected("", name))
	}
	if len(in.wrong) > 0 {
		return unprocessable(in.wrong...)
	}
	if in.queryFault != nil {
		return in.queryFault
	}
	if in.bodyFault != nil {
		return in.bodyFault
	}
	for _, o := range in.objects {
		for _, name := range slices.Sorted(maps.Keys(o.members)) {
			if !o.lenient && !slices.Contains(o.handledMembers, name) {
				return unprocessable(unexpected(o.pointer, name))
			}
		}
	}
	if len(in.missing) > 0 {
		return unprocessable(in.missing...)
	}
	return unprocessable(in.wrongMembers...)
}

// refuse records a fault of a variable, a parameter or a header.
func (in *input) refuse(name, detail string) {
	in.wrong = append(in.wrong, invalid("/"+name, detail))
}

// pathID reads a variable of the path that is an id.
func pathID[ID ~string](in *input, name string) ID {
	id, ok := landscape.ParseID[ID](pathText(in.r, name))
	if !ok {
		in.refuse(name, notUUID)
	}
	return id
}

// pathNumber reads a variable of the path that is an integer. An integer that
// is too large becomes the largest int64, which is no id.
func (in *input) pathNumber(name string) int64 {
	n, err := strconv.ParseInt(pathText(in.r, name), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		in.refuse(name, "Invalid integer. Got: string")
	}
	return n
}

// ifMatch returns the version in the header If-Match, or nil without that
// header. Most clients send the bare number, some send it in quotation marks.
func (in *input) ifMatch() *int {
	values := in.r.Header.Values("If-Match")
	if len(values) == 0 {
		return nil
	}
	text := values[0]
	if len(text) > 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		text = text[1 : len(text)-1]
	}
	version, err := strconv.Atoi(text)
	if err != nil || len(values) > 1 {
		in.refuse("if-match", "Invalid integer. Got: string")
	}
	return &version
}
