package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"trento/packaging/client"
)

// taggable is a kind of objects that can have tags.
type taggable struct {
	kind

	add    func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error
	remove func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error
}

func taggables() []taggable {
	return []taggable{
		{
			newHosts(),
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.TagHostWithResponse(ctx, id, client.TagHostJSONRequestBody{Value: tag})
				return err
			},
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.UntagHostWithResponse(ctx, id, tag)
				return err
			},
		},
		{
			newClusters(),
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.TagClusterWithResponse(ctx, id, client.TagClusterJSONRequestBody{Value: tag})
				return err
			},
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.UntagClusterWithResponse(ctx, id, tag)
				return err
			},
		},
		{
			newDatabases(),
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.TagDatabaseWithResponse(ctx, id, client.TagDatabaseJSONRequestBody{Value: tag})
				return err
			},
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.UntagDatabaseWithResponse(ctx, id, tag)
				return err
			},
		},
		{
			newSAPSystems(),
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.TagSAPSystemWithResponse(ctx, id, client.TagSAPSystemJSONRequestBody{Value: tag})
				return err
			},
			func(ctx context.Context, s *client.Server, id uuid.UUID, tag string) error {
				_, err := s.UntagSAPSystemWithResponse(ctx, id, tag)
				return err
			},
		},
	}
}

// newTag returns the command that adds and removes tags.
func newTag(l *configLoader) *cobra.Command {
	cmd := &cobra.Command{
		Use: "tag", Short: "Add tags to hosts, clusters, databases and SAP systems, and remove them",
		Long: "Add tags to hosts, clusters, databases and SAP systems, and remove them: +TAG adds one, -TAG removes one.\n" +
			"Flags come before the names.",
		Example: `  trento-web tag host vmhana01 +production -test
  trento-web tag host vmhana01 vmhana02 +patch-window=sunday
  trento-web tag sap-system --server https://trento.example.com PRD +critical`,
		Args: requireKnownCommand, RunE: showHelp,
	}
	for _, t := range taggables() {
		cmd.AddCommand(newTagKind(l, &t))
	}
	return cmd
}

func newTagKind(l *configLoader, t *taggable) *cobra.Command {
	c := &connection{loader: l}
	cmd := &cobra.Command{
		Use: t.singular + " NAME|ID... +TAG... -TAG...", Aliases: []string{t.name},
		Short: fmt.Sprintf("Add tags to %s, and remove them", replaceUnderscores(strings.ReplaceAll(t.name, "-", "_"))),
		Long:  fmt.Sprintf("Add tags to %s, and remove them. A tag that is there already, or is not there, is fine.", replaceUnderscores(strings.ReplaceAll(t.name, "-", "_"))),
		Example: fmt.Sprintf("  trento-web tag %s NAME +production\n  trento-web tag %s NAME1 NAME2 +production -test",
			t.singular, t.singular),
		Args: cobra.MinimumNArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			return c.completeNames(cmd, &t.kind, given)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.tag(cmd, t, args) },
	}
	cmd.Flags().SetInterspersed(false) // -TAG is no flag
	c.addToCommand(cmd)
	return cmd
}

// tagChange is a tag to add or to remove.
type tagChange struct {
	tag string
	add bool
}

// splitTags returns the names and the changes in the arguments of the command.
func splitTags(args []string) (names []string, changes []tagChange, err error) {
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "--"):
			return nil, nil, usageError("%s: flags come before the names", arg)
		case strings.HasPrefix(arg, "+"), strings.HasPrefix(arg, "-"):
			if len(arg) == 1 {
				return nil, nil, usageError("there is no tag behind %s", arg)
			}
			changes = append(changes, tagChange{arg[1:], arg[0] == '+'})
		default:
			names = append(names, arg)
		}
	}
	if len(names) == 0 || len(changes) == 0 {
		return nil, nil, usageError("name at least one object and one tag, as in: vmhana01 +production -test")
	}
	return names, changes, nil
}

func (c *connection) tag(cmd *cobra.Command, t *taggable, args []string) error {
	names, changes, err := splitTags(args)
	if err != nil {
		return err
	}
	s, err := c.open(cmd)
	if err != nil {
		return err
	}
	items, err := t.list(cmd.Context(), s, t.idsQuery)
	if err != nil {
		return err
	}
	// All names are looked up before the first change, so that a wrong one
	// changes nothing.
	chosen := make([]item, len(names))
	for i, name := range names {
		if chosen[i], err = chooseOne(&t.kind, items, name); err != nil {
			return err
		}
	}
	for _, object := range chosen {
		for _, change := range changes {
			done, err := change.apply(cmd.Context(), s, t, object)
			if err != nil {
				return fmt.Errorf("%s %s, tag %s: %w", t.singular, object.name, change.tag, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s\n", t.singular, replaceControlChars(object.name), done)
		}
	}
	return nil
}

// apply makes the change to an object, and says what was done.
func (change tagChange) apply(ctx context.Context, s *client.Server, t *taggable, object item) (done string, err error) {
	id, err := uuid.Parse(object.id)
	if err != nil {
		return "", err
	}
	if change.add {
		return "has the tag " + change.tag, t.add(ctx, s, id, change.tag)
	}
	err = t.remove(ctx, s, id, change.tag)
	if refusal, ok := errors.AsType[*client.Refusal](err); ok && refusal.Status == 404 {
		return "had no tag " + change.tag, nil
	}
	return "no longer has the tag " + change.tag, err
}
