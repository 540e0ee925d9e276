package discovery

import "trento/store/landscape"

// decodeSubscriptions reads a subscription_discovery. An empty list is a host
// without subscriptions. Where an identifier is repeated, the last one
// counts.
func decodeSubscriptions(payload value) ([]landscape.Subscription, error) {
	var wrong problems
	if payload.object() { // no list; say what even the one subscription lacks
		subscription(payload, &wrong)
		if err := wrong.err(StagePayload); err != nil {
			return nil, err
		}
	}
	if !payload.array() {
		return nil, unable()
	}
	list := []landscape.Subscription{}
	place := make(map[string]int)
	for _, element := range payload.elements() {
		if !element.object() {
			return nil, unable()
		}
		s := subscription(element, &wrong)
		if i, repeated := place[s.Identifier]; repeated {
			list[i] = s
			continue
		}
		place[s.Identifier] = len(list)
		list = append(list, s)
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	return list, nil
}

func subscription(v value, wrong *problems) landscape.Subscription {
	f := read(v, nil, "", wrong)
	return landscape.Subscription{
		Identifier: f.required("identifier"),
		Version:    f.required("version"),
		Arch:       f.required("arch"),
		Status:     f.required("status"),
		State:      f.pointerTo("subscription_status"),
		Type:       f.pointerTo("type"),
		StartsAt:   f.pointerTo("starts_at"),
		ExpiresAt:  f.pointerTo("expires_at"),
	}
}
