package activity

import (
	"regexp"
	"slices"
	"testing"
)

// neverWritten are the types that this product never writes. They have no topic
// that programs could choose.
func neverWritten(t Type) bool {
	return regexp.MustCompile(`_(tombstoned|roll_up_requested|rolled_up|instance_health_changed)$`).MatchString(string(t))
}

// TestTopics checks that every type that is written has exactly one topic, and
// that a topic is either for everybody or for those who manage users.
func TestTopics(t *testing.T) {
	t.Parallel()
	topicsOf := make(map[Type][]Topic)
	for _, d := range topics {
		if !regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`).MatchString(string(d.topic)) || d.label == "" {
			t.Errorf("topic %q, label %q", d.topic, d.label)
		}
		for _, of := range d.types {
			topicsOf[of] = append(topicsOf[of], d.topic)
			if !of.Known() {
				t.Errorf("%s: no type %q", d.topic, of)
			}
			if of.UserManagement() != d.topic.UserManagement() {
				t.Errorf("%s: %s has another audience than its topic", d.topic, of)
			}
		}
	}
	for _, of := range Types() {
		want := 1
		if neverWritten(of) {
			want = 0
		}
		if len(topicsOf[of]) != want {
			t.Errorf("%s has the topics %q, want %d", of, topicsOf[of], want)
		}
	}
	if len(definitionByTopic) != len(topics) || TopicOther.Known() {
		t.Error("a topic is defined twice, or can be chosen although nothing has it")
	}
	if got := Type("of tomorrow").Topic(); got != TopicOther {
		t.Errorf("an unknown type has the topic %q", got)
	}
	if !slices.Equal(Topics()[:2], []Topic{"host.registered", "host.changed"}) {
		t.Errorf("topics begin with %v", Topics()[:2])
	}
}
