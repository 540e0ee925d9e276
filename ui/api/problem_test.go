package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/ui/api"
)

// TestFail goes through the errors of the rooms below and what a client is
// told of each, however deep it is wrapped.
func TestFail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status int
		body   string
		logged bool
	}{
		"signed out":    {auth.ErrSignedOut, 401, signedOut, false},
		"credentials":   {auth.ErrCredentials, 401, invalidCredentials, false},
		"refresh":       {auth.ErrRefresh, 401, invalidRefresh, false},
		"forbidden":     {auth.ErrForbidden, 403, forbidden, false},
		"not found":     {store.ErrNotFound, 404, notFound, false},
		"conflict":      {store.ErrConflict, 409, `{"errors":[{"title":"Conflict has occurred","detail":"An error has occurred."}]}`, false},
		"invalid":       {fault.Field("email", "is invalid"), 422, problems("/email", "is invalid"), false},
		"live":          {landscape.ErrLive, 422, sentence("Requested operation not allowed for live hosts."), false},
		"present":       {landscape.ErrPresent, 422, sentence("Requested operation not allowed for present SAP instances."), false},
		"busy":          {auth.ErrBusy, 503, general(503), false},
		"syntax":        {&fault.Error{Kind: fault.Malformed, Detail: "x"}, 400, `{"errors":[{"title":"Bad Request","detail":"x"}]}`, false},
		"fields":        {fault.Errors{{Field: "y", Detail: "x"}, {Field: "/", Detail: "z"}}, 422, problems("/y", "x", "/", "z"), false},
		"anything":      {errors.New("the disk says secret things"), 500, ourFault, true},
		"in use":        {store.ErrInUse, 500, ourFault, true},
		"closed":        {store.ErrClosed, 500, ourFault, true},
		"out of time":   {context.DeadlineExceeded, 500, ourFault, true},
		"client is off": {context.Canceled, 500, ourFault, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			a := api.New(api.Deps{Log: slog.New(slog.NewTextHandler(&log, nil))})
			ctx, cancel := context.WithCancel(t.Context())
			if errors.Is(test.err, context.Canceled) {
				cancel()
			}
			defer cancel()
			for _, err := range []error{test.err, fmt.Errorf("host x: %w", fmt.Errorf("y: %w", test.err)), errors.Join(test.err, errors.New("z"))} {
				if got := api.Status(err); got != test.status {
					t.Errorf("Status(%v) = %d", err, got)
				}
				log.Reset()
				w := httptest.NewRecorder()
				w.Header().Set(api.RequestIDHeader, requestID)
				a.Fail(w, httptest.NewRequestWithContext(ctx, "GET", "/api/v1/hosts", nil), err)
				if w.Code != test.status || w.Body.String() != test.body {
					t.Errorf("%v: %d %s", err, w.Code, w.Body)
				}
				if logged := strings.Contains(log.String(), requestID); logged != test.logged {
					t.Errorf("%v: logged %q", err, log.String())
				}
			}
		})
	}
}
