package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trento/packaging/server"
)

// newAgents returns the command that shows the agents of the running server.
func newAgents(l *configLoader) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "agents [HOST]", Short: "Show the agents of the running server", Args: cobra.MaximumNArgs(1),
		Long: "Show the agents of the server that runs on this machine: when each reported last, whether and from where it\n" +
			"is connected for messages, and from where agents were refused and why. With a host name or agent id, show when each kind\n" +
			"of report of that agent came last and what could not be read.\n" +
			"Run it as root or as the user the server runs as, with the same configuration.",
		Example: `  trento-web agents --config /etc/trento/trento-web
  trento-web agents vmhana01
  trento-web agents --json | jq '.[] | select(.messages.connected | not) | .hostname'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := l.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			var answer json.RawMessage
			if err := server.Get(cmd.Context(), c, "/api/v1/agents", &answer); err != nil {
				return err
			}
			if asJSON && len(args) == 0 {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			var agents []agent
			if err := json.Unmarshal(answer, &agents); err != nil {
				return err
			}
			if len(args) == 1 {
				return printAgentNamed(cmd.OutOrStdout(), agents, args[0], asJSON)
			}
			var refusals []agentRefusal
			if err := server.Get(cmd.Context(), c, "/api/v1/agents/refusals", &refusals); err != nil {
				return err
			}
			return errors.Join(printAgents(cmd.OutOrStdout(), agents), printRefusals(cmd.OutOrStdout(), refusals))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer of the API")
	return cmd
}

// agent is what the command shows of an agent, from the answer of the API.
type agent struct {
	ID           string         `json:"agent_id"`
	Hostname     *string        `json:"hostname"`
	Version      *string        `json:"agent_version"`
	LastReportAt *time.Time     `json:"last_report_at"`
	Messages     *agentMessages `json:"messages"`
	Reports      []agentReport  `json:"reports"`

	answer json.RawMessage
}

type agentMessages struct {
	Connected bool       `json:"connected"`
	Since     *time.Time `json:"since"`
	Addresses []string   `json:"addresses"`
	Receives  []string   `json:"receives"`
}

type agentReport struct {
	Kind         string     `json:"discovery_type"`
	State        string     `json:"state"`
	Since        *time.Time `json:"since"`
	Last         *time.Time `json:"last"`
	Stale        bool       `json:"stale"`
	Overdue      bool       `json:"overdue"`
	ProblemCount int        `json:"problem_count"`
	Problems     []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"problems"`
}

// UnmarshalJSON keeps the text, so that it can be printed as it is.
func (a *agent) UnmarshalJSON(text []byte) error {
	type fields agent
	if err := json.Unmarshal(text, (*fields)(a)); err != nil {
		return err
	}
	a.answer = append(json.RawMessage(nil), text...)
	return nil
}

// name returns the host name of the agent, or its id if its host is not
// registered.
func (a *agent) name() string {
	if a.Hostname == nil {
		return a.ID
	}
	return *a.Hostname
}

// printAgents prints a line for each agent.
func printAgents(out io.Writer, agents []agent) error {
	if len(agents) == 0 {
		_, err := fmt.Fprintln(out, `No agent has reported yet. The page "Connect an agent" of the console shows how to connect one.`)
		return err
	}
	table := newTable(out, "HOST", "VERSION", "LAST REPORT", "MESSAGES", "REPORTS")
	for i := range agents {
		a := &agents[i]
		table.row(a.name(), textOf(a.Version), timeOf(a.LastReportAt), describeMessages(a.Messages), describeReports(a.Reports))
	}
	return table.Flush()
}

