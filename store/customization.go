package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
	"trento/store/check"
	"trento/store/check/script"
	"trento/store/fault"
)

// Customization are the values of a check that users have replaced for one
// cluster or host. It outlives the check, the selection and the group.
type Customization struct {
	GroupID   string        `json:"group_id"`
	CheckID   string        `json:"check_id"`
	Values    []CustomValue `json:"values"` // in the order of the check
	By        string        `json:"by"`
	UpdatedAt time.Time     `json:"updated_at"`
}

// CustomValue is a value that replaces the one of a check: an int64, a text or a
// boolean.
type CustomValue struct {
	Name  string
	Value any
}

// customValueJSON is the JSON form of a CustomValue.
type customValueJSON struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// MarshalJSON writes the name and the value.
func (v CustomValue) MarshalJSON() ([]byte, error) { return json.Marshal(customValueJSON(v)) }

// UnmarshalJSON reads what MarshalJSON has written. Numbers are whole.
func (v *CustomValue) UnmarshalJSON(data []byte) error {
	var form customValueJSON
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	*v = CustomValue{form.Name, script.FromJSON(form.Value).JSON()}
	return nil
}

// The faults of customisations. Their texts are part of the API.
var (
	ErrNoSuchCheck         = &fault.Error{Kind: fault.NotFound, Detail: "Referenced check was not found."}
	ErrNotCustomizable     = &fault.Error{Kind: fault.Forbidden, Detail: "Referenced check is not customizable."}
	ErrCustomValues        = &fault.Error{Kind: fault.Malformed, Detail: "Some of the custom values do not exist in the check, they're not customizable or a type mismatch occurred."}
	ErrNoSuchCustomization = &fault.Error{Kind: fault.NotFound, Detail: "Referenced check customization was not found."}
)

// MaxCustomText is the largest length of a customised text in characters.
const MaxCustomText = 1000

func customizationKey(group, check string) []byte { return []byte(group + "/" + check) }

// Customization returns the customised values of a check for a group, or
// ErrNotFound. It is shared and must not be modified.
func (tx *Tx) Customization(group, check string) (*Customization, error) {
	return tx.s.customizations.Get(tx.kv, customizationKey(group, check))
}

// Customizations walks all customisations, in the order of their groups and
// checks. They are shared and must not be modified.
func (tx *Tx) Customizations() iter.Seq2[*Customization, error] {
	return tx.s.customizations.All(tx.kv)
}

// CustomValues returns all customised values of a group.
func (tx *Tx) CustomValues(group string) (check.CustomValues, error) {
	custom := make(check.CustomValues)
	for c, err := range tx.s.customizations.WithPrefix(tx.kv, []byte(group+"/")) {
		if err != nil {
			return nil, err
		}
		values := make(map[string]script.Value, len(c.Values))
		for _, v := range c.Values {
			values[v.Name] = script.FromJSON(v.Value)
		}
		custom[c.CheckID] = values
	}
	return custom, nil
}

// CustomizeCheck replaces values of a check for a cluster or host. Values that
// are not given stay; nil puts a value back to that of the check. It returns
// what is customised then. about is nil if the check does not exist. Every
// fault leaves everything as it was.
func (s *Store) CustomizeCheck(ctx context.Context, by Actor, group, id string, about *check.Check, given []CustomValue) ([]CustomValue, error) {
	if about == nil {
		return nil, ErrNoSuchCheck
	}
	if !about.Customizable() {
		return nil, ErrNotCustomizable
	}
	checked := make(map[string]any)
	for _, v := range given {
		value, ok := about.CustomValue(v.Name, v.Value)
		if text, isText := value.(string); !ok || isText && len([]rune(text)) > MaxCustomText {
			return nil, ErrCustomValues
		}
		checked[v.Name] = value
	}
	var after []CustomValue
	err := s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Customization(group, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		after = mergeCustomValues(about, before, checked)
		if before != nil && slices.Equal(before.Values, after) || before == nil && len(after) == 0 {
			return nil
		}
		if len(after) == 0 {
			return tx.resetCustomization(group, id, string(about.SubjectKind()))
		}
		e := &activity.CheckCustomizationApplied{
			CustomizedCheck: activity.CustomizedCheck{CheckID: id, GroupID: group, TargetType: string(about.SubjectKind())},
			Values:          activity.Document{Value: after},
		}
		stored := &Customization{GroupID: group, CheckID: id, Values: after, By: by.Name, UpdatedAt: tx.now}
		return errors.Join(tx.s.customizations.Put(tx.kv, customizationKey(group, id), stored), tx.log(by.Name, e))
	})
	return after, err
}

// mergeCustomValues returns the customised values after some were given, in the
// order of the check. Values that the check does not have any more stay, at the
// end, for the case that it has them again.
func mergeCustomValues(about *check.Check, before *Customization, given map[string]any) []CustomValue {
	merged := make(map[string]any)
	if before != nil {
		for _, v := range before.Values {
			merged[v.Name] = v.Value
		}
	}
	for name, v := range given {
		if merged[name] = v; v == nil {
			delete(merged, name)
		}
	}
	after := []CustomValue{}
	for _, v := range about.Values {
		if value, ok := merged[v.Name]; ok {
			after = append(after, CustomValue{v.Name, value})
			delete(merged, v.Name)
		}
	}
	known := len(after)
	for name, value := range merged {
		after = append(after, CustomValue{name, value})
	}
	slices.SortFunc(after[known:], func(a, b CustomValue) int { return strings.Compare(a.Name, b.Name) })
	return after
}

// ResetCheck puts all values of a check back for a cluster or host. about is nil
// if the check does not exist any more. It fails with ErrNoSuchCustomization.
func (s *Store) ResetCheck(ctx context.Context, by Actor, group, id string, about *check.Check) error {
	kind := "unknown"
	if about != nil {
		kind = string(about.SubjectKind())
	}
	return s.update(ctx, by, func(tx *Tx) error { return tx.resetCustomization(group, id, kind) })
}

func (tx *Tx) resetCustomization(group, id, kind string) error {
	if !tx.s.customizations.Has(tx.kv, customizationKey(group, id)) {
		return ErrNoSuchCustomization
	}
	return errors.Join(
		tx.s.customizations.Delete(tx.kv, customizationKey(group, id)),
		tx.log(tx.by.Name, &activity.CheckCustomizationReset{CustomizedCheck: activity.CustomizedCheck{CheckID: id, GroupID: group, TargetType: kind}}),
	)
}

// verifyCustomizations checks that each customisation has the key of its group
// and check, and values.
func (tx *Tx) verifyCustomizations() error {
	for c, err := range tx.Customizations() {
		if err != nil {
			return err
		}
		if !tx.s.customizations.Has(tx.kv, customizationKey(c.GroupID, c.CheckID)) || len(c.Values) == 0 {
			return fmt.Errorf("customisation of check %s for %s is damaged", c.CheckID, c.GroupID)
		}
	}
	return nil
}
