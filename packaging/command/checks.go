package command

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"trento/store/check"
	"trento/store/check/script"
)

// newChecks returns the commands for authors of checks. They need no server.
func newChecks() *cobra.Command {
	cmd := &cobra.Command{
		Use: "checks", Short: "Try out check files, without a server and without agents",
		Long: "Try out check files, without a server and without agents. FILE is a check file, or a directory with some: their names end in " + check.Extension + ".",
		Args: requireKnownCommand, RunE: showHelp,
	}
	cmd.AddCommand(newChecksLint(), newChecksRun())
	return cmd
}

func newChecksLint() *cobra.Command {
	return &cobra.Command{
		Use: "lint FILE...", Short: "Find faults and probable mistakes in check files",
		Long: "Find the faults for which check files cannot be used, and what is probably a mistake.\n\n" +
			"Exit status: 0 nothing was found, 1 something was found, 2 wrong use.",
		Example: "  trento-web checks lint /etc/trento/checks\n  trento-web checks lint 0A00F1.yaml",
		Args:    requireCheckFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readCheckFiles(args)
			if err != nil {
				return err
			}
			return lintChecks(cmd.OutOrStdout(), files)
		},
	}
}

// requireCheckFiles wants at least one file.
func requireCheckFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError("name at least one check file or directory, as in: %s", cmd.UseLine())
	}
	return nil
}

// maxCheckFiles is the largest number of check files that are read.
const maxCheckFiles = 10_000

// readCheckFiles reads check files, and those in directories.
func readCheckFiles(paths []string) ([]check.File, error) {
	var files []check.File
	for _, path := range paths {
		names := []string{path}
		if info, err := os.Stat(path); err != nil {
			return nil, usageError("%w", err)
		} else if info.IsDir() {
			if names, err = filepath.Glob(filepath.Join(path, "*"+check.Extension)); err != nil {
				return nil, err
			}
			if len(names) == 0 {
				return nil, usageError("there is no file in %s whose name ends in %s", path, check.Extension)
			}
		}
		for _, name := range names {
			content, err := readLimited(name, check.MaxFileSize+1) // a larger one is a fault of the file
			if err != nil {
				return nil, err
			}
			files = append(files, check.File{Path: name, Name: filepath.Base(name), Content: content})
		}
		if len(files) > maxCheckFiles {
			return nil, usageError("there are more than %d check files", maxCheckFiles)
		}
	}
	return files, nil
}

// readLimited reads a file up to a number of bytes.
func readLimited(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

func lintChecks(out io.Writer, files []check.File) error {
	broken, mistakes := 0, 0
	for _, file := range files {
		fault, found := check.Lint(file)
		if fault != nil {
			broken++
			fmt.Fprintf(out, "%s (cannot be used)\n", replaceControlChars(fault.Error()))
		}
		mistakes += len(found)
		for _, mistake := range found {
			fmt.Fprintln(out, replaceControlChars(mistake.Error()))
		}
	}
	fmt.Fprintf(out, "%s: %d cannot be used, %s\n", countText(len(files), "file", "files"), broken, countText(mistakes, "probable mistake", "probable mistakes"))
	if broken+mistakes > 0 {
		return statusFailed
	}
	return nil
}

func countText(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

const factsHelp = `FACTS.json says what agents would answer (YAML is read as well):

  {
    "env":   {"provider": "azure", "cluster_type": "hana_scale_up", "target_type": "cluster"},
    "hosts": {
      "hana01": {
        "facts":      {"token": 30000},
        "checks":     {"0A00F1": {"token": 5000}},
        "errors":     {"nodes": {"type": "corosync-conf-file-error", "message": "no such file"}},
        "attributes": {"is_majority_maker": false}
      },
      "hana02": {"silent": true}
    }
  }

The facts are by name. Those under "checks" count for one check. All members
are optional: without "env" every check applies, and a fact that is missing is
one that the agent did not deliver.`

// factsFile is what agents would answer.
type factsFile struct {
	Env   map[string]any `yaml:"env"`
	Hosts map[string]struct {
		Facts      map[string]any            `yaml:"facts"`
		Checks     map[string]map[string]any `yaml:"checks"`
		Errors     map[string]factErrorEntry `yaml:"errors"`
		Attributes map[string]any            `yaml:"attributes"`
		Silent     bool                      `yaml:"silent"`
	} `yaml:"hosts"`
}

type factErrorEntry struct {
	Type    string `yaml:"type"`
	Message string `yaml:"message"`
}

// maxFactsSize is the largest size of a file with facts, in bytes.
const maxFactsSize = 16 << 20

func newChecksRun() *cobra.Command {
	var facts string
	var custom map[string]string
	cmd := &cobra.Command{
		Use: "run FILE... --facts FACTS.json", Short: "Evaluate check files against facts from a file",
		Long: "Evaluate check files against facts from a file, and explain what is not passing.\n\n" + factsHelp +
			"\n\nExit status: 0 all checks pass, 1 some do not, 2 wrong use, or a file that cannot be used.",
		Example: "  trento-web checks run 0A00F1.yaml --facts facts.json\n  trento-web checks run /etc/trento/checks --facts facts.json --value 0A00F1.wanted=20000",
		Args:    requireCheckFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readCheckFiles(args)
			if err != nil {
				return err
			}
			r := &checkRun{cmd: cmd, out: cmd.OutOrStdout(), customValues: custom}
			if err := r.readFacts(facts); err != nil {
				return failure{err, statusUsage}
			}
			return r.run(files)
		},
	}
	cmd.Flags().StringVar(&facts, "facts", "", "read what agents would answer from this `FILE`")
	cmd.Flags().StringToStringVar(&custom, "value", nil, "customise a value, as `CHECK.NAME=VALUE`")
	_ = cmd.MarkFlagRequired("facts") // the flag is there
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return failure{err, statusUsage} })
	return cmd
}