// agentRefusal is what the command shows of an address from which agents were
// refused.
type agentRefusal struct {
	Of       string    `json:"of"` // "reports" or "messages"
	Address  string    `json:"address"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	Last     time.Time `json:"last_at"`
}

// printRefusals prints a line for each address from which agents were refused
// since the server was started.
func printRefusals(out io.Writer, refusals []agentRefusal) error {
	if len(refusals) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nRefused since the server was started:")
	table := newTable(out, "ADDRESS", "REFUSED", "LAST", "ATTEMPTS", "REASON")
	for i := range refusals {
		r := &refusals[i]
		table.row(r.Address, r.Of, timeOf(&r.Last), strconv.Itoa(r.Attempts), r.Reason)
	}
	return table.Flush()
}

// describeMessages says whether an agent is connected for messages. m is nil if
// the server does not know.
func describeMessages(m *agentMessages) string {
	switch {
	case m == nil:
		return "not known here"
	case !m.Connected:
		return "not connected"
	}
	return "connected from " + strings.Join(m.Addresses, ", ")
}

// describeReports says which kinds of reports could not be used, wholly or in
// part, or are overdue.
func describeReports(reports []agentReport) string {
	var faulty []string
	for _, r := range reports {
		if r.State != "used" {
			faulty = append(faulty, r.Kind+" "+strings.ReplaceAll(r.State, "_", " "))
		} else if r.Overdue {
			faulty = append(faulty, r.Kind+" overdue")
		}
	}
	if len(faulty) == 0 {
		return "ok"
	}
	return strings.Join(faulty, ", ")
}

// printAgentNamed prints all that is known of the agents with a host name or
// id. Several hosts can have the same name.
func printAgentNamed(out io.Writer, agents []agent, name string, asJSON bool) error {
	found := false
	for i := range agents {
		a := &agents[i]
		if a.ID != strings.ToLower(name) && a.name() != name {
			continue
		}
		print := printAgent
		if asJSON {
			print = func(out io.Writer, a *agent) error { return printJSON(out, a.answer) }
		}
		if err := print(out, a); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return fmt.Errorf("no agent has the host name or id %q; \"trento-web agents\" lists them", name)
	}
	return nil
}

func printAgent(out io.Writer, a *agent) error {
	messages := describeMessages(a.Messages)
	if m := a.Messages; m != nil && m.Connected {
		messages += " since " + timeOf(m.Since) + ", waits for " + strings.Join(m.Receives, ", ")
	}
	fmt.Fprintf(out, "Host      %s\nAgent     %s, version %s\nMessages  %s\n\n", printable(a.name()), a.ID, printable(textOf(a.Version)), messages)
	reports := newTable(out, "REPORT", "LAST", "USED")
	for _, r := range a.Reports {
		used := "yes"
		if r.State != "used" {
			used = strings.ReplaceAll(r.State, "_", " ") + " since " + timeOf(r.Since)
		}
		if r.Stale {
			used += ", out of date"
		}
		if r.Overdue {
			used += ", the next one is overdue"
		}
		reports.row(r.Kind, timeOf(r.Last), used)
	}
	if err := reports.Flush(); err != nil {
		return err
	}
	return printProblems(out, a.Reports)
}

// printProblems prints what could not be read of reports.
func printProblems(out io.Writer, reports []agentReport) error {
	reports = slices.DeleteFunc(slices.Clone(reports), func(r agentReport) bool { return r.ProblemCount == 0 })
	if len(reports) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	problems := newTable(out, "REPORT", "FIELD", "PROBLEM")
	for _, r := range reports {
		for _, p := range r.Problems {
			problems.row(r.Kind, p.Pointer, p.Detail)
		}
		if more := r.ProblemCount - len(r.Problems); more > 0 {
			problems.row(r.Kind, "", fmt.Sprintf("and %d more", more))
		}
	}
	return problems.Flush()
}

// printJSON prints a JSON text in an indented form.
func printJSON(out io.Writer, text json.RawMessage) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(text)
}

// textTable prints rows in columns. Flush must be called after the last one.
type textTable struct{ *tabwriter.Writer }

func newTable(out io.Writer, titles ...string) textTable {
	t := textTable{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.row(titles...)
	return t
}

func (t textTable) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
}

// printable replaces the control characters of a text that an agent has sent.
// They could change what a terminal shows elsewhere.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// textOf returns a text, or a dash for nil.
func textOf(text *string) string {
	if text == nil || *text == "" {
		return "-"
	}
	return *text
}

// timeOf returns a time as the console shows it, or a dash for nil.
func timeOf(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04:05 MST")
}
