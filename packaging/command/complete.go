package command

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completionTimeout is how long a shell waits for names from the server.
const completionTimeout = 2 * time.Second

// completeNames completes the names of the objects of a kind, without those
// that are given already. It asks the server; if that does not answer soon,
// nothing is completed.
func (c *connection) completeNames(cmd *cobra.Command, k *kind, given []string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
	defer cancel()
	s, err := c.open(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	items, err := k.list(ctx, s, k.idsQuery)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, i := range items {
		if i.name != "" && !slices.Contains(given, i.name) {
			names = append(names, replaceControlChars(i.name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}
