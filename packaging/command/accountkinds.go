package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"trento/packaging/client"
)

func newUsers() kind {
	columns := []columnOf[client.User]{
		{plain("NAME"), func(u *client.User) cell { return text(u.Username) }},
		{plain("FULL NAME"), func(u *client.User) cell { return text(u.Fullname) }},
		{plain("E-MAIL"), func(u *client.User) cell { return text(u.Email) }},
		{plain("STATUS"), func(u *client.User) cell {
			if !u.Enabled {
				return text("disabled")
			}
			return text("active")
		}},
		{plain("PERMISSIONS"), func(u *client.User) cell { return list(permissions(u.Abilities)) }},
		{plain("LAST SIGN-IN"), func(u *client.User) cell { return moment(u.LastLoginAt) }},
		{wide("SECOND FACTOR SINCE"), func(u *client.User) cell { return moment(u.TotpEnabledAt) }},
		{wide("TOKENS"), func(u *client.User) cell { return text(strconv.Itoa(len(u.PersonalAccessTokens))) }},
		{wide("CREATED"), func(u *client.User) cell { return moment(&u.CreatedAt) }},
		{wide("ID"), func(u *client.User) cell { return text(strconv.Itoa(u.Id)) }},
	}
	return kind{
		name: "users", singular: "user", topics: []client.EventResourceKind{"user"}, short: "Show users: status, permissions, last sign-in", columns: columnsOf(columns),
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListUsersWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(u *client.User) (string, string) { return strconv.Itoa(u.Id), u.Username })
		},
	}
}

func permissions(abilities []client.Ability) []string {
	names := make([]string, len(abilities))
	for i, a := range abilities {
		names[i] = a.Name + ":" + a.Resource
	}
	return names
}

// tokenColumns are the columns of tokens behind the name of the owner.
func tokenColumns[T any](token func(*T) *client.Token) []columnOf[T] {
	return []columnOf[T]{
		{plain("NAME"), func(t *T) cell { return text(token(t).Name) }},
		{plain("STATUS"), func(t *T) cell { return text(token(t).Status) }},
		{plain("SCOPES"), func(t *T) cell { return list(token(t).Scopes) }},
		{plain("EXPIRES"), func(t *T) cell { return momentOrNever(token(t).ExpiresAt) }},
		{plain("LAST USED"), func(t *T) cell { return moment(token(t).LastUsedAt) }},
		{wide("DESCRIPTION"), func(t *T) cell { return text(token(t).Description) }},
		{wide("CREATED"), func(t *T) cell { return moment(&token(t).CreatedAt) }},
		{wide("ID"), func(t *T) cell { return identity(&token(t).Id) }},
	}
}

func newTokens() kind {
	columns := tokenColumns(func(t *client.Token) *client.Token { return t })
	return kind{
		name: "tokens", singular: "token", topics: []client.EventResourceKind{"user"}, short: "Show your personal access tokens: scopes, end, last use", columns: columnsOf(columns),
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListOwnTokensWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(t *client.Token) (string, string) { return t.Id.String(), t.Name })
		},
	}
}

// newTokensOfAll is what "trento-web get tokens --all" shows.
func newTokensOfAll() kind {
	asToken := func(t *client.AnyToken) *client.Token {
		return &client.Token{
			Id: t.Id, Name: t.Name, Status: client.TokenStatus(t.Status), Scopes: t.Scopes, Description: t.Description,
			CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt,
		}
	}
	columns := append([]columnOf[client.AnyToken]{{plain("OWNER"), func(t *client.AnyToken) cell { return text(t.Username) }}}, tokenColumns(asToken)...)
	k := newTokens()
	k.columns = columnsOf(columns)
	k.list = func(ctx context.Context, s *client.Server, query url.Values) (items []item, err error) {
		size := 100
		params := &client.ListAllTokensParams{First: &size}
		for {
			answer, err := s.ListAllTokensWithResponse(ctx, params, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			var page struct{ Data []json.RawMessage }
			if err := json.Unmarshal(answer.Body, &page); err != nil {
				return nil, err
			}
			more, err := itemsOf(page.Data, answer.JSON200.Data, columns, func(t *client.AnyToken) (string, string) { return t.Id.String(), t.Name })
			if err != nil {
				return nil, err
			}
			items = append(items, more...)
			if !answer.JSON200.Pagination.HasNextPage {
				return items, nil
			}
			params.After = answer.JSON200.Pagination.EndCursor
		}
	}
	return k
}

// shownAlert is an alert that waits, or a message about alerts.
type shownAlert struct {
	waiting *client.WaitingAlert
	message *client.AlertMessage
}

func newAlerts() kind {
	columns := []columnOf[shownAlert]{
		{plain("TIME"), func(a *shownAlert) cell {
			if a.waiting != nil {
				return moment(&a.waiting.Since)
			}
			return moment(&a.message.Time)
		}},
		{plain("STATE"), func(a *shownAlert) cell {
			switch {
			case a.waiting != nil:
				return cell{"waits until " + timeOf(&a.waiting.Until), "waits"}
			case a.message.Form == "held_back":
				return text("held back")
			}
			return text("message")
		}},
		{plain("MAIL"), func(a *shownAlert) cell { return channelState(a.message, mailOf) }},
		{plain("WEBHOOK"), func(a *shownAlert) cell { return channelState(a.message, webhookOf) }},
		{plain("ABOUT"), func(a *shownAlert) cell {
			if a.waiting != nil {
				return text(a.waiting.Text)
			}
			return text(a.message.Subject)
		}},
		{plain("REASON"), func(a *shownAlert) cell {
			if a.waiting != nil {
				return text(a.waiting.Reason)
			}
			return textOrNil(a.message.Reason)
		}},
	}
	return kind{
		name: "alerts", singular: "alert", short: "Show alerts that wait, and messages that were sent or held back", columns: columnsOf(columns),
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListAlertsWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			var parts struct{ Waiting, Messages []json.RawMessage }
			if err := json.Unmarshal(answer.Body, &parts); err != nil {
				return nil, err
			}
			var alerts []shownAlert
			for i := range answer.JSON200.Waiting {
				alerts = append(alerts, shownAlert{waiting: &answer.JSON200.Waiting[i]})
			}
			for i := range answer.JSON200.Messages {
				alerts = append(alerts, shownAlert{message: &answer.JSON200.Messages[i]})
			}
			return itemsOf(append(parts.Waiting, parts.Messages...), alerts, columns, identifyAlert)
		},
	}
}

func identifyAlert(a *shownAlert) (id, name string) {
	if a.waiting != nil {
		return fmt.Sprint(a.waiting.Type, "/", a.waiting.Resource.Id), a.waiting.Resource.Name
	}
	id = strconv.Itoa(a.message.Id)
	if len(a.message.Alerts) == 1 {
		return id, a.message.Alerts[0].Resource.Name
	}
	return id, ""
}

func mailOf(m *client.AlertMessage) *client.AlertChannel    { return m.Mail }
func webhookOf(m *client.AlertMessage) *client.AlertChannel { return m.Webhook }

// channelState returns what became of a message on one of its ways.
func channelState(m *client.AlertMessage, channel func(*client.AlertMessage) *client.AlertChannel) cell {
	if m == nil || channel(m) == nil {
		return text("")
	}
	c := channel(m)
	if c.Failure != nil && c.State != "sent" {
		return cell{string(c.State) + ": " + *c.Failure, string(c.State)}
	}
	return text(c.State)
}
