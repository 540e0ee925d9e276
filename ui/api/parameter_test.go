package api

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestQueryList reads lists in all the ways in which clients write them.
func TestQueryList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", nil},
		{"a=x", []string{"x"}},
		{"a=x&a=y", []string{"x", "y"}},
		{"a[]=x&a[]=y", []string{"x", "y"}},
		{"a=[x+y]", []string{"x", "y"}},
		{"a=%5Bx%5D", []string{"x"}},
		{"a=[]", []string{}},
		{"a=[x", []string{"[x"}},
		{"a=x]", []string{"x]"}},
		{"a=[x]&a=y", []string{"[x]", "y"}},
		{"a[]=[x]", []string{"[x]"}},
		{"a=x+y", []string{"x y"}},
	} {
		in := readInput(httptest.NewRequest("GET", "/?"+tt.query, nil))
		if diff := cmp.Diff(tt.want, in.queryList("a")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.query, diff)
		}
	}
}