// checkRun evaluates checks against facts from a file.
type checkRun struct {
	cmd          *cobra.Command
	out          io.Writer
	facts        factsFile
	customValues map[string]string
}

func (r *checkRun) readFacts(name string) error {
	content, err := readLimited(name, maxFactsSize+1)
	if err != nil {
		return err
	}
	if len(content) > maxFactsSize {
		return fmt.Errorf("%s has more than %d bytes", name, maxFactsSize)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&r.facts); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(r.facts.Hosts) == 0 {
		return fmt.Errorf("%s names no hosts; see trento-web checks run --help", name)
	}
	return nil
}

func (r *checkRun) run(files []check.File) error {
	catalogue := check.NewCatalogue(files)
	for _, fault := range catalogue.Broken {
		fmt.Fprintf(r.out, "%s (cannot be used)\n", replaceControlChars(fault.Error()))
	}
	environment := make(check.Environment)
	for name, v := range r.facts.Env {
		if n, ok := v.(int); ok {
			v = int64(n)
		}
		environment[name] = v
	}
	counts := make(map[check.Result]int)
	for _, c := range catalogue.Checks {
		if !c.AppliesTo(r.cmd.Context(), environment) {
			fmt.Fprintf(r.out, "%s %s: does not apply\n", c.ID, replaceControlChars(c.Name))
			continue
		}
		result := c.Evaluate(r.cmd.Context(), environment, r.customValuesFor(c), r.hostsFor(c))
		counts[result.Result]++
		r.print(c, result)
	}
	fmt.Fprintf(r.out, "%d passing, %d warning, %d critical\n", counts[check.Passing], counts[check.Warning], counts[check.Critical])
	switch {
	case len(catalogue.Broken) > 0:
		return statusUsage
	case counts[check.Warning]+counts[check.Critical] > 0:
		return statusFailed
	}
	return nil
}

// customValuesFor returns the customised values of a check.
func (r *checkRun) customValuesFor(c *check.Check) map[string]script.Value {
	custom := make(map[string]script.Value)
	for name, text := range r.customValues {
		if value, ok := strings.CutPrefix(name, c.ID+"."); ok {
			var v any
			if err := yaml.Unmarshal([]byte(text), &v); err != nil {
				v = text
			}
			custom[value] = script.FromJSON(v)
		}
	}
	return custom
}

// hostsFor returns what the hosts answer to a check.
func (r *checkRun) hostsFor(c *check.Check) []check.Host {
	var hosts []check.Host
	for _, name := range slices.Sorted(maps.Keys(r.facts.Hosts)) {
		given := r.facts.Hosts[name]
		host := check.Host{AgentID: name, TimedOut: given.Silent, Facts: make(map[string]check.Answer)}
		attributes := make(map[string]script.Value)
		for key, v := range given.Attributes {
			attributes[key] = script.FromJSON(v)
		}
		host.Excluded, _ = c.Excludes(r.cmd.Context(), attributes) // a host stays where that is not known
		for _, facts := range []map[string]any{given.Facts, given.Checks[c.ID]} {
			for key, v := range facts {
				host.Facts[key] = check.Answer{Value: script.FromJSON(v)}
			}
		}
		for key, e := range given.Errors {
			host.Facts[key] = check.Answer{Error: &check.FactError{Type: e.Type, Message: e.Message}}
		}
		hosts = append(hosts, host)
	}
	return hosts
}

// print writes the result of a check, with what explains it if it is not
// passing.
func (r *checkRun) print(c *check.Check, result check.CheckResult) {
	fmt.Fprintf(r.out, "%s %s: %s\n", c.ID, replaceControlChars(c.Name), result.Result)
	if result.Result == check.Passing {
		return
	}
	for _, x := range result.Expectations {
		if x.FailureMessage != "" {
			fmt.Fprintf(r.out, "  %s: %s\n", replaceControlChars(x.Name), replaceControlChars(x.FailureMessage))
		}
	}
	for _, h := range result.Hosts {
		r.printHost(h)
	}
}

func (r *checkRun) printHost(h check.HostResult) {
	switch h.State {
	case check.TimedOut:
		fmt.Fprintf(r.out, "  %s: the agent did not answer\n", replaceControlChars(h.AgentID))
	case check.NotGathered:
		for _, fact := range h.Facts {
			if fact.Error != nil {
				fmt.Fprintf(r.out, "  %s: fact %s: %s (%s)\n", replaceControlChars(h.AgentID), replaceControlChars(fact.Name), replaceControlChars(fact.Error.Message), replaceControlChars(fact.Error.Type))
			}
		}
	}
	for _, e := range h.Evaluations {
		text := e.Failed
		switch {
		case e.Error != nil:
			text = e.Error.Error()
		case text == "" && len(e.Explanation) == 0:
			continue
		case text == "":
			text = "returned " + e.Value.String()
		}
		fmt.Fprintf(r.out, "  %s, %s: %s\n", replaceControlChars(h.AgentID), replaceControlChars(e.Name), replaceControlChars(text))
		for _, step := range e.Explanation {
			fmt.Fprintf(r.out, "    %s is %s\n", replaceControlChars(step.Source), replaceControlChars(step.Value))
		}
	}
}
