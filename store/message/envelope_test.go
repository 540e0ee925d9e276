package message

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	"trento/store/fault"
	"trento/store/message/wire"
)

const (
	execution    = "b1b1d8a5-6e0d-4d0a-9b6a-0f7c9b3f5a11"
	group        = "c7a1e943-bf46-590b-bd26-bfc7c78def97"
	someAgent    = "9cd46919-5f19-59aa-993e-cf3736c71053"
	anotherAgent = "0a055c90-4cb6-54ce-ac9c-ae3fedaf40d4"
)

var eight = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

// golden are the messages in testdata. They were written byte by byte, without
// our encoder.
var golden = map[string]Envelope{
	"facts_gathering_requested": {
		ID: "00000000-0000-4000-8000-000000000001", Source: ServerSource, SentAt: eight, ExpiresAt: eight.Add(5 * time.Minute),
		Content: &wire.FactsGatheringRequested{ExecutionId: execution, GroupId: group, Targets: []*wire.FactsGatheringRequestedTarget{
			{AgentId: someAgent, FactRequests: []*wire.FactRequest{
				{CheckId: "156F64", Name: "token_timeout", Gatherer: "corosync.conf@v1", Argument: "totem.token"},
				{CheckId: "49591F", Name: "sbd_enabled", Gatherer: "sbd_config"},
			}},
			{AgentId: anotherAgent},
		}},
	},
	"facts_gathered": {
		ID: "00000000-0000-4000-8000-000000000002", Source: AgentSource, SentAt: eight.Add(2 * time.Second), ExpiresAt: eight.Add(302 * time.Second),
		Content: &wire.FactsGathered{ExecutionId: execution, GroupId: group, AgentId: someAgent, FactsGathered: []*wire.Fact{
			fact("token_timeout", 30000), fact("name", "hacluster"), fact("enabled", true), fact("nothing", nil),
			fact("nodes", []any{"vmhana01", 1.5, map[string]any{"id": 2}}),
			{CheckId: "49591F", Name: "sbd_enabled", FactValue: &wire.Fact_ErrorValue{ErrorValue: &wire.FactError{
				Message: "file not found", Type: "sbd-config-file-error",
			}}},
		}},
	},
	"operator_execution_requested": {
		ID: "00000000-0000-4000-8000-000000000003", Source: ServerSource, SentAt: eight, ExpiresAt: eight.Add(12 * time.Hour),
		Content: &wire.OperatorExecutionRequested{OperationId: execution, GroupId: group, StepNumber: 1, Operator: "sapsystemstop@v1",
			Targets: []*wire.OperatorExecutionRequestedTarget{{AgentId: someAgent, Arguments: map[string]*structpb.Value{
				"instance_number": structpb.NewStringValue("00"), "system_replication_tier": {}, "timeout": structpb.NewNumberValue(300),
			}}}},
	},
	"operator_execution_completed": {
		ID: "00000000-0000-4000-8000-000000000004", Source: AgentSource, SentAt: eight.Add(9 * time.Second), ExpiresAt: eight.Add(309 * time.Second),
		Content: &wire.OperatorExecutionCompleted{OperationId: execution, GroupId: group, StepNumber: 1, AgentId: someAgent,
			Result: &wire.OperatorExecutionCompleted_Value{Value: &wire.OperatorResponse{Phase: wire.OperatorPhase_VERIFY, Diff: &wire.OperatorDiff{
				Before: structpb.NewStringValue(`{"stopped":false}`), After: structpb.NewStringValue(`{"stopped":true}`),
			}}}},
	},
	"operator_execution_failed": {
		ID: "00000000-0000-4000-8000-000000000005", Source: AgentSource, SentAt: eight.Add(9 * time.Second), ExpiresAt: eight.Add(309 * time.Second),
		Content: &wire.OperatorExecutionCompleted{OperationId: execution, GroupId: group, AgentId: someAgent,
			Result: &wire.OperatorExecutionCompleted_Error{Error: &wire.OperatorError{Message: "plan: saptune is not installed"}}},
	},
	"discovery_requested": {
		ID: "00000000-0000-4000-8000-000000000006", Source: ServerSource, SentAt: eight, ExpiresAt: eight.Add(5 * time.Minute),
		Content: &wire.DiscoveryRequested{DiscoveryType: "host_discovery", Targets: []string{someAgent, anotherAgent}},
	},
}

func fact(name string, value any) *wire.Fact {
	v, err := structpb.NewValue(value)
	if err != nil {
		panic(err)
	}
	return &wire.Fact{CheckId: "156F64", Name: name, FactValue: &wire.Fact_Value{Value: v}}
}

// read reads a file of testdata. It contains bytes in hexadecimal, quoted
// texts, and comments.
func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^([0-9a-f ]*)(?:"(.*)")?\s*(?:#.*)?$`)
	var body []byte
	for row := range strings.Lines(string(text)) {
		parts := line.FindStringSubmatch(strings.TrimSuffix(row, "\n"))
		if parts == nil {
			t.Fatalf("%s: %q", name, row)
		}
		b, err := hex.DecodeString(strings.ReplaceAll(parts[1], " ", ""))
		if err != nil {
			t.Fatalf("%s: %q: %v", name, row, err)
		}
		body = append(append(body, b...), parts[2]...)
	}
	return body
}

