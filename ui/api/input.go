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

// input reads what a request says: variables of its path, parameters of its
// query, members of its body. A handler asks for what it knows and then for the
// fault. So it names each parameter once, and what it does not ask for is
// refused.
type input struct {
	r *http.Request

	query      parameters // nil until a parameter is asked for
	queryFault error      // the query cannot be read, or asks for what there cannot be
	wrong      []problem  // with the path, the query and the headers

	body         *object   // nil until it is asked for
	bodyFault    error     // the body cannot be read
	objects      []*object // the body and those within it
	missing      []problem // members of the body
	wrongMembers []problem // what is wrong with the members there are
}

// readInput begins to read a request.
func readInput(r *http.Request) *input { return &input{r: r} }

// fault is what is wrong with the request: the first of the kinds below there
// is something of, and of that kind everything. Of what nobody has asked for
// only the first is told, in the order of the alphabet: clients rely on it.
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
			if !o.loose && !slices.Contains(o.known, name) {
				return unprocessable(unexpected(o.pointer, name))
			}
		}
	}
	if len(in.missing) > 0 {
		return unprocessable(in.missing...)
	}
	return unprocessable(in.wrongMembers...)
}

// refuse notes what is wrong with a variable, a parameter or a header.
func (in *input) refuse(name, detail string) {
	in.wrong = append(in.wrong, invalid("/"+name, detail))
}

// pathID is a variable of the path that is to be the id of something.
func pathID[ID ~string](in *input, name string) ID {
	id, ok := landscape.ParseID[ID](pathText(in.r, name))
	if !ok {
		in.refuse(name, notUUID)
	}
	return id
}

// pathNumber is a variable of the path that is to be a whole number. One that
// is too large is the largest there is, which nothing has for an id.
func (in *input) pathNumber(name string) int64 {
	n, err := strconv.ParseInt(pathText(in.r, name), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		in.refuse(name, "Invalid integer. Got: string")
	}
	return n
}

// ifMatch is the version the client believes a record has, nil where it does
// not say. Most send the number as it is, some in quotation marks.
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
