package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

// tokenUse is an entry of the log of token uses: a request that was made with a
// token.
type tokenUse struct {
	ID            string    `json:"id"` // also the cursor of the page after it
	TokenID       string    `json:"token_id"`
	TokenName     string    `json:"token_name"`
	OccurredOn    timestamp `json:"occurred_on"`
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Status        int       `json:"status"`
	RemoteAddress string    `json:"remote_address"`
	UserAgent     string    `json:"user_agent"`
	Via           string    `json:"via"`
}

// tokenUsePage is a page of the log of token uses, newest entry first.
type tokenUsePage struct {
	Data       []tokenUse `json:"data"`
	Pagination pagination `json:"pagination"`
}

// tokenUseQuery selects entries of a user's log of token uses.
type tokenUseQuery struct {
	user    int64
	tokenID string // empty: all tokens
	after   activity.Position
	first   int
}

// readTokenUses reads a user's log of token uses. It first writes the uses that
// are still in memory to the log.
func (a *API) readTokenUses(ctx context.Context, q tokenUseQuery) (uses []store.TokenUse, more bool, err error) {
	if err := a.deps.Store.FlushTokenUses(ctx); err != nil {
		return nil, false, err
	}
	err = a.deps.Store.View(func(tx *store.Tx) error {
		if _, err := tx.User(q.user); err != nil {
			return err
		}
		found, next, err := tx.TokenUses(q.user, q.tokenID, q.after, q.first)
		uses, more = found, next != 0
		return err
	})
	return uses, more, err
}

// listOwnTokenUses answers GET /api/v1/profile/token_authentications.
func (a *API) listOwnTokenUses(w http.ResponseWriter, r *http.Request) error {
	return a.sendTokenUses(w, readInput(r), auth.From(r.Context()).User.ID)
}

// listTokenUsesOf answers GET /api/v1/users/{id}/token_authentications.
func (a *API) listTokenUsesOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	return a.sendTokenUses(w, in, in.pathNumber("id"))
}

func (a *API) sendTokenUses(w http.ResponseWriter, in *input, user int64) error {
	size, after := in.queryPage()
	q := tokenUseQuery{user: user, tokenID: in.queryID("token_id"), first: size}
	if err := in.fault(); err != nil {
		return err
	}
	if !isBlank(after) {
		var err error
		if q.after, err = activity.ParseCursor(after); err != nil || q.after == 0 {
			return errBadRequest
		}
	}
	uses, more, err := a.readTokenUses(in.r.Context(), q)
	if err != nil {
		return err
	}
	page := tokenUsePage{Data: make([]tokenUse, len(uses))}
	for i, u := range uses {
		page.Data[i] = tokenUse{
			ID: u.Position.Cursor(), TokenID: u.TokenID, TokenName: u.TokenName, OccurredOn: timestamp(u.OccurredOn()), Method: u.Method,
			Path: u.Path, Status: u.Status, RemoteAddress: u.Address, UserAgent: u.UserAgent, Via: u.Via,
		}
	}
	if n := len(page.Data); n > 0 {
		page.Pagination.EndCursor = &page.Data[n-1].ID
	}
	page.Pagination.First, page.Pagination.HasNextPage = q.first, more
	return send(w, http.StatusOK, page)
}

// exportOwnTokenUses answers GET /api/v1/profile/token_authentications.csv.
func (a *API) exportOwnTokenUses(w http.ResponseWriter, r *http.Request) error {
	return a.sendTokenUsesCSV(w, readInput(r), auth.From(r.Context()).User.ID)
}

// exportTokenUsesOf answers GET /api/v1/users/{id}/token_authentications.csv.
func (a *API) exportTokenUsesOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	return a.sendTokenUsesCSV(w, in, in.pathNumber("id"))
}

// maxTokenUsesCSV is the largest number of entries in a CSV file. Older entries
// are left out.
const maxTokenUsesCSV = 10_000

func (a *API) sendTokenUsesCSV(w http.ResponseWriter, in *input, user int64) error {
	withByteOrderMark := in.queryBool("bom")
	q := tokenUseQuery{user: user, tokenID: in.queryID("token_id"), first: maxTokenUsesCSV}
	if err := in.fault(); err != nil {
		return err
	}
	uses, _, err := a.readTokenUses(in.r.Context(), q)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := writeTokenUses(&body, uses, withByteOrderMark); err != nil {
		return err
	}
	SetCSVHeader(w.Header(), "token_authentications.csv")
	_, _ = w.Write(body.Bytes()) // an error means that the client has gone
	return nil
}

func writeTokenUses(w io.Writer, uses []store.TokenUse, withByteOrderMark bool) error {
	out, err := NewCSVWriter(w, withByteOrderMark)
	if err != nil {
		return err
	}
	if err := out.Write("Time (UTC)", "Token", "Token ID", "Method", "Path", "Status", "Address", "User agent", "Via"); err != nil {
		return err
	}
	for _, u := range uses {
		if err := out.Write(CSVTime(u.OccurredOn()), u.TokenName, u.TokenID, u.Method, u.Path, strconv.Itoa(u.Status), u.Address, u.UserAgent, u.Via); err != nil {
			return err
		}
	}
	return out.Flush()
}
