package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"trento/store/landscape"
)

// errand is one request.
type errand struct {
	path string
	body []byte
	want int // the only status that is success to an agent
}

func collect(r Report) errand {
	return errand{"/api/v1/collect", r.Body, http.StatusAccepted}
}

func heartbeat(id landscape.HostID) errand {
	return errand{"/api/v1/hosts/" + string(id) + "/heartbeat", nil, http.StatusNoContent}
}

// courier runs errands as agents do: without repeating any.
type courier struct {
	client *http.Client
	server string
	key    string
	tally  *tally
	giveUp context.CancelCauseFunc
}

// requestTimeout is that of agents.
const requestTimeout = 30 * time.Second

func newCourier(o FeedOptions, giveUp context.CancelCauseFunc) *courier {
	client := o.Client
	if client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = couriers
		client = &http.Client{Transport: transport, Timeout: requestTimeout}
	}
	return &courier{
		client: client,
		server: strings.TrimRight(o.Server, "/"),
		key:    o.APIKey,
		tally:  newTally(o.Hosts),
		giveUp: giveUp,
	}
}

// run sends requests of one host one after the other.
func (c *courier) run(ctx context.Context, errands []errand) {
	for _, e := range errands {
		began := time.Now()
		status, trouble := c.send(ctx, e)
		if ctx.Err() != nil {
			return // what was under way is neither success nor failure
		}
		c.tally.add(e, status, time.Since(began), trouble)
		if status == http.StatusUnauthorized && c.tally.nothingAccepted() {
			c.giveUp(ErrKey)
		}
	}
}

// send makes one request. Status 0 is no answer; trouble is empty on success.
func (c *courier) send(ctx context.Context, e errand) (status int, trouble string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server+e.path, bytes.NewReader(e.body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Trento-Apikey", c.key)
	answer, err := c.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	const enough = 4096
	text, _ := io.ReadAll(io.LimitReader(answer.Body, enough))
	if answer.StatusCode == e.want {
		return e.want, ""
	}
	return answer.StatusCode, fmt.Sprintf("%s: %s %s", e.path, answer.Status, bytes.TrimSpace(text))
}
