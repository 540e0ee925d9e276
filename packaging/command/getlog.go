package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"trento/packaging/client"
)

// logEntry is an entry of the activity log.
type logEntry struct {
	ID       uuid.UUID       `json:"id"`
	Time     time.Time       `json:"occurred_on"`
	Severity client.Severity `json:"severity"`
	Type     string          `json:"type"`
	Actor    string          `json:"actor"`
	Metadata json.RawMessage `json:"metadata"`
}

func logColumns() []columnOf[logEntry] {
	return []columnOf[logEntry]{
		{plainColumn("TIME"), func(e *logEntry) cell { return timeCell(&e.Time) }},
		{healthColumn("SEVERITY"), func(e *logEntry) cell { return textCell(e.Severity) }},
		{plainColumn("TYPE"), func(e *logEntry) cell { return textCell(e.Type) }},
		{plainColumn("ACTOR"), func(e *logEntry) cell { return textCell(e.Actor) }},
		{plainColumn("DETAILS"), func(e *logEntry) cell { return cell{describeMetadata(e.Metadata), string(e.Metadata)} }},
		{wideColumn("ID"), func(e *logEntry) cell { return idCell(&e.ID) }},
	}
}

// describeMetadata returns the texts, numbers and booleans in the metadata of
// an entry as NAME=VALUE, without ids.
func describeMetadata(metadata json.RawMessage) string {
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(metadata))
	decoder.UseNumber() // prints large numbers as they are
	if decoder.Decode(&members) != nil {
		return "-"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name == "id" || strings.HasSuffix(name, "_id") {
			continue
		}
		switch value := members[name].(type) {
		case string:
			if strings.Contains(value, " ") {
				value = strconv.Quote(value)
			}
			parts = append(parts, name+"="+value)
		case json.Number, bool:
			parts = append(parts, fmt.Sprintf("%s=%v", name, value))
		}
	}
	return textCell(strings.Join(parts, " ")).displayText
}

// logFilter are the flags that choose entries.
type logFilter struct {
	severities, types, actors []string
	search, from, to          string
	limit                     int
}

