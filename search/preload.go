package search

import (
	"context"
	"slices"
)

// preload builds the term lists before a search needs them. The lists of ids
// come last because they take longest. BenchmarkNewTermList shows that the
// first search would otherwise wait half a second for each full segment,
// instead of 5 ms. Segments in memory are skipped because they are small and
// soon merged.
func (x *Index) preload(ctx context.Context) error {
	segments, _, release, err := x.acquireSegments()
	if err != nil {
		return err
	}
	defer release()
	for _, field := range termListFields {
		for _, s := range slices.Backward(segments) {
			if s.path == "" {
				continue
			}
			if _, err := s.termList(field); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