// envelope decodes the fields of an envelope without our decoder.
func envelope(t testing.TB, body []byte) map[protowire.Number][][]byte {
	t.Helper()
	fields := make(map[protowire.Number][][]byte)
	for len(body) > 0 {
		number, kind, n := protowire.ConsumeTag(body)
		if n < 0 || kind != protowire.BytesType {
			t.Fatalf("field of kind %d: %v", kind, protowire.ParseError(n))
		}
		value, m := protowire.ConsumeBytes(body[n:])
		if m < 0 {
			t.Fatal(protowire.ParseError(m))
		}
		fields[number] = append(fields[number], value)
		body = body[n+m:]
	}
	return fields
}

func TestDecodesWhatOthersWrite(t *testing.T) {
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) != len(golden) {
		t.Fatalf("%d files, want %d: %v", len(files), len(golden), err)
	}
	seen := make(map[string]bool)
	for name, want := range golden {
		t.Run(name, func(t *testing.T) {
			body := read(t, name)
			got, err := Decode(body)
			if err != nil {
				t.Fatal(err)
			}
			want.Message, _ = Of(typeOf(want.Content))
			seen[want.Type] = true
			if diff := cmp.Diff(want, got, protocmp.Transform(), cmp.AllowUnexported(Message{})); diff != "" {
				t.Errorf("decoded otherwise (-want +got):\n%s", diff)
			}
			data := envelope(t, envelope(t, body)[8][0])[2][0]
			again, err := proto.MarshalOptions{Deterministic: true}.Marshal(want.Content)
			if err != nil || !bytes.Equal(again, data) {
				t.Errorf("encoded as % x\nwant % x: %v", again, data, err)
			}
		})
	}
	for _, m := range messages {
		if !seen[m.Type] {
			t.Errorf("there is no file for %s", m.Type)
		}
	}
}

