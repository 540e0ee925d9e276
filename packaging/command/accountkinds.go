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
		{plainColumn("NAME"), func(u *client.User) cell { return textCell(u.Username) }},
		{plainColumn("FULL NAME"), func(u *client.User) cell { return textCell(u.Fullname) }},
		{plainColumn("E-MAIL"), func(u *client.User) cell { return textCell(u.Email) }},
		{plainColumn("STATUS"), func(u *client.User) cell {
			if !u.Enabled {
				return textCell("Disabled")
			}
			return textCell("Enabled")
		}},
		{plainColumn("PERMISSIONS"), func(u *client.User) cell { return listCell(permissions(u.Abilities)) }},
		{plainColumn("LAST SIGN-IN"), func(u *client.User) cell { return timeCell(u.LastLoginAt) }},
		{wideColumn("SECOND FACTOR SINCE"), func(u *client.User) cell { return timeCell(u.TotpEnabledAt) }},
		{wideColumn("TOKENS"), func(u *client.User) cell { return textCell(strconv.Itoa(len(u.PersonalAccessTokens))) }},
		{wideColumn("CREATED"), func(u *client.User) cell { return timeCell(&u.CreatedAt) }},
		{wideColumn("ID"), func(u *client.User) cell { return textCell(strconv.Itoa(u.Id)) }},
	}
	return kind{
		name: "users", singular: "user", topics: []client.EventResourceKind{"user"}, short: "Show users: status, permissions, last sign-in", columns: columnsOf(columns),
		example: listExample{"status=Disabled", "-last_login"}, idsQuery: url.Values{"fields": {"id,username"}},
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
		{plainColumn("NAME"), func(t *T) cell { return textCell(token(t).Name) }},
		{plainColumn("STATUS"), func(t *T) cell { return textCell(token(t).Status) }},
		{plainColumn("SCOPES"), func(t *T) cell { return listCell(token(t).Scopes) }},
		{plainColumn("EXPIRES"), func(t *T) cell { return timeOrNeverCell(token(t).ExpiresAt) }},
		{plainColumn("LAST USED"), func(t *T) cell { return timeCell(token(t).LastUsedAt) }},
		{wideColumn("DESCRIPTION"), func(t *T) cell { return textCell(token(t).Description) }},
		{wideColumn("CREATED"), func(t *T) cell { return timeCell(&token(t).CreatedAt) }},
		{wideColumn("ID"), func(t *T) cell { return idCell(&token(t).Id) }},
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

// newTokensOfAllUsers is what "trento-web get tokens --all" shows.
func newTokensOfAllUsers() kind {
	asToken := func(t *client.AnyToken) *client.Token {
		return &client.Token{
			Id: t.Id, Name: t.Name, Status: client.TokenStatus(t.Status), Scopes: t.Scopes, Description: t.Description,
			CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt,
		}
	}
	columns := append([]columnOf[client.AnyToken]{{plainColumn("OWNER"), func(t *client.AnyToken) cell { return textCell(t.Username) }}}, tokenColumns(asToken)...)
	k := newTokens()
	k.columns = columnsOf(columns)
	k.list = func(ctx context.Context, s *client.Server, query url.Values) (items []item, err error) {
		page := url.Values{"first": {strconv.Itoa(pageSize)}}
		for {
			answer, err := s.ListAllTokensWithResponse(ctx, client.WithQuery(query), client.WithQuery(page))
			if err != nil {
				return nil, err
			}
			var body struct{ Data []json.RawMessage }
			if err := json.Unmarshal(answer.Body, &body); err != nil {
				return nil, err
			}
			more, err := itemsOf(body.Data, answer.JSON200.Data, columns, func(t *client.AnyToken) (string, string) { return t.Id.String(), t.Name })
			if err != nil {
				return nil, err
			}
			items = append(items, more...)
			if !answer.JSON200.Pagination.HasNextPage {
				return items, nil
			}
			page.Set("after", *answer.JSON200.Pagination.EndCursor) // there is one before a next page
		}
	}
	return k
}

// alertItem is an alert that waits, or a message about alerts.
type alertItem struct {
	waiting *client.WaitingAlert
	message *client.AlertMessage
}

func newAlerts() kind {
	columns := []columnOf[alertItem]{
		{plainColumn("TIME"), func(a *alertItem) cell {
			if a.waiting != nil {
				return timeCell(&a.waiting.Since)
			}
			return timeCell(&a.message.Time)
		}},
		{plainColumn("STATE"), func(a *alertItem) cell {
			switch {
			case a.waiting != nil:
				return cell{"waits until " + timeOf(&a.waiting.Until), "waits"}
			case a.message.Form == "held_back":
				return textCell("held back")
			}
			return textCell("message")
		}},
		{plainColumn("MAIL"), func(a *alertItem) cell { return channelState(a.message, mailOf) }},
		{plainColumn("WEBHOOK"), func(a *alertItem) cell { return channelState(a.message, webhookOf) }},
		{plainColumn("ABOUT"), func(a *alertItem) cell {
			if a.waiting != nil {
				return textCell(a.waiting.Text)
			}
			return textCell(a.message.Subject)
		}},
		{plainColumn("REASON"), func(a *alertItem) cell {
			if a.waiting != nil {
				return textCell(a.waiting.Reason)
			}
			return optionalTextCell(a.message.Reason)
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
			var alerts []alertItem
			for i := range answer.JSON200.Waiting {
				alerts = append(alerts, alertItem{waiting: &answer.JSON200.Waiting[i]})
			}
			for i := range answer.JSON200.Messages {
				alerts = append(alerts, alertItem{message: &answer.JSON200.Messages[i]})
			}
			return itemsOf(append(parts.Waiting, parts.Messages...), alerts, columns, identifyAlert)
		},
	}
}

func identifyAlert(a *alertItem) (id, name string) {
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
		return textCell("")
	}
	c := channel(m)
	if c.Failure != nil && c.State != "sent" {
		return cell{string(c.State) + ": " + *c.Failure, string(c.State)}
	}
	return textCell(c.State)
}
