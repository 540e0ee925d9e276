package page

import "testing"

// TestAnswersAreBounded checks that the oldest answers are forgotten.
func TestAnswersAreBounded(t *testing.T) {
	var a keptAnswers
	first := a.keep(&keptAnswer{session: [32]byte{1}, path: "/x"})
	for range maxSessionAnswers {
		a.keep(&keptAnswer{session: [32]byte{1}, path: "/x"})
	}
	if a.get([32]byte{1}, "/x", first) != nil {
		t.Error("the first answer of a session is kept")
	}
	for i := range 2 * maxAnswers {
		a.keep(&keptAnswer{session: [32]byte{2, byte(i), byte(i >> 8)}, path: "/x"})
	}
	if len(a.all) != maxAnswers {
		t.Errorf("%d answers are kept", len(a.all))
	}
}
