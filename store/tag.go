package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
)

// TagKind is what kind of thing a tag is on.
type TagKind string

// The kinds of things that can be tagged.
const (
	HostTag      TagKind = "host"
	ClusterTag   TagKind = "cluster"
	DatabaseTag  TagKind = "database"
	SAPSystemTag TagKind = "sap_system"
)

// Tags are the tags of one thing. They outlive it: a host that was cleaned up
// and comes back has them again.
type Tags struct {
	Kind     TagKind `json:"kind"`
	Resource string  `json:"resource"` // id of the thing
	Tags     []Tag   `json:"tags"`     // in alphabetical order
}

// Tag is a word somebody put on a thing.
type Tag struct {
	ID         uint64    `json:"id"`
	Value      string    `json:"value"`
	InsertedAt time.Time `json:"inserted_at"`
}

// MaxTag is the length of a tag in characters, and maxTags how many a thing
// can have.
const (
	MaxTag  = 255
	maxTags = 100
)

// CheckTag brings a tag into the form in which it is stored, or says what is
// wrong with it: letters and digits of any script and + - = . , _ : @ make a
// tag.
func CheckTag(value string) (string, error) {
	value = NormalName(value)
	switch {
	case value == "":
		return "", fault.Field("value", "can't be blank")
	case utf8.RuneCountInString(value) > MaxTag:
		return "", fault.Field("value", fmt.Sprintf("should be at most %d character(s)", MaxTag))
	case strings.ContainsFunc(value, notInTag) || CheckName(value) != "":
		return "", fault.Field("value", "has invalid format")
	}
	return value, nil
}

func notInTag(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("+-=.,_:@", r)
}

func tagsKey(kind TagKind, id string) []byte { return []byte(string(kind) + "/" + id) }

// Tags returns the tags of a thing. Like all records they are shared.
func (tx *Tx) Tags(kind TagKind, id string) ([]Tag, error) {
	key := tagsKey(kind, id)
	if !tx.s.tags.Has(tx.kv, key) { // most things have none: no error is made of that
		return nil, nil
	}
	t, err := tx.s.tags.Get(tx.kv, key)
	if err != nil {
		return nil, err
	}
	return t.Tags, nil
}

// AddTag puts a tag on a thing. One that is there already is only logged
// again; one that cannot be told apart from another of the thing is refused.
// Whether the thing exists is not asked: its tags may come first.
func (s *Store) AddTag(ctx context.Context, by Actor, kind TagKind, id, value string) error {
	tag, err := CheckTag(value)
	if err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		tags, err := tx.Tags(kind, id)
		if err != nil {
			return err
		}
		place, found := findTag(tags, tag)
		if !found {
			if len(tags) >= maxTags {
				return fault.Field("value", fmt.Sprintf("is one too many: a resource has at most %d tags", maxTags))
			}
			wanted := looksOf(tag)
			for _, t := range tags {
				if wanted.match(looksOf(t.Value)) {
					return fault.Field("value", takenDetail(tag, t.Value))
				}
			}
			sequence, err := tx.s.tags.NextSequence(tx.kv)
			if err != nil {
				return err
			}
			tags = slices.Insert(slices.Clone(tags), place, Tag{ID: sequence, Value: tag, InsertedAt: tx.now.UTC()})
			if err := tx.s.tags.Put(tx.kv, tagsKey(kind, id), &Tags{Kind: kind, Resource: id, Tags: tags}); err != nil {
				return err
			}
		}
		return tx.log(tx.by.Name, &activity.ResourceTagging{TaggedResource: tx.tagged(kind, id), Tag: tag})
	})
}

// DeleteTag takes a tag off a thing, or fails with ErrNotFound.
func (s *Store) DeleteTag(ctx context.Context, by Actor, kind TagKind, id, tag string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		tags, err := tx.Tags(kind, id)
		if err != nil {
			return err
		}
		place, found := findTag(tags, tag)
		if !found {
			return fmt.Errorf("tag %q: %w", tag, ErrNotFound)
		}
		tags = slices.Delete(slices.Clone(tags), place, place+1)
		if err := tx.s.tags.Put(tx.kv, tagsKey(kind, id), &Tags{Kind: kind, Resource: id, Tags: tags}); err != nil {
			return err
		}
		return tx.log(tx.by.Name, &activity.ResourceUntagging{TaggedResource: tx.tagged(kind, id), Tag: tag})
	})
}

func findTag(tags []Tag, value string) (place int, found bool) {
	return slices.BinarySearchFunc(tags, value, func(t Tag, value string) int { return strings.Compare(t.Value, value) })
}

// tagged is a thing in the words of the activity log.
func (tx *Tx) tagged(kind TagKind, id string) activity.TaggedResource {
	r := activity.TaggedResource{ResourceID: id, ResourceType: string(kind)}
	switch kind {
	case HostTag:
		if h, err := tx.storedHost(landscape.HostID(id)); err == nil {
			r.Hostname = h.Hostname
		}
	case ClusterTag:
		if c, err := tx.storedCluster(landscape.ClusterID(id)); err == nil {
			r.Name = activity.Nullable[string]{Given: true, Value: c.Name}
		}
	case DatabaseTag:
		if db, err := tx.storedDatabase(landscape.DatabaseID(id)); err == nil {
			r.SID = db.SID
		}
	case SAPSystemTag:
		if s, err := tx.storedSAPSystem(landscape.SAPSystemID(id)); err == nil {
			r.SID = s.SID
		}
	}
	return r
}
