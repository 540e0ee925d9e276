package fault_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"trento/store/fault"
)

func TestFaultsAreFound(t *testing.T) {
	missing := fault.New(fault.NotFound, "no such user")
	tests := map[string]struct {
		err    error
		kind   fault.Kind
		ok     bool
		all    int
		fields int
		text   string
	}{
		"ours":             {io.EOF, 0, false, 0, 0, "EOF"},
		"nil":              {nil, 0, false, 0, 0, ""},
		"kind":             {missing, fault.NotFound, true, 1, 0, "no such user"},
		"kind alone":       {&fault.Error{Kind: fault.Busy}, fault.Busy, true, 1, 0, "too busy"},
		"wrapped":          {fmt.Errorf("user 7: %w", missing), fault.NotFound, true, 1, 0, "user 7: no such user"},
		"field":            {fault.Field("email", "is invalid"), fault.Invalid, true, 1, 1, "email is invalid"},
		"fields":           {fault.Errors{{Field: "email", Detail: "is invalid"}, {Field: "name", Detail: "is taken"}}.Err(), fault.Invalid, true, 2, 2, "email is invalid; name is taken"},
		"sentence":         {&fault.Error{Detail: "Code missing."}, fault.Invalid, true, 1, 0, "Code missing."},
		"cause":            {&fault.Error{Kind: fault.Malformed, Cause: io.EOF}, fault.Malformed, true, 1, 0, "EOF"},
		"field with cause": {&fault.Error{Field: "name", Detail: "is taken", Cause: missing}, fault.Invalid, true, 1, 1, "name is taken: no such user"},
		"the outer one":    {&fault.Error{Kind: fault.Stale, Cause: missing}, fault.Stale, true, 1, 0, "no such user"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if kind, ok := fault.KindOf(test.err); kind != test.kind || ok != test.ok {
				t.Errorf("kind %v %t, want %v %t", kind, ok, test.kind, test.ok)
			}
			if all, fields := fault.Of(test.err), fault.Fields(test.err); len(all) != test.all || len(fields) != test.fields {
				t.Errorf("%d faults, %d of them in fields; want %d and %d", len(all), len(fields), test.all, test.fields)
			}
			if test.err != nil && test.err.Error() != test.text {
				t.Errorf("text %q, want %q", test.err, test.text)
			}
		})
	}
	if err := fmt.Errorf("%w", fault.Errors{*missing, {Field: "a"}}.Err()); errors.Is(err, io.EOF) || !errors.Is(err, missing.Cause) {
		t.Error("the causes of several faults are not found")
	}
}

func TestErrorsAreOrdered(t *testing.T) {
	var wrong fault.Errors
	if err := wrong.Err(); err != nil {
		t.Errorf("without any: %v", err)
	}
	wrong.Add("name", "is invalid")
	wrong.Add("email", "is invalid")
	wrong.Add("name", "is too long")
	want := fault.Errors{{Field: "email", Detail: "is invalid"}, {Field: "name", Detail: "is invalid"}, {Field: "name", Detail: "is too long"}}
	if got := fault.Of(wrong.Err()); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
