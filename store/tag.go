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

// TagKind is the kind of a tagged resource.
type TagKind string

// The kinds of resources that can have tags.
const (
	HostTag      TagKind = "host"
	ClusterTag   TagKind = "cluster"
	DatabaseTag  TagKind = "database"
	SAPSystemTag TagKind = "sap_system"
)

// Tags are the tags of one resource. They are kept when the resource is cleaned
// up, so it has them again if it comes back.
type Tags struct {
	Kind     TagKind `json:"kind"`
	Resource string  `json:"resource"` // id of the resource
	Tags     []Tag   `json:"tags"`     // in alphabetical order
}

// Tag is a word that a user has put on a resource.
type Tag struct {
	ID         uint64    `json:"id"`
	Value      string    `json:"value"`
	InsertedAt time.Time `json:"inserted_at"`
}

// MaxTag is the largest length of a tag in characters. maxTags is the largest
// number of tags of a resource.
const (
	MaxTag  = 255
	maxTags = 100
)

// CheckTag returns a tag in its stored form. It fails with a fault of value if
// the tag contains other characters than letters and digits of any script and +
// - = . , _ : @
func CheckTag(value string) (string, error) {
	value = NormalName(value)
	switch {
	case value == "":
		return "", fault.Field("value", "can't be blank")
	case utf8.RuneCountInString(value) > MaxTag:
		return "", fault.Field("value", fmt.Sprintf("should be at most %d character(s)", MaxTag))
	case strings.ContainsFunc(value, isForbiddenInTag) || CheckName(value) != "":
		return "", fault.Field("value", "has invalid format")
	}
	return value, nil
}

func isForbiddenInTag(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("+-=.,_:@", r)
}

func tagsKey(kind TagKind, id string) []byte { return []byte(string(kind) + "/" + id) }

// Tags returns the tags of a resource. They are shared and must not be
// modified.
func (tx *Tx) Tags(kind TagKind, id string) ([]Tag, error) {
	key := tagsKey(kind, id)
	if !tx.s.tags.Has(tx.kv, key) { // most resources have no tags, and building the error of Get is slow
		return nil, nil
	}
	t, err := tx.s.tags.Get(tx.kv, key)
	if err != nil {
		return nil, err
	}
	return t.Tags, nil
}

// AddTag puts a tag on a resource. A tag that the resource already has is
// logged again. AddTag fails with a fault of value if the tag is not valid,
// looks like another tag of the resource, or is one too many. The resource need
// not exist: its tags may be added first.
func (s *Store) AddTag(ctx context.Context, by Actor, kind TagKind, id, value string) error {
	tag, err := CheckTag(value)
	if err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		_, err := tx.addTag(kind, id, tag, true)
		return err
	})
}

// addTag puts a tag, which must be in its stored form, on a resource. It returns
// false if the resource had the tag already, and then logs that only if
// logAgain is set.
func (tx *Tx) addTag(kind TagKind, id, tag string, logAgain bool) (added bool, err error) {
	tags, err := tx.Tags(kind, id)
	if err != nil {
		return false, err
	}
	place, found := findTag(tags, tag)
	if found && !logAgain {
		return false, nil
	}
	if !found {
		if detail := whyNoTag(tags, tag); detail != "" {
			return false, fault.Field("value", detail)
		}
		sequence, err := tx.s.tags.NextSequence(tx.kv)
		if err != nil {
			return false, err
		}
		tags = slices.Insert(slices.Clone(tags), place, Tag{ID: sequence, Value: tag, InsertedAt: tx.now.UTC()})
		if err := tx.s.tags.Put(tx.kv, tagsKey(kind, id), &Tags{Kind: kind, Resource: id, Tags: tags}); err != nil {
			return false, err
		}
	}
	return !found, tx.log(tx.by.Name, &activity.ResourceTagging{TaggedResource: tx.taggedResource(kind, id), Tag: tag})
}

// whyNoTag says why a resource with these tags cannot have another one; "" if
// it can.
func whyNoTag(tags []Tag, tag string) string {
	if len(tags) >= maxTags {
		return fmt.Sprintf("is one too many: a resource has at most %d tags", maxTags)
	}
	wanted := appearanceOf(tag)
	for _, t := range tags {
		if wanted.looksLike(appearanceOf(t.Value)) {
			return takenDetail(tag, t.Value)
		}
	}
	return ""
}

// DeleteTag removes a tag from a resource, or fails with ErrNotFound.
func (s *Store) DeleteTag(ctx context.Context, by Actor, kind TagKind, id, tag string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		removed, err := tx.deleteTag(kind, id, tag)
		if err == nil && !removed {
			err = fmt.Errorf("tag %q: %w", tag, ErrNotFound)
		}
		return err
	})
}

// deleteTag removes a tag from a resource. It returns false if the resource
// does not have the tag.
func (tx *Tx) deleteTag(kind TagKind, id, tag string) (removed bool, err error) {
	tags, err := tx.Tags(kind, id)
	if err != nil {
		return false, err
	}
	place, found := findTag(tags, tag)
	if !found {
		return false, nil
	}
	tags = slices.Delete(slices.Clone(tags), place, place+1)
	if err := tx.s.tags.Put(tx.kv, tagsKey(kind, id), &Tags{Kind: kind, Resource: id, Tags: tags}); err != nil {
		return false, err
	}
	return true, tx.log(tx.by.Name, &activity.ResourceUntagging{TaggedResource: tx.taggedResource(kind, id), Tag: tag})
}

func findTag(tags []Tag, value string) (place int, found bool) {
	return slices.BinarySearchFunc(tags, value, func(t Tag, value string) int { return strings.Compare(t.Value, value) })
}

// taggedResource returns a resource as the activity log shows it.
func (tx *Tx) taggedResource(kind TagKind, id string) activity.TaggedResource {
	r := activity.TaggedResource{ResourceID: id, ResourceType: string(kind), CorrelationID: tx.by.Correlation}
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
