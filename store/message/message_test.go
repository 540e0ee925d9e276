package message

import (
	"slices"
	"testing"
)

// TestMessagesOfKinds checks which messages agents consume and publish for each
// kind, by the names that agents use.
func TestMessagesOfKinds(t *testing.T) {
	for kind, want := range map[Kind]struct{ consumes, publishes []string }{
		Checks:      {[]string{"Trento.Checks.V1.FactsGatheringRequested"}, []string{"Trento.Checks.V1.FactsGathered"}},
		Operations:  {[]string{"Trento.Operations.V1.OperatorExecutionRequested"}, []string{"Trento.Operations.V1.OperatorExecutionCompleted"}},
		Discoveries: {[]string{"Trento.Discoveries.V1.DiscoveryRequested"}, nil},
		"other":     {},
	} {
		if got := kind.Consumes(); !slices.Equal(got, want.consumes) {
			t.Errorf("agents consume %q of %s, want %q", got, kind, want.consumes)
		}
		if got := kind.Publishes(); !slices.Equal(got, want.publishes) {
			t.Errorf("agents publish %q of %s, want %q", got, kind, want.publishes)
		}
		if want.consumes != nil != slices.Contains(Kinds, kind) {
			t.Errorf("kinds %q; %s", Kinds, kind)
		}
	}
	for _, m := range messages {
		if got, ok := Of(m.Type); !ok || got != m {
			t.Errorf("message of type %s: %+v, %t", m.Type, got, ok)
		}
	}
}
