package command

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"trento/packaging/client"
)

// getCall is one run of trento-web get.
type getCall struct {
	connection

	output    string
	noHeaders bool
	watch     bool

	filters     []string
	searchWords string
	sort        string
	limit       int
}

// kinds returns the kinds of objects that trento-web get shows, except the
// activity log, which has a command of its own.
func kinds() []kind {
	return []kind{
		newHosts(), newClusters(), newDatabases(), newSAPSystems(), newInstances(), newHealth(),
		newAgents(), newAlerts(), newUsers(), newTokens(),
	}
}

// newGet returns the command that shows lists of a server.
func newGet(l *configLoader) *cobra.Command {
	cmd := &cobra.Command{
		Use: "get", Short: "Show hosts, clusters, SAP systems, the activity log and more, of any server",
		Long: "Show what a server knows, as a table, JSON, YAML or CSV. It asks the API of the server, on this machine or elsewhere.",
		Example: `  trento-web get health
  trento-web get hosts vmhana01 vmhana02 -o wide
  trento-web get clusters -o json | jq -r '.[] | select(.health == "critical") | .name'
  trento-web get log --severity critical --from 24h
  sudo trento-web get agents                                 of the server on this machine, without a token`,
		Args: requireKnownCommand, RunE: showHelp,
	}
	for _, k := range kinds() {
		cmd.AddCommand(newGetKind(l, k))
	}
	cmd.AddCommand(newGetLog(l))
	return cmd
}

// newGetKind returns the command that shows objects of one kind.
func newGetKind(l *configLoader, k kind) *cobra.Command {
	g := &getCall{connection: connection{loader: l}}
	all := false
	cmd := &cobra.Command{
		Use: k.name + " [NAME|ID...]", Aliases: append([]string{k.singular}, k.aliases...), Short: k.short,
		Long: k.short + ". With names or ids, only those.",
		Example: fmt.Sprintf("  trento-web get %s\n  trento-web get %s -o wide\n  trento-web get %s -o csv > %s.csv\n  trento-web get %s --watch",
			k.name, k.name, k.name, k.name, k.name),
		ValidArgsFunction: func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			return g.completeNames(cmd, &k, given)
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			if all {
				k = newTokensOfAllUsers()
			}
			return g.run(cmd, &k, names)
		},
	}
	if k.name == "tokens" {
		cmd.Flags().BoolVar(&all, "all", false, "show the tokens of all users")
	}
	if k.example != (listExample{}) {
		g.addSelection(cmd, &k)
	}
	g.addFlags(cmd)
	g.addToCommand(cmd)
	return cmd
}

// addSelection adds the flags that choose and order objects.
func (g *getCall) addSelection(cmd *cobra.Command, k *kind) {
	flags := cmd.Flags()
	flags.StringArrayVar(&g.filters, "filter", nil, "show only those with this `NAME=VALUE`, such as "+k.example.filter+"; several values of a name mean any of them")
	flags.StringVar(&g.searchWords, "search", "", "show only those in which the console shows all these `WORDS`")
	flags.StringVar(&g.sort, "sort", "", "order by these `NAMES`, descending with a minus, such as "+k.example.sort)
	flags.IntVar(&g.limit, "limit", 0, "show at most this many, up to 1000; 0 means all")
	cmd.Example += fmt.Sprintf("\n  trento-web get %s --filter %s --sort %s", k.name, k.example.filter, k.example.sort)
}

// query returns the parameters of the API for the flags of addSelection.
func (g *getCall) query() (url.Values, error) {
	query := make(url.Values)
	for _, filter := range g.filters {
		name, value, ok := strings.Cut(filter, "=")
		if !ok || name == "" {
			return nil, usageError("--filter %s: write NAME=VALUE", filter)
		}
		query.Add("filter["+name+"]", value)
	}
	if g.searchWords != "" {
		query.Set("q", g.searchWords)
	}
	if g.sort != "" {
		query.Set("sort", g.sort)
	}
	if g.limit < 0 {
		return nil, usageError("--limit must not be negative")
	} else if g.limit > 0 {
		query.Set("limit", strconv.Itoa(g.limit))
	}
	return query, nil
}

// addFlags adds the flags about the output.
func (g *getCall) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&g.output, "output", "o", tableOutput, "print a `FORM`: "+strings.Join(outputs(), ", "))
	cmd.Flags().BoolVar(&g.noHeaders, "no-headers", false, "print no titles above the columns")
	cmd.Flags().BoolVarP(&g.watch, "watch", "w", false, "go on, and print what changes, until interrupted: when the server sends an event, or every 5 s if it sends none")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// open returns the server after the flags have been checked.
func (g *getCall) open(cmd *cobra.Command) (*client.Server, error) {
	if !slices.Contains(outputs(), g.output) {
		return nil, usageError("there is no form of output %q; there are %s", g.output, strings.Join(outputs(), ", "))
	}
	return g.connection.open(cmd)
}

func (g *getCall) newPrinter(cmd *cobra.Command, columns []column) *printer {
	return &printer{
		out: cmd.OutOrStdout(), output: g.output, noHeaders: g.noHeaders, columns: columns, watching: g.watch, jsonLines: g.watch,
		colours: showsColours(cmd.OutOrStdout(), g.loader.environ),
	}
}

func (g *getCall) run(cmd *cobra.Command, k *kind, names []string) error {
	query, err := g.query()
	if err != nil {
		return err
	}
	s, err := g.open(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	p := g.newPrinter(cmd, k.columns)
	if g.watch {
		return watch(ctx, s, k, names, query, p, cmd.ErrOrStderr())
	}
	items, err := listChosen(ctx, s, k, names, query)
	if err != nil {
		return err
	}
	isTable := g.output == tableOutput || g.output == wideOutput
	switch {
	case isTable && len(items) == 0:
		return g.printEmptyText(ctx, cmd, s, k)
	case g.output == jsonOutput && len(names) == 1 && len(items) == 1:
		return printJSON(p.out, items[0].answer)
	case g.output == tableOutput && len(names) > 0 && k.describe != nil:
		for _, i := range items {
			if err := k.describe(p.out, i.answer); err != nil {
				return err
			}
		}
		return nil
	}
	if err := p.print(items, ""); err != nil {
		return err
	}
	if isTable && k.printBelow != nil && len(names) == 0 {
		return k.printBelow(ctx, s, p.out)
	}
	return nil
}

// printEmptyText prints a sentence in place of an empty table.
func (g *getCall) printEmptyText(ctx context.Context, cmd *cobra.Command, s *client.Server, k *kind) error {
	text := k.emptyText
	if text == "" {
		text = "There are no " + strings.ReplaceAll(k.name, "-", " ") + "."
		if g.searchWords != "" || len(g.filters) > 0 {
			text = "There are no such " + strings.ReplaceAll(k.name, "-", " ") + "."
		}
	}
	fmt.Fprintln(cmd.ErrOrStderr(), text)
	if k.printBelow != nil {
		return k.printBelow(ctx, s, cmd.OutOrStdout())
	}
	return nil
}

// listChosen asks a server for the objects of a kind, and returns those with
// the given names or ids, or all if there are none.
func listChosen(ctx context.Context, s *client.Server, k *kind, names []string, query url.Values) ([]item, error) {
	items, err := k.list(ctx, s, query)
	if err != nil || len(names) == 0 {
		return items, err
	}
	return chooseItems(k, items, names)
}