func TestEncode(t *testing.T) {
	for name, want := range golden {
		t.Run(name, func(t *testing.T) {
			body, err := Encode(want.Content, want.SentAt, want.ExpiresAt)
			if err != nil {
				t.Fatal(err)
			}
			theirs, ours := envelope(t, read(t, name)), envelope(t, body)
			if id, err := uuid.ParseBytes(ours[1][0]); err != nil || id.Version() != 4 {
				t.Errorf("id %q: %v", ours[1][0], err)
			}
			for _, field := range []protowire.Number{2, 3, 4} {
				if !bytes.Equal(ours[field][0], theirs[field][0]) {
					t.Errorf("field %d is %q, want %q", field, ours[field][0], theirs[field][0])
				}
			}
			for _, attribute := range theirs[5] { // in any order
				if len(ours[5]) != 2 || !bytes.Equal(ours[5][0], attribute) && !bytes.Equal(ours[5][1], attribute) {
					t.Errorf("attributes %q, want %q", ours[5], attribute)
				}
			}
			if url := envelope(t, ours[8][0])[1][0]; string(url) != "type.googleapis.com/"+string(ours[4][0]) {
				t.Errorf("type url %q", url)
			}
			got, err := Decode(body)
			if err != nil || !proto.Equal(got.Content, want.Content) || !got.SentAt.Equal(want.SentAt) || !got.ExpiresAt.Equal(want.ExpiresAt) {
				t.Errorf("decoded as %+v: %v", got, err)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, encode := range map[string]func() ([]byte, error){
		"a part of a message": func() ([]byte, error) { return Encode(&wire.Fact{}, eight, eight) },
		"a time out of range": func() ([]byte, error) {
			return Encode(&wire.DiscoveryRequested{}, eight, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
		},
		"a text that is none": func() ([]byte, error) { return Encode(&wire.DiscoveryRequested{DiscoveryType: "\xff"}, eight, eight) },
	} {
		if body, err := encode(); err == nil {
			t.Errorf("%s is encoded as % x", name, body)
		}
	}
}

func TestAgent(t *testing.T) {
	for name, e := range golden {
		want := ""
		if m, _ := Of(typeOf(e.Content)); m.Answer {
			want = someAgent
		}
		if got := e.Agent(); got != want {
			t.Errorf("%s is from %q, want %q", name, got, want)
		}
	}
}

// field returns an encoded field of type bytes.
func field(number protowire.Number, value string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), value))
}

func TestDecodeRefuses(t *testing.T) {
	const typeName = "Trento.Checks.V1.FactsGathered"
	id, source, version, kind := field(1, "1"), field(2, "s"), field(3, "1.0"), field(4, typeName)
	payload := func(url, data string) string { return field(8, field(1, url)+field(2, data)) }
	data := payload(typeName, field(3, someAgent))
	attribute := func(name, value string) string { return field(5, field(1, name)+field(2, value)) }
	const late = "\x08\x80\xe0\xc6\xa3\x8d\x1d" // seconds: about the year 30000
	nested := ""
	for range maxDepth {
		nested = field(6, field(1, nested)) // a list in a list
	}
	for name, test := range map[string]struct {
		body string
		want string
		kind fault.Kind
	}{
		"empty":               {"", "id is missing", fault.Invalid},
		"not protobuf":        {"garbage", "envelope cannot be read", fault.Malformed},
		"too large":           {strings.Repeat("\x00", MaxSize+1), "message of 8000001 bytes; 8000000 are read at most", fault.TooLarge},
		"no id":               {source + version + kind + data, "id is missing", fault.Invalid},
		"long id":             {field(1, strings.Repeat("1", 256)) + source + version + kind + data, "id is longer than 255 bytes", fault.Invalid},
		"no source":           {id + version + kind + data, "source is missing", fault.Invalid},
		"no type":             {id + source + version + data, "type is missing", fault.Invalid},
		"id no text":          {field(1, "\xff") + source + version + kind + data, "envelope cannot be read", fault.Malformed},
		"no version":          {id + source + kind + data, `spec_version is "" instead of 1.0`, fault.Invalid},
		"other version":       {id + source + field(3, "0.3") + kind + data, `spec_version is "0.3" instead of 1.0`, fault.Invalid},
		"no data":             {id + source + version + kind, "proto_data is missing", fault.Invalid},
		"data as text":        {id + source + version + kind + field(7, "x"), "proto_data is missing", fault.Invalid},
		"other type":          {id + source + version + field(4, "Trento.X") + data, `type is "Trento.X", but the data is "Trento.Checks.V1.FactsGathered"`, fault.Invalid},
		"unknown type":        {id + source + version + field(4, "T.X") + payload("a/T.X", ""), `type "T.X" is not known`, fault.Invalid},
		"part of a message":   {id + source + version + field(4, "Trento.Checks.V1.Fact") + payload("Trento.Checks.V1.Fact", ""), `type "Trento.Checks.V1.Fact" is not known`, fault.Invalid},
		"long type":           {id + source + version + field(4, strings.Repeat("ä", 60)) + payload("x", ""), `type is "` + strings.Repeat("ä", 40) + `…", but the data is "x"`, fault.Invalid},
		"unreadable data":     {id + source + version + kind + payload(typeName, "garbage"), typeName + " cannot be read", fault.Malformed},
		"deep data":           {id + source + version + kind + payload(typeName, field(3, someAgent)+field(4, field(3, nested))), typeName + " cannot be read", fault.Malformed},
		"no agent":            {id + source + version + kind + payload(typeName, field(1, execution)), "agent_id is missing", fault.Invalid},
		"time is a text":      {id + source + version + kind + data + attribute("time", field(3, "now")), "attributes/time is no time", fault.Invalid},
		"time out of range":   {id + source + version + kind + data + attribute("time", field(7, late)), "attributes/time is no time", fault.Invalid},
		"expiration is empty": {id + source + version + kind + data + attribute("expiration", ""), "attributes/expiration is no time", fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Decode([]byte(test.body))
			faults := fault.Of(err)
			if len(faults) != 1 || faults[0].Kind != test.kind {
				t.Fatalf("decoded %+v: %v", e, err)
			}
			if got := strings.TrimSpace(faults[0].Field + " " + faults[0].Detail); got != test.want {
				t.Errorf("says %q, want %q", got, test.want)
			}
			if e.Content != nil || e.ID != "" {
				t.Errorf("decoded all the same: %+v", e)
			}
		})
	}
	// The original is valid: each case above differs from it in one place.
	e, err := Decode([]byte(id + source + version + kind + data + attribute("other", "") + field(99, "new")))
	if err != nil || e.Agent() != someAgent || !e.SentAt.IsZero() || !e.ExpiresAt.IsZero() {
		t.Errorf("decoded %+v: %v", e, err)
	}
}

func FuzzDecode(f *testing.F) {
	for name := range golden {
		body := read(f, name)
		f.Add(body)
		f.Add(body[:len(body)/2])
	}
	f.Add([]byte("garbage"))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Decode(body)
		if err != nil {
			faults := fault.Of(err)
			if len(faults) != 1 || faults[0].Detail == "" || len(faults[0].Detail) > 1000 {
				t.Fatalf("%T %v is %d faults", err, err, len(faults))
			}
			return
		}
		if m, ok := Of(typeOf(e.Content)); !ok || m != e.Message || m.Answer != (e.Agent() != "") {
			t.Fatalf("decoded %+v", e)
		}
		again, err := Encode(e.Content, e.SentAt, e.ExpiresAt)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Decode(again)
		if err != nil || !proto.Equal(e.Content, second.Content) {
			t.Fatalf("decoded %v, then %v: %v", e.Content, second.Content, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := read(b, "facts_gathered")
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
