package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"trento/packaging/client"
)

// noAgents is shown in place of an empty list of agents.
const noAgents = `No agent has reported yet. The page "Connect an agent" of the console shows how to connect one.`

func newAgents() kind {
	columns := []columnOf[client.Agent]{
		{plainColumn("HOST"), func(a *client.Agent) cell { return textCell(agentName(a)) }},
		{plainColumn("VERSION"), func(a *client.Agent) cell { return optionalTextCell(a.AgentVersion) }},
		{plainColumn("LAST REPORT"), func(a *client.Agent) cell { return timeCell(a.LastReportAt) }},
		{plainColumn("MESSAGES"), func(a *client.Agent) cell { return textCell(describeMessageConnection(a)) }},
		{plainColumn("REPORTS"), func(a *client.Agent) cell { return textCell(describeReports(a)) }},
		{wideColumn("ID"), func(a *client.Agent) cell { return idCell(&a.AgentId) }},
	}
	return kind{
		name: "agents", singular: "agent", topics: []client.EventResourceKind{"host"}, short: "Show agents: last report, messages, refusals", columns: columnsOf(columns), emptyText: noAgents,
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListAgentsWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(a *client.Agent) (string, string) { return a.AgentId.String(), agentName(a) })
		},
		describe: printAgent, printBelow: printRefusals,
	}
}

// agentName returns the host name of an agent, or its id if its host is not
// registered.
func agentName(a *client.Agent) string {
	if a.Hostname == nil {
		return a.AgentId.String()
	}
	return *a.Hostname
}

// printRefusals prints a line for each address from which agents were refused
// since the server was started.
func printRefusals(ctx context.Context, s *client.Server, out io.Writer) error {
	answer, err := s.ListAgentRefusalsWithResponse(ctx)
	if err != nil || len(*answer.JSON200) == 0 {
		return err
	}
	fmt.Fprintln(out, "\nRefused since the server was started:")
	table := newTable(out, "ADDRESS", "REFUSED", "LAST", "ATTEMPTS", "REASON")
	for _, r := range *answer.JSON200 {
		table.row(r.Address, string(r.Of), timeOf(&r.LastAt), strconv.Itoa(r.Attempts), r.Reason)
	}
	return table.Flush()
}

// describeMessageConnection says whether an agent is connected for messages.
func describeMessageConnection(a *client.Agent) string {
	switch m := a.Messages; {
	case m == nil:
		return "not known here"
	case !m.Connected:
		return "not connected"
	default:
		return "connected from " + strings.Join(m.Addresses, ", ")
	}
}

// describeReports names the kinds of reports that could not be used, or only in
// part, or are overdue.
func describeReports(a *client.Agent) string {
	var faulty []string
	for _, r := range a.Reports {
		if r.State != "used" {
			faulty = append(faulty, string(r.DiscoveryType)+" "+replaceUnderscores(r.State))
		} else if r.Overdue {
			faulty = append(faulty, string(r.DiscoveryType)+" overdue")
		}
	}
	if len(faulty) == 0 {
		return "ok"
	}
	return strings.Join(faulty, ", ")
}

// replaceUnderscores converts a name of the API to words.
func replaceUnderscores[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }

// printAgent prints all that is known of an agent.
func printAgent(out io.Writer, answer json.RawMessage) error {
	a := new(client.Agent)
	if err := json.Unmarshal(answer, a); err != nil {
		return err
	}
	messages := describeMessageConnection(a)
	if m := a.Messages; m != nil && m.Connected {
		messages += " since " + timeOf(m.Since) + ", waits for " + listCell(m.Receives).displayText
	}
	fmt.Fprintf(out, "Host      %s\nAgent     %s, version %s\nMessages  %s\n\n", replaceControlChars(agentName(a)), a.AgentId, replaceControlChars(textOf(a.AgentVersion)), messages)
	reports := newTable(out, "REPORT", "LAST", "USED")
	for _, r := range a.Reports {
		used := "yes"
		if r.State != "used" {
			used = replaceUnderscores(r.State) + " since " + timeOf(r.Since)
		}
		if r.Stale {
			used += ", out of date"
		}
		if r.Overdue {
			used += ", the next one is overdue"
		}
		reports.row(string(r.DiscoveryType), timeOf(r.Last), used)
	}
	if err := reports.Flush(); err != nil {
		return err
	}
	return printProblems(out, a)
}

// printProblems prints what could not be read of the reports of an agent.
func printProblems(out io.Writer, a *client.Agent) error {
	problems := newTable(out, "REPORT", "FIELD", "PROBLEM")
	for _, r := range a.Reports {
		for _, p := range r.Problems {
			problems.row(string(r.DiscoveryType), p.Pointer, p.Detail)
		}
		if more := r.ProblemCount - len(r.Problems); more > 0 {
			problems.row(string(r.DiscoveryType), "", fmt.Sprintf("and %d more", more))
		}
	}
	if len(problems.rows) == 1 {
		return nil // nothing but the titles
	}
	fmt.Fprintln(out)
	return problems.Flush()
}
