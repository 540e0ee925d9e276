package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"trento/store/fault"
	"trento/store/landscape"
)

// The limits of a change of tags of several resources at once.
const (
	MaxTagged      = 500 // resources
	MaxTagsChanged = 10  // tags that are added or removed
)

// TagChange is a change of the tags of several resources of one kind. The names
// of its fields in faults are those of the API: ids, add, remove.
type TagChange struct {
	Kind        TagKind
	IDs         []string
	Add, Remove []string // tags
}

// TagOutcome says what a TagChange has done to each resource, in the order of
// their first mention. A resource that was as wanted before is in unchanged.
type TagOutcome struct{ Changed, Unchanged []string }

// Check returns the change with tags in their stored form, and each id and tag
// once. It fails with faults if the change is not valid.
func (c TagChange) Check() (TagChange, error) {
	var wrong fault.Errors
	switch {
	case len(c.IDs) == 0:
		wrong.Add("ids", "can't be blank")
	case len(c.IDs) > MaxTagged:
		wrong.Add("ids", fmt.Sprintf("should have at most %d item(s)", MaxTagged))
	}
	if len(c.Add)+len(c.Remove) == 0 {
		wrong.Add("add", "can't be blank unless remove has a tag")
	}
	c.Add, c.Remove = checkTags(&wrong, "add", c.Add), checkTags(&wrong, "remove", c.Remove)
	for i, tag := range c.Remove {
		if slices.Contains(c.Add, tag) {
			wrong.Add(fmt.Sprintf("remove/%d", i), "is also to be added")
		}
	}
	return c, wrong.Err()
}

// checkTags returns tags in their stored form, each once.
func checkTags(wrong *fault.Errors, field string, values []string) (tags []string) {
	if len(values) > MaxTagsChanged {
		wrong.Add(field, fmt.Sprintf("should have at most %d item(s)", MaxTagsChanged))
		return nil
	}
	for i, value := range values {
		tag, err := CheckTag(value)
		for _, f := range fault.Fields(err) {
			wrong.Add(fmt.Sprintf("%s/%d", field, i), f.Detail)
		}
		if err == nil && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// ChangeTags changes the tags of several resources in one transaction. If one
// of them is not registered or cannot have a tag, nothing is changed, and the
// faults name it by its place among the ids. Nothing is logged for a resource
// that is as wanted already.
func (s *Store) ChangeTags(ctx context.Context, by Actor, change TagChange) (outcome TagOutcome, err error) {
	if change, err = change.Check(); err != nil {
		return TagOutcome{}, err
	}
	err = s.update(ctx, by, func(tx *Tx) (err error) {
		outcome, err = tx.changeTags(change)
		return err
	})
	if err != nil {
		return TagOutcome{}, err
	}
	return outcome, nil
}

func (tx *Tx) changeTags(c TagChange) (outcome TagOutcome, err error) {
	tx.correlation() // all entries have the same
	var wrong fault.Errors
	seen := make(map[string]bool, len(c.IDs))
	for i, id := range c.IDs {
		if seen[id] {
			continue
		}
		seen[id] = true
		changed, err := tx.changeTagsOf(c, id)
		faults := fault.Fields(err)
		switch {
		case errors.Is(err, ErrNotFound):
			wrong.Add(fmt.Sprintf("ids/%d", i), "is not registered")
		case faults != nil:
			wrong.Add(fmt.Sprintf("ids/%d", i), faults[0].Detail)
		case err != nil:
			return TagOutcome{}, err
		case changed:
			outcome.Changed = append(outcome.Changed, id)
		default:
			outcome.Unchanged = append(outcome.Unchanged, id)
		}
	}
	return outcome, wrong.Err()
}

// changeTagsOf removes tags from a resource before it adds some, so that a tag
// can be replaced by another spelling of it.
func (tx *Tx) changeTagsOf(c TagChange, id string) (changed bool, err error) {
	if err := tx.requireTaggable(c.Kind, id); err != nil {
		return false, err
	}
	for _, tag := range c.Remove {
		removed, err := tx.deleteTag(c.Kind, id, tag)
		if err != nil {
			return false, err
		}
		changed = changed || removed
	}
	for _, tag := range c.Add {
		added, err := tx.addTag(c.Kind, id, tag, false)
		if err != nil {
			return false, describeTag(tag, err)
		}
		changed = changed || added
	}
	return changed, nil
}

// describeTag adds the tag to a fault of it.
func describeTag(tag string, err error) error {
	if faults := fault.Fields(err); faults != nil {
		return fault.Field("value", fmt.Sprintf("cannot have the tag %s, which %s", tag, faults[0].Detail))
	}
	return err
}

// WhyNoTags says why a resource with these tags cannot get others; "" if it can.
func WhyNoTags(tags []Tag, add []string) string {
	tags = slices.Clone(tags)
	for _, tag := range add {
		place, found := findTag(tags, tag)
		if found {
			continue
		}
		if detail := whyNoTag(tags, tag); detail != "" {
			return fmt.Sprintf("cannot have the tag %s, which %s", tag, detail)
		}
		tags = slices.Insert(tags, place, Tag{Value: tag})
	}
	return ""
}

// requireTaggable fails with ErrNotFound unless a resource is registered.
func (tx *Tx) requireTaggable(kind TagKind, id string) (err error) {
	switch kind {
	case HostTag:
		_, err = tx.Host(landscape.HostID(id))
	case ClusterTag:
		_, err = tx.Cluster(landscape.ClusterID(id))
	case DatabaseTag:
		_, err = tx.Database(landscape.DatabaseID(id))
	case SAPSystemTag:
		_, err = tx.SAPSystem(landscape.SAPSystemID(id))
	default:
		err = fmt.Errorf("kind of resource %q: %w", kind, ErrNotFound)
	}
	return err
}
