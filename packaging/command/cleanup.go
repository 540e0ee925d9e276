package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"trento/packaging/client"
)

// newCleanup returns the command that removes silent hosts and absent
// instances.
func newCleanup(l *configLoader) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cleanup", Short: "Remove hosts that are gone, and instances that are absent",
		Long: "Remove hosts whose agents are silent, and instances that their hosts no longer list. What still reports cannot be removed.",
		Example: `  trento-web cleanup host vmhana07
  trento-web cleanup instance PRD 00 vmapp01 --yes`,
		Args: requireKnownCommand, RunE: showHelp,
	}
	cmd.AddCommand(newCleanupHost(l), newCleanupInstance(l))
	return cmd
}

// cleanupCall is one run of trento-web cleanup.
type cleanupCall struct {
	connection

	yes bool
}

func (c *cleanupCall) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	c.addToCommand(cmd)
}

func newCleanupHost(l *configLoader) *cobra.Command {
	c := &cleanupCall{connection: connection{loader: l}}
	hosts := newHosts()
	cmd := &cobra.Command{
		Use: "host NAME|ID", Short: "Remove a host whose agent is silent", Args: cobra.ExactArgs(1),
		Long: "Remove a host whose agent is silent, with the instances on it and what cannot be without them. Its tags are kept for its\n" +
			"return: an agent that still runs brings the host back with its next report.",
		Example: "  trento-web cleanup host vmhana07\n  trento-web cleanup host vmhana07 --yes",
		ValidArgsFunction: func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return c.completeNames(cmd, &hosts, nil)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.cleanUpHost(cmd, &hosts, args[0]) },
	}
	c.addFlags(cmd)
	return cmd
}

func (c *cleanupCall) cleanUpHost(cmd *cobra.Command, hosts *kind, name string) error {
	s, err := c.open(cmd)
	if err != nil {
		return err
	}
	items, err := hosts.list(cmd.Context(), s, hosts.idsQuery)
	if err != nil {
		return err
	}
	host, err := chooseOne(hosts, items, name)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(host.id)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("host %s (%s)", replaceControlChars(host.name), host.id)
	if err := c.confirm(cmd, what+" with all instances on it"); err != nil {
		return err
	}
	if _, err := s.RemoveHostWithResponse(cmd.Context(), id); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is removed\n", what)
	return err
}

func newCleanupInstance(l *configLoader) *cobra.Command {
	c := &cleanupCall{connection: connection{loader: l}}
	cmd := &cobra.Command{
		Use: "instance SID NUMBER HOST", Short: "Remove an instance that its host no longer lists", Args: cobra.ExactArgs(3),
		Long: "Remove an instance of a database or an SAP system that its host no longer lists. A system that cannot be without it leaves\n" +
			"the landscape. HOST is the name or id of the host; \"trento-web get instances\" shows all three.",
		Example: "  trento-web cleanup instance PRD 00 vmapp01\n  trento-web cleanup instance HDB 10 vmhana02 --yes",
		ValidArgsFunction: func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			return c.completeInstance(cmd, given), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.cleanUpInstance(cmd, args) },
	}
	c.addFlags(cmd)
	return cmd
}

// identifyingArgs returns the values that choose the instance on the command line:
// SID, number and host.
func (i *instance) identifyingArgs() []string { return []string{i.Sid, i.InstanceNumber, i.hostname} }

// matchesArgs reports whether the instance has the values at the beginning of
// the command line.
func (i *instance) matchesArgs(args []string) bool {
	for n, part := range i.identifyingArgs()[:len(args)] {
		if args[n] != part && (n != 2 || !strings.EqualFold(args[n], i.HostId.String())) {
			return false
		}
	}
	return true
}

// completeInstance returns the possible next values on the command line. Only
// absent instances can be chosen.
func (c *cleanupCall) completeInstance(cmd *cobra.Command, given []string) (values []string) {
	if len(given) > 2 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
	defer cancel()
	s, err := c.open(cmd)
	if err != nil {
		return nil
	}
	instances, _, err := listInstances(ctx, s)
	if err != nil {
		return nil
	}
	for i := range instances {
		if instances[i].AbsentAt != nil && instances[i].matchesArgs(given) {
			values = append(values, replaceControlChars(instances[i].identifyingArgs()[len(given)]))
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func (c *cleanupCall) cleanUpInstance(cmd *cobra.Command, args []string) error {
	s, err := c.open(cmd)
	if err != nil {
		return err
	}
	all, _, err := listInstances(cmd.Context(), s)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(all, func(i instance) bool { return !i.matchesArgs(args) })
	what := fmt.Sprintf("instance %s %s on host %s", args[0], args[1], args[2])
	switch {
	case len(found) == 0:
		return noSuchNameError("there is no %s; \"trento-web get instances\" lists them", what)
	case len(found) > 1:
		return noSuchNameError("there are %d of %s; choose one by the id of its host: %s", len(found), what, strings.Join(hostIDs(found), ", "))
	}
	if err := c.confirm(cmd, what); err != nil {
		return err
	}
	if err := removeInstance(cmd.Context(), s, &found[0]); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is removed\n", what)
	return err
}

func hostIDs(instances []instance) []string {
	ids := make([]string, len(instances))
	for i := range instances {
		ids[i] = instances[i].HostId.String()
	}
	return ids
}

func removeInstance(ctx context.Context, s *client.Server, i *instance) error {
	if i.database {
		_, err := s.RemoveDatabaseInstanceWithResponse(ctx, i.systemID, i.HostId, i.InstanceNumber)
		return err
	}
	_, err := s.RemoveApplicationInstanceWithResponse(ctx, i.systemID, i.HostId, i.InstanceNumber)
	return err
}

// confirm asks the user for confirmation, and fails unless the answer is yes.
// Without a terminal it fails at once.
func (c *cleanupCall) confirm(cmd *cobra.Command, what string) error {
	if c.yes {
		return nil
	}
	if !isTerminal(cmd.InOrStdin()) {
		return usageError("this would remove %s; say --yes to do it without being asked", what)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Remove %s? [y/N] ", what)
	line, err := readLine(cmd.InOrStdin())
	if answer := strings.ToLower(strings.TrimSpace(line)); err != nil || answer != "y" && answer != "yes" {
		return failure{fmt.Errorf("nothing was removed"), statusFailed}
	}
	return nil
}
