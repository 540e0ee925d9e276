package forward_test

import (
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"trento/store/activity"
	"trento/ui/forward"
)

// otlpReceiver is a receiver that fails the test if a request violates the
// specification.
type otlpReceiver struct {
	t       *testing.T
	records []*logs.LogRecord
	header  http.Header
	answer  func(http.ResponseWriter, *collector.ExportLogsServiceRequest)
}

func (o *otlpReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "POST" || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Content-Encoding") != "gzip" {
		o.t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	o.header = r.Header
	body, err := gzip.NewReader(r.Body)
	if err != nil {
		o.t.Error(err)
		return
	}
	text, err := io.ReadAll(body)
	if err != nil {
		o.t.Error(err)
	}
	var request collector.ExportLogsServiceRequest
	if err := proto.Unmarshal(text, &request); err != nil {
		o.t.Error(err)
	}
	for _, of := range request.ResourceLogs {
		for _, scope := range of.ScopeLogs {
			for _, record := range scope.LogRecords {
				if record.TimeUnixNano == 0 || record.ObservedTimeUnixNano == 0 || len(record.ProtoReflect().GetUnknown()) > 0 || record.EventName == "" {
					o.t.Errorf("record %v", record)
				}
				o.records = append(o.records, record)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	if o.answer != nil {
		o.answer(w, &request)
		return
	}
	answer, _ := proto.Marshal(&collector.ExportLogsServiceResponse{})
	_, _ = w.Write(answer)
}

// start starts the receiver, and returns an OTLP that sends to it.
func (o *otlpReceiver) start() *forward.OTLP {
	o.t.Helper()
	server := httptest.NewTLSServer(o)
	o.t.Cleanup(server.Close)
	caFile := filepath.Join(o.t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		o.t.Fatal(err)
	}
	address, err := url.Parse(server.URL + "/v1/logs")
	if err != nil {
		o.t.Fatal(err)
	}
	return forward.NewOTLP(address, forward.TLS{CAFile: caFile}, map[string]string{"Authorization": "Bearer geheim"}, "1.0", "installation")
}

// text returns a value in a form like decoded JSON.
func text(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_ArrayValue:
		list := []any{}
		for _, element := range v.ArrayValue.Values {
			list = append(list, text(element))
		}
		return list
	case *common.AnyValue_KvlistValue:
		object := map[string]any{}
		for _, pair := range v.KvlistValue.Values {
			object[pair.Key] = text(pair.Value)
		}
		return object
	}
	return nil
}

func TestOTLP(t *testing.T) {
	t.Parallel()
	o := &otlpReceiver{t: t}
	destination := o.start()
	metadata := `{"a":null,"b":[1,2.5,true,"x"],"c":{"d":9007199254740993},"e":1e400}`
	if err := destination.Send(t.Context(), []*activity.Entry{entryAt(0, tagging), entryAt(1, metadata)}); err != nil {
		t.Fatal(err)
	}
	if o.header.Get("Authorization") != "Bearer geheim" || len(o.records) != 2 {
		t.Fatalf("header %v, %d records", o.header, len(o.records))
	}
	r := o.records[1]
	got := map[string]any{"severity": fmt.Sprint(r.SeverityNumber, " ", r.SeverityText), "event": r.EventName, "body": text(r.Body), "time": r.TimeUnixNano}
	for _, a := range r.Attributes {
		got[a.Key] = text(a.Value)
	}
	want := map[string]any{
		"severity": "SEVERITY_NUMBER_WARN warning", "event": "trento.tag.added", "body": entryAt(1, metadata).Message(), "time": uint64(1796040001123456000),
		"log.record.uid": "00000000-0000-4000-8000-000000000001", "user.name": "ann", "trento.activity_type": "resource_tagging",
		"trento.metadata": map[string]any{"a": nil, "b": []any{int64(1), 2.5, true, "x"}, "c": map[string]any{"d": int64(9007199254740993)}, "e": "1e400"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestOTLPAnswers checks which answers count as success, as refusal and as
// failure.
func TestOTLPAnswers(t *testing.T) {
	t.Parallel()
	partial, err := proto.Marshal(&collector.ExportLogsServiceResponse{PartialSuccess: &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		status               int
		body                 string
		refused, othersTaken bool
		reason               string
	}{
		"some refused":  {status: 200, body: string(partial), refused: true, othersTaken: true},
		"JSON":          {status: 200, body: "{}"},
		"other success": {status: 202},
		"too large":     {status: 413, refused: true},
		"bad request":   {status: 400, refused: true},
		"wrong key":     {status: 401, reason: "It answers with status 401."},
		"redirect":      {status: 302, reason: "It answers with status 302."},
		"busy":          {status: 503, reason: "It answers with status 503."},
	} {
		t.Run(name, func(t *testing.T) {
			o := &otlpReceiver{t: t, answer: func(w http.ResponseWriter, _ *collector.ExportLogsServiceRequest) {
				w.Header().Set("Location", "https://elsewhere.invalid/")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}}
			err := o.start().Send(t.Context(), []*activity.Entry{entryAt(0, tagging)})
			refused, ok := errors.AsType[*forward.RefusedError](err)
			switch {
			case ok != test.refused, ok && refused.OthersTaken != test.othersTaken:
				t.Errorf("error %v", err)
			case ok:
			case (err == nil) != (test.reason == ""), err != nil && forward.Reason(err) != test.reason:
				t.Errorf("error %v", err)
			}
		})
	}
}

// FuzzMetadata checks that entries with any metadata can be sent.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{tagging, `{}`, `{"a":[[[{}]]]}`, `{"a":"\ud800"}`, `{"a":-0}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, metadata string) {
		if !json.Valid([]byte(metadata)) {
			t.Skip()
		}
		o := &otlpReceiver{t: t}
		if err := o.start().Send(t.Context(), []*activity.Entry{entryAt(0, metadata)}); err != nil {
			t.Error(err)
		}
	})
}
