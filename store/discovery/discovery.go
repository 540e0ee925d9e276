// Package discovery reads what agents send: it turns the bytes of a report
// into an observation of package landscape, element by element. What cannot be
// read is unknown or left out, and the observation tells where; only a report
// that does not say what it is about is refused, with a list of what is wrong.
// The tables in testdata/fields show it for every member. The package keeps
// nothing and decides nothing; its opposite, a fleet of agents that writes
// reports, is package fleet beside it.
package discovery

import (
	"encoding/json"

	"trento/store/landscape"
)

// Envelope is a report whose content has not been looked at yet.
type Envelope struct {
	Agent   landscape.HostID
	Type    string          // as sent: it may be no discovery we know
	Payload json.RawMessage // an object, an array or null; part of the body given to Open
}

// Open reads the envelope of a report. Every error is an *Error of
// StageSyntax or StageEnvelope; beside one of StageEnvelope stands what could
// be read. The envelope keeps a part of body, which must not be modified while
// it is in use.
func Open(body []byte) (Envelope, error) {
	report, err := check(body)
	if err != nil {
		return Envelope{}, refuse(StageSyntax, titleSyntax, err.Error(), "")
	}
	if !report.object() {
		return Envelope{}, refuse(StageEnvelope, titleInvalid, "Invalid object. Got: "+report.kind(), "/")
	}
	var agent, kind, payload value
	var unexpected *Error
	for name, v := range report.members() {
		switch name {
		case "agent_id":
			agent = v
		case "discovery_type":
			kind = v
		case "payload":
			payload = v
		default:
			if name = cut(name); unexpected == nil {
				unexpected = refuse(StageEnvelope, titleInvalid, "Unexpected field: "+name, "/"+name)
			}
		}
	}
	if unexpected != nil {
		return sender(agent, kind), unexpected
	}

	var wrong problems
	for _, member := range []struct {
		name string
		value
	}{{"agent_id", agent}, {"discovery_type", kind}, {"payload", payload}} {
		if member.absent() {
			wrong.add("/"+member.name, "Missing field: "+member.name)
		}
	}
	if len(wrong) > 0 {
		return sender(agent, kind), wrong.err(StageEnvelope)
	}

	e := Envelope{Payload: json.RawMessage(payload)}
	if text, ok := wrong.envelopeText("/agent_id", agent); ok {
		if e.Agent, ok = landscape.ParseID[landscape.HostID](text); !ok {
			wrong.add("/agent_id", "Invalid format. Expected :uuid")
		}
	}
	e.Type, _ = wrong.envelopeText("/discovery_type", kind)
	wrong.envelopePayload(payload)
	if err := wrong.err(StageEnvelope); err != nil {
		return sender(agent, kind), err
	}
	return e, nil
}

// sender is what an envelope that is wrong says about who has sent it and
// what, as far as that can be read.
func sender(agent, kind value) (e Envelope) {
	if agent.string() {
		if id, ok := landscape.ParseID[landscape.HostID](agent.text()); ok {
			e.Agent = id
		}
	}
	if kind.string() {
		e.Type = kind.text()
	}
	return e
}

// envelopeText reads a string in the words the envelope's schema has for it.
func (p *problems) envelopeText(pointer string, v value) (string, bool) {
	switch {
	case v.string():
		return v.text(), true
	case v.null():
		p.add(pointer, "null value where string expected")
	default:
		p.add(pointer, "Invalid string. Got: "+v.kind())
	}
	return "", false
}

// envelopePayload reports a payload that is neither an object nor an array
// with objects in it nor null: that none of these fits, and for each why. What
// else stands in an array between objects is for the decoders to leave out.
func (p *problems) envelopePayload(v value) {
	const pointer = "/payload"
	switch {
	case v.object(), v.null():
		return
	case v.array():
		var first value
		for _, element := range v.elements() {
			if element.object() {
				return
			}
			if first.absent() {
				first = element
			}
		}
		if !first.absent() {
			p.add(pointer, "Failed to cast value to one of: no schemas validate")
			p.add(pointer, "Invalid object. Got: array")
			p.add(pointer+"/0", "Invalid object. Got: "+first.kind())
		}
	default:
		p.add(pointer, "Failed to cast value to one of: no schemas validate")
		p.add(pointer, "Invalid object. Got: "+v.kind())
		p.add(pointer, "Invalid array. Got: "+v.kind())
	}
}

// cut shortens the name of a member nobody expected, which may be anything.
func cut(name string) string {
	const shown = 40
	runes := []rune(name[:min(len(name), shown*4)])
	return string(runes[:min(len(runes), shown)])
}

// decoders read the payload of each kind of report into its member of an
// observation.
var decoders = map[landscape.Kind]func(*landscape.Observation, value, *reading) error{
	landscape.HostDiscovery: func(o *landscape.Observation, v value, r *reading) (err error) {
		o.Host, err = decodeHost(v, r)
		return err
	},
	landscape.CloudDiscovery: func(o *landscape.Observation, v value, r *reading) (err error) {
		o.Cloud, err = decodeCloud(v, r)
		return err
	},
	landscape.SubscriptionDiscovery: func(o *landscape.Observation, v value, r *reading) (err error) {
		o.Subscriptions, err = decodeSubscriptions(v, r)
		return err
	},
	landscape.SaptuneDiscovery: func(o *landscape.Observation, v value, r *reading) (err error) {
		o.Saptune, err = decodeSaptune(v, r)
		return err
	},
	landscape.ClusterDiscovery: func(o *landscape.Observation, v value, r *reading) (err error) {
		o.Cluster, err = decodeCluster(v, r)
		return err
	},
	landscape.SAPSystemDiscovery: func(o *landscape.Observation, v value, r *reading) (err error) {
		o.SAP, err = decodeSAP(v, r)
		return err
	},
}

// Decode reads the payload of a report, element by element. It refuses a report
// only where nothing says what it is about, or where its form as a whole is
// unknown. Anything else that cannot be read becomes unknown or is left out, and
// is listed among the omissions of the observation. Every error is an *Error of
// StagePayload.
func Decode(e Envelope) (landscape.Observation, error) {
	o := landscape.Observation{Agent: e.Agent, Kind: landscape.Kind(e.Type)}
	decode := decoders[o.Kind]
	if decode == nil {
		return landscape.Observation{}, refuse(StagePayload, titleRefused, detailUnknown, "")
	}
	payload, err := check(e.Payload)
	if err != nil {
		return landscape.Observation{}, unable()
	}
	var r reading
	if err = decode(&o, payload, &r); err == nil {
		err = r.err(StagePayload)
	}
	if err != nil {
		return landscape.Observation{}, err
	}
	o.Omissions = r.omissions
	return o, nil
}
