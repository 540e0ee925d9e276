package forward

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"trento/store/activity"
	"trento/ui/stream"
)

// OTLP sends entries to a receiver of OpenTelemetry logs, as protobuf over HTTP.
// The receiver confirms them with its answer.
type OTLP struct {
	address  *url.URL
	tls      TLS
	headers  map[string]string
	resource *resource.Resource
	scope    *common.InstrumentationScope

	mu     sync.Mutex
	client *http.Client // nil: no connection is open
}

// NewOTLP returns the receiver at an address. headers are sent with every
// request. installation is the id of this server's data.
func NewOTLP(address *url.URL, security TLS, headers map[string]string, version, installation string) *OTLP {
	o := &OTLP{address: address, tls: security, headers: headers, scope: &common.InstrumentationScope{Name: "trento/activity_log", Version: version}}
	o.resource = &resource.Resource{Attributes: []*common.KeyValue{
		stringAttribute("service.name", "trento-web"), stringAttribute("service.version", version), stringAttribute("service.instance.id", installation),
	}}
	if hostname, err := os.Hostname(); err == nil {
		o.resource.Attributes = append(o.resource.Attributes, stringAttribute("host.name", hostname))
	}
	return o
}

// Address returns the address for users, without its password.
func (o *OTLP) Address() string { return o.address.Redacted() }

// StatusError is an answer with an HTTP status other than success.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the answer is %d %s", e.Status, http.StatusText(e.Status))
}

// maxOTLPAnswerBytes is how much of an answer is read.
const maxOTLPAnswerBytes = 64 << 10

// Send sends entries in one request. It fails with *RefusedError if the
// receiver has accepted the request but refuses some of the entries.
func (o *OTLP) Send(ctx context.Context, entries []*activity.Entry) error {
	body, err := o.body(entries)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.address.String(), body)
	if err != nil {
		return err
	}
	for name, value := range o.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("User-Agent", "trento-web")
	client, err := o.connect()
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		o.Close() // the next connection reads the certificates again
		var failure *url.Error
		if errors.As(err, &failure) {
			return failure.Err // without the address, which may contain a key
		}
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxOTLPAnswerBytes))
	switch {
	case answer.StatusCode == http.StatusBadRequest, answer.StatusCode == http.StatusRequestEntityTooLarge, answer.StatusCode == http.StatusUnprocessableEntity:
		return &RefusedError{Reason: (&StatusError{answer.StatusCode}).Error()}
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return &StatusError{answer.StatusCode}
	case err != nil:
		return err
	}
	return partialSuccess(text)
}

// partialSuccess returns a *RefusedError if an answer says that entries were
// refused. It ignores answers that cannot be decoded, because some receivers
// answer with other texts.
func partialSuccess(text []byte) error {
	var answer collector.ExportLogsServiceResponse
	if proto.Unmarshal(text, &answer) != nil {
		return nil
	}
	if p := answer.GetPartialSuccess(); p.GetRejectedLogRecords() > 0 {
		return &RefusedError{Reason: fmt.Sprintf("%d of them", p.GetRejectedLogRecords()), OthersTaken: true}
	}
	return nil
}

// connect returns the client of the open connection, or a new one.
func (o *OTLP) connect() (*http.Client, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client == nil {
		config, err := o.tls.config(o.address.Hostname())
		if err != nil {
			return nil, err
		}
		o.client = &http.Client{
			Transport:     &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConns: 1, Proxy: http.ProxyFromEnvironment},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return o.client, nil
}

// Close closes the connection.
func (o *OTLP) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client != nil {
		o.client.CloseIdleConnections()
		o.client = nil
	}
}

// body returns the compressed body of a request.
func (o *OTLP) body(entries []*activity.Entry) (*bytes.Buffer, error) {
	records := make([]*logs.LogRecord, len(entries))
	for i, e := range entries {
		records[i] = logRecord(e)
	}
	text, err := proto.Marshal(&collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource: o.resource, ScopeLogs: []*logs.ScopeLogs{{Scope: o.scope, LogRecords: records}},
	}}})
	if err != nil {
		return nil, err
	}
	compressed := new(bytes.Buffer)
	w := gzip.NewWriter(compressed)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	return compressed, w.Close()
}

// logRecord converts an entry to a log record. Our severities already have the
// numbers of OpenTelemetry.
func logRecord(e *activity.Entry) *logs.LogRecord {
	event := stream.NewEvent(e, e.Actor)
	r := &logs.LogRecord{
		TimeUnixNano: uint64(e.OccurredOn().UnixNano()), ObservedTimeUnixNano: uint64(e.OccurredOn().UnixNano()),
		SeverityNumber: logs.SeverityNumber(e.Severity), SeverityText: e.Severity.String(), EventName: "trento." + string(event.Type),
		Body: stringValue(event.Message),
		Attributes: []*common.KeyValue{
			stringAttribute("log.record.uid", e.ID), stringAttribute("user.name", e.Actor), stringAttribute("trento.activity_type", string(e.Type)),
		},
	}
	if event.CorrelationID != nil {
		r.Attributes = append(r.Attributes, stringAttribute("trento.correlation_id", *event.CorrelationID))
	}
	decoder := json.NewDecoder(bytes.NewReader(e.Metadata))
	decoder.UseNumber()
	var metadata any
	if err := decoder.Decode(&metadata); err != nil {
		metadata = string(e.Metadata)
	}
	r.Attributes = append(r.Attributes, &common.KeyValue{Key: "trento.metadata", Value: otlpValue(metadata)})
	return r
}

func stringValue(text string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: strings.ToValidUTF8(text, "�")}}
}

func stringAttribute(name, value string) *common.KeyValue {
	return &common.KeyValue{Key: name, Value: stringValue(value)}
}

// otlpValue converts a JSON value to a value of OpenTelemetry. null becomes a
// value without content. Whole numbers of up to 63 bits stay exact.
func otlpValue(value any) *common.AnyValue {
	switch v := value.(type) {
	case string:
		return stringValue(v)
	case bool:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v}}
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: whole}}
		}
		if number, err := v.Float64(); err == nil {
			return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: number}}
		}
		return stringValue(v.String())
	case []any:
		list := &common.ArrayValue{}
		for _, element := range v {
			list.Values = append(list.Values, otlpValue(element))
		}
		return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}}
	case map[string]any:
		object := &common.KeyValueList{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			object.Values = append(object.Values, &common.KeyValue{Key: name, Value: otlpValue(v[name])})
		}
		return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: object}}
	}
	return &common.AnyValue{}
}