// newGetLog returns the command that shows the activity log.
func newGetLog(l *configLoader) *cobra.Command {
	g := &getCall{connection: connection{loader: l}}
	f := new(logFilter)
	cmd := &cobra.Command{
		Use: "log", Aliases: []string{"activity-log"}, Short: "Show the activity log: what happened, when, and who did it", Args: cobra.NoArgs,
		Long: "Show the newest entries of the activity log that all flags let pass, the newest one last. With --watch, go on with entries\nas they come.\n\n" +
			"A time is a moment (2026-08-20T10:15:30Z), a day (2026-08-20), or how long ago it was (90m, 24h, 7d).",
		Example: `  trento-web get log --limit 100
  trento-web get log --severity warning,critical --from 7d
  trento-web get log --search vmhana01 --type host_health_changed -o json
  trento-web get log --watch`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return g.runLog(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.severities, "severity", nil, "only entries of these severities: debug, info, warning, critical")
	flags.StringSliceVar(&f.types, "type", nil, "only entries of these types, such as heartbeat_failed")
	flags.StringSliceVar(&f.actors, "actor", nil, "only entries of these users, or of system")
	flags.StringVar(&f.search, "search", "", "only entries with these `WORDS` in their metadata, as the console searches")
	flags.StringVar(&f.from, "from", "", "only entries of this `TIME` or later")
	flags.StringVar(&f.to, "to", "", "only entries of this `TIME` or earlier")
	flags.IntVar(&f.limit, "limit", 25, "how many entries; 0 means all")
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions([]string{"debug", "info", "warning", "critical"}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	g.addFlags(cmd)
	g.addToCommand(cmd)
	return cmd
}

// params returns the filter as parameters of the API.
func (f *logFilter) params(now time.Time) (*client.ReadActivityLogParams, error) {
	params := new(client.ReadActivityLogParams)
	if f.limit < 0 {
		return nil, usageError("--limit must not be negative")
	}
	if len(f.severities) > 0 {
		severities := make([]client.Severity, len(f.severities))
		for i, s := range f.severities {
			severities[i] = client.Severity(s)
		}
		params.Severity = &severities
	}
	if len(f.types) > 0 {
		params.Type = &f.types
	}
	if len(f.actors) > 0 {
		params.Actor = &f.actors
	}
	if f.search != "" {
		params.Search = &f.search
	}
	for _, end := range []struct {
		flag, value string
		param       **string
	}{{"--from", f.from, &params.FromDate}, {"--to", f.to, &params.ToDate}} {
		if end.value == "" {
			continue
		}
		at, err := parseTime(end.value, now)
		if err != nil {
			return nil, usageError("%s: %v", end.flag, err)
		}
		text := at.UTC().Format(time.RFC3339Nano)
		*end.param = &text
	}
	return params, nil
}

// parseTime parses an RFC 3339 time, a day in local time, or a period before
// now.
func parseTime(value string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return at, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, value, time.Local); err == nil {
			return at, nil
		}
	}
	if days, ok := strings.CutSuffix(value, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(value); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time; write 2026-08-20T10:15:30Z, 2026-08-20, 24h or 7d", value)
}

func (g *getCall) runLog(cmd *cobra.Command, f *logFilter) error {
	params, err := f.params(time.Now())
	if err != nil {
		return err
	}
	s, err := g.open(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	items, newest, err := readLog(ctx, s, params, f.limit)
	if err != nil {
		return err
	}
	p := g.newPrinter(cmd, columnsOf(logColumns()))
	if len(items) == 0 && !g.watch && (g.output == tableOutput || g.output == wideOutput) {
		fmt.Fprintln(cmd.ErrOrStderr(), "There are no such entries.")
		return nil
	}
	p.watching = false // no column for changes is needed, because entries are only added
	p.jsonLines = g.watch
	if err := p.print(items, ""); err != nil || !g.watch {
		return err
	}
	return followLog(ctx, s, params, newest, p, cmd.ErrOrStderr())
}

// pageSize is the largest page of the activity log.
const pageSize = 100

// readLog reads the newest entries, at most limit or, if that is 0, all. It
// returns them oldest first, with the cursor of the newest one.
func readLog(ctx context.Context, s *client.Server, params *client.ReadActivityLogParams, limit int) (items []item, newest *string, err error) {
	page := *params
	for limit == 0 || len(items) < limit {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(items))
		}
		page.First = &size
		more, p, err := readLogPage(ctx, s, &page)
		if err != nil {
			return nil, nil, err
		}
		if newest == nil {
			newest = p.StartCursor
		}
		items = append(items, more...)
		if !p.HasNextPage {
			break
		}
		page.After = p.EndCursor
	}
	slices.Reverse(items)
	return items, newest, nil
}

// logPage describes the position of a page in the activity log.
type logPage struct {
	StartCursor, EndCursor       *string
	HasNextPage, HasPreviousPage bool
}

// readLogPage reads one page, newest first.
func readLogPage(ctx context.Context, s *client.Server, params *client.ReadActivityLogParams) ([]item, logPage, error) {
	answer, err := s.ReadActivityLogWithResponse(ctx, params)
	if err != nil {
		return nil, logPage{}, err
	}
	var body struct {
		Data []json.RawMessage
	}
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		return nil, logPage{}, err
	}
	entries := make([]logEntry, len(body.Data))
	for i, text := range body.Data {
		if err := json.Unmarshal(text, &entries[i]); err != nil {
			return nil, logPage{}, err
		}
	}
	items, err := itemsOf(body.Data, entries, logColumns(), func(e *logEntry) (string, string) { return e.ID.String(), "" })
	at := answer.JSON200.Pagination
	return items, logPage{at.StartCursor, at.EndCursor, at.HasNextPage, at.HasPreviousPage}, err
}
