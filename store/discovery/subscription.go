package discovery

import (
	"cmp"
	"strconv"

	"trento/store/landscape"
)

// decodeSubscriptions reads a subscription_discovery; nil for a host without
// subscriptions. If an identifier is repeated, the last subscription counts.
func decodeSubscriptions(payload value, r *findings) ([]landscape.Subscription, error) {
	if !payload.isArray() {
		return nil, errUnknownForm()
	}
	var list []landscape.Subscription
	place := make(map[string]int)
	for i, element := range payload.elements() {
		if !element.isObject() {
			r.omit("/"+strconv.Itoa(i), notObject, element)
			continue
		}
		s, ok := readElement(element, i, r).subscription()
		if !ok {
			continue
		}
		if known, repeated := place[s.Identifier]; repeated {
			list[known] = s
			continue
		}
		place[s.Identifier] = len(list)
		list = append(list, s)
	}
	return list, nil
}

// subscription reads a subscription. It returns false if the identifier is
// missing.
func (f *fields) subscription() (landscape.Subscription, bool) {
	identifier := f.expectedText("identifier")
	if identifier == "" {
		return landscape.Subscription{}, false
	}
	return landscape.Subscription{
		Identifier: identifier,
		Version:    cmp.Or(f.expectedText("version"), unknownValue),
		Arch:       cmp.Or(f.expectedText("arch"), unknownValue),
		Status:     cmp.Or(f.expectedText("status"), unknownValue),
		State:      f.textOrNil("subscription_status"),
		Type:       f.textOrNil("type"),
		StartsAt:   f.textOrNil("starts_at"),
		ExpiresAt:  f.textOrNil("expires_at"),
	}, true
}
