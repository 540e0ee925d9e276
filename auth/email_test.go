package auth

import (
	"strings"
	"testing"
)

func TestIsEmail(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	for address, want := range map[string]bool{
		"ann@example.com":                        true,
		"Ann.Lee+x@Example.COM":                  true,
		"ann@localhost":                          true,
		"jürgen@müller.example":                  true,
		"юля@пример.рф":                          true,
		"!#$%&'*+-/=?^_`{|}~@example.com":        true,
		`"a b@c"@example.com`:                    true,
		"1@2.c3":                                 true,
		"a@xn--bcher-kva.example":                true,
		".ann.@example.com":                      true, // dots only may not follow one another
		long(64) + "@example.com":                true,
		"a@" + long(63) + ".com":                 true,
		"":                                       false,
		"ann":                                    false,
		"@example.com":                           false,
		"ann@":                                   false,
		"ann@@example.com":                       false,
		"a@b@example.com":                        false,
		"ann..lee@example.com":                   false,
		"ann lee@example.com":                    false,
		" ann@example.com":                       false,
		"ann@example.com ":                       false,
		"ann(x)@example.com":                     false,
		`"ann@example.com`:                       false,
		`""@example.com`:                         false,
		`"a"b"@example.com`:                      false,
		"\"a\nb\"@example.com":                   false,
		"ann@example..com":                       false,
		"ann@example.com.":                       false,
		"ann@.com":                               false,
		"ann@-example.com":                       false,
		"ann@example-.com":                       false,
		"ann@exa_mple.com":                       false,
		"ann@example.123":                        false,
		"ann@127.0.0.1":                          false,
		"ann@[127.0.0.1]":                        false,
		"ann@example.com\r\nBcc: b@example.com":  false,
		"a\xff@example.com":                      false,
		long(65) + "@example.com":                false,
		"a@" + long(64) + ".com":                 false,
		"a@" + strings.Repeat("abcd.", 51) + "e": false, // 256
		"a@" + strings.Repeat("abcd.", 50) + "abcde": true, // 255
		"<script>@example.com":                       false,
	} {
		if got := isEmail(address); got != want {
			t.Errorf("isEmail(%q) = %v", address, got)
		}
	}
}
