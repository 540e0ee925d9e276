package auth

import (
	"testing"

	"trento/store"
)

func TestCursor(t *testing.T) {
	f := newFixture(t)
	ada, bob := &store.User{ID: 7}, &store.User{ID: 8}
	cursor := f.SealCursor(ada, 1234)
	if place, ok := f.OpenCursor(ada, cursor); !ok || place != 1234 {
		t.Errorf("%d, %v", place, ok)
	}
	if place, ok := newFixture(t).OpenCursor(ada, cursor); !ok || place != 1234 {
		t.Errorf("after a restart: %d, %v", place, ok)
	}
	if f.SealCursor(ada, 1234) == cursor {
		t.Error("the same place looks the same twice")
	}
	if _, ok := f.OpenCursor(bob, cursor); ok {
		t.Error("somebody else can use it")
	}
	for _, odd := range []string{"", "1234", "%", cursor[1:], cursor + "AA"} {
		if place, ok := f.OpenCursor(ada, odd); ok {
			t.Errorf("%q is %d", odd, place)
		}
	}
}
