package discovery

import (
	"cmp"
	"strconv"

	"trento/store/landscape"
)

// decodeSubscriptions reads a subscription_discovery. An empty list is nil: a host
// without subscriptions. Where an identifier is repeated, the last one
// counts.
func decodeSubscriptions(payload value, r *reading) ([]landscape.Subscription, error) {
	if !payload.array() {
		return nil, unable()
	}
	var list []landscape.Subscription
	place := make(map[string]int)
	for i, element := range payload.elements() {
		if !element.object() {
			r.omit("/"+strconv.Itoa(i), noObject, element)
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

// subscription is left out where it does not say what is subscribed to.
func (f *fields) subscription() (landscape.Subscription, bool) {
	identifier := f.expected("identifier")
	if identifier == "" {
		return landscape.Subscription{}, false
	}
	return landscape.Subscription{
		Identifier: identifier,
		Version:    cmp.Or(f.expected("version"), unknown),
		Arch:       cmp.Or(f.expected("arch"), unknown),
		Status:     cmp.Or(f.expected("status"), unknown),
		State:      f.textOrNil("subscription_status"),
		Type:       f.textOrNil("type"),
		StartsAt:   f.textOrNil("starts_at"),
		ExpiresAt:  f.textOrNil("expires_at"),
	}, true
}
