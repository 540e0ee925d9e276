// Package discovery decodes the reports of agents. It decodes a report into an
// observation of package landscape, element by element. An element that cannot
// be read becomes unknown or is left out, and the observation lists it as an
// omission. A report is refused, with a list of its faults, only if it does not
// identify the thing it is about. The tables in testdata/fields show this for
// every member.
//
// The package stores nothing and changes nothing. Package fleet is its
// counterpart: it generates reports.
package discovery

import (
	"encoding/json"

	"trento/store/fault"
	"trento/store/landscape"
)

// Envelope is a report whose payload has not been decoded yet.
type Envelope struct {
	Agent   landscape.HostID
	Type    string          // as sent; it may be unknown
	Payload json.RawMessage // an object, an array or null; part of the body given to Open
}

// Open reads the envelope of a report. Every error is a fault of the sender. An
// error of the kind Malformed means that the body is not JSON, or is nested too
// deeply. With any other error, the returned Envelope holds the values that
// could be read. It refers to body, which must not be modified while it is in
// use.
func Open(body []byte) (Envelope, error) {
	report, err := checkJSON(body)
	if err != nil {
		return Envelope{}, &fault.Error{Kind: fault.Malformed, Detail: err.Error()}
	}
	if !report.isObject() {
		return Envelope{}, fault.Field(wholeBody, "Invalid object. Got: "+report.typeName())
	}
	var agent, kind, payload value
	var unexpected error
	for name, v := range report.members() {
		switch name {
		case "agent_id":
			agent = v
		case "discovery_type":
			kind = v
		case "payload":
			payload = v
		default:
			if name = truncateName(name); unexpected == nil {
				unexpected = fault.Field(name, "Unexpected field: "+name)
			}
		}
	}
	if unexpected != nil {
		return partialEnvelope(agent, kind), unexpected
	}

	var wrong fault.Errors
	for _, member := range []struct {
		name string
		value
	}{{"agent_id", agent}, {"discovery_type", kind}, {"payload", payload}} {
		if member.isAbsent() {
			wrong.Add(member.name, "Missing field: "+member.name)
		}
	}
	if len(wrong) > 0 {
		return partialEnvelope(agent, kind), wrong.Err()
	}

	e := Envelope{Payload: json.RawMessage(payload)}
	if text, ok := envelopeText(&wrong, "agent_id", agent); ok {
		if e.Agent, ok = landscape.ParseID[landscape.HostID](text); !ok {
			wrong.Add("agent_id", "Invalid format. Expected :uuid")
		}
	}
	e.Type, _ = envelopeText(&wrong, "discovery_type", kind)
	checkPayload(&wrong, payload)
	if err := wrong.Err(); err != nil {
		return partialEnvelope(agent, kind), err
	}
	return e, nil
}

// partialEnvelope returns the agent and the type of a report with a wrong envelope, as
// far as they can be read.
func partialEnvelope(agent, kind value) (e Envelope) {
	if agent.isString() {
		if id, ok := landscape.ParseID[landscape.HostID](agent.text()); ok {
			e.Agent = id
		}
	}
	if kind.isString() {
		e.Type = kind.text()
	}
	return e
}

// envelopeText reads a string of the envelope. Clients know the texts of its
// faults, so they must not change.
func envelopeText(wrong *fault.Errors, name string, v value) (string, bool) {
	switch {
	case v.isString():
		return v.text(), true
	case v.isNull():
		wrong.Add(name, "null value where string expected")
	default:
		wrong.Add(name, "Invalid string. Got: "+v.typeName())
	}
	return "", false
}

// checkPayload adds faults unless the payload is an object, null, or an array
// that contains an object. It adds one fault for each of these forms, with the
// reason why the payload does not have it.
func checkPayload(wrong *fault.Errors, v value) {
	const name = "payload"
	switch {
	case v.isObject(), v.isNull():
		return
	case v.isArray():
		var first value
		for _, element := range v.elements() {
			if element.isObject() {
				return
			}
			if first.isAbsent() {
				first = element
			}
		}
		if !first.isAbsent() {
			wrong.Add(name, "Failed to cast value to one of: no schemas validate")
			wrong.Add(name, "Invalid object. Got: array")
			wrong.Add(name+"/0", "Invalid object. Got: "+first.typeName())
		}
	default:
		wrong.Add(name, "Failed to cast value to one of: no schemas validate")
		wrong.Add(name, "Invalid object. Got: "+v.typeName())
		wrong.Add(name, "Invalid array. Got: "+v.typeName())
	}
}

// truncateName shortens the name of an unexpected member, which can have any
// length.
func truncateName(name string) string {
	const shown = 40
	runes := []rune(name[:min(len(name), shown*4)])
	return string(runes[:min(len(runes), shown)])
}

// decoders decode the payload of each kind of report into the field of an
// observation that belongs to the kind.
var decoders = map[landscape.Kind]func(*landscape.Observation, value, *findings) error{
	landscape.HostDiscovery: func(o *landscape.Observation, v value, r *findings) (err error) {
		o.Host, err = decodeHost(v, r)
		return err
	},
	landscape.CloudDiscovery: func(o *landscape.Observation, v value, r *findings) (err error) {
		o.Cloud, err = decodeCloud(v, r)
		return err
	},
	landscape.SubscriptionDiscovery: func(o *landscape.Observation, v value, r *findings) (err error) {
		o.Subscriptions, err = decodeSubscriptions(v, r)
		return err
	},
	landscape.SaptuneDiscovery: func(o *landscape.Observation, v value, r *findings) (err error) {
		o.Saptune, err = decodeSaptune(v, r)
		return err
	},
	landscape.ClusterDiscovery: func(o *landscape.Observation, v value, r *findings) (err error) {
		o.Cluster, err = decodeCluster(v, r)
		return err
	},
	landscape.SAPSystemDiscovery: func(o *landscape.Observation, v value, r *findings) (err error) {
		o.SAP, err = decodeSAP(v, r)
		return err
	},
}

// Decode decodes the payload of a report, element by element. It refuses a
// report only if nothing in it identifies the thing it is about, or if the form
// of the payload is unknown. Any other part that cannot be read becomes unknown
// or is left out, and is listed in the omissions of the observation. Every
// error is a fault of the sender.
func Decode(e Envelope) (landscape.Observation, error) {
	o := landscape.Observation{Agent: e.Agent, Kind: landscape.Kind(e.Type)}
	decode := decoders[o.Kind]
	if decode == nil {
		return landscape.Observation{}, &fault.Error{Detail: detailUnknown}
	}
	payload, err := checkJSON(e.Payload)
	if err != nil {
		return landscape.Observation{}, errUnknownForm()
	}
	var r findings
	if err = decode(&o, payload, &r); err == nil {
		err = r.Err()
	}
	if err != nil {
		return landscape.Observation{}, err
	}
	o.Omissions = r.omissions
	return o, nil
}
