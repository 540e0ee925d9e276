package table

import (
	"slices"
	"testing"
)

func TestPagesOfAList(t *testing.T) {
	s := selection[int]{Things: []int{0, 1, 2, 3, 4, 5, 6}}
	for _, tt := range []struct {
		page, size, want int
		things           []int
	}{
		{1, 3, 1, []int{0, 1, 2}}, {2, 3, 2, []int{3, 4, 5}}, {3, 3, 3, []int{6}}, {4, 3, 3, []int{6}}, {1, 10, 1, s.Things},
	} {
		things, page := s.pageOf(ListQuery{page: tt.page, size: tt.size})
		if page != tt.want || !slices.Equal(things, tt.things) {
			t.Errorf("page %d of %d: %v on page %d", tt.page, tt.size, things, page)
		}
	}
	if things, page := (selection[int]{}).pageOf(ListQuery{page: 5, size: 3}); len(things) != 0 || page != 1 {
		t.Errorf("page of nothing: %v on page %d", things, page)
	}
}
