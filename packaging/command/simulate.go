package command

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trento/packaging/client"
	"trento/store/discovery/fleet"
)

// newSimulate returns the command that sends the reports of an invented
// landscape to a server.
func newSimulate() *cobra.Command {
	o := fleet.FeedOptions{Heartbeats: true}
	var duration time.Duration
	var caFile string
	var failure string // the latest failure that was shown
	cmd := &cobra.Command{
		Use: "simulate", Short: "Send a server the reports of an invented landscape", Args: cobra.NoArgs,
		Example: `  trento-web simulate --server http://localhost:4000 --api-key KEY --hosts 20
  trento-web simulate --api-key KEY --hosts 1000 --rate 50 --duration 10m
  trento-web simulate --api-key KEY --messages-url amqp://USER:PASSWORD@localhost:5672
  trento-web simulate --server https://trento.example.com:4000 --ca self-signed.crt --api-key KEY`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer cancel()
			if duration > 0 {
				ctx, cancel = context.WithTimeout(ctx, duration)
				defer cancel()
			}
			if caFile != "" {
				roots, err := client.ReadCertificates(caFile)
				if err != nil {
					return fmt.Errorf("--ca: %w", err)
				}
				o.TLS = &tls.Config{RootCAs: roots}
			}
			o.Progress = func(s fleet.Stats) {
				fmt.Fprintln(cmd.OutOrStdout(), s)
				if s.LastFailure != failure {
					failure = s.LastFailure
					fmt.Fprintln(cmd.ErrOrStderr(), "last failure:", failure)
				}
			}
			return fleet.Feed(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Server, "server", "http://localhost:4000", "where the reports go")
	flags.StringVar(&o.APIKey, "api-key", "", "key of the agents, as Settings shows it")
	flags.StringVar(&o.Messages, "messages-url", "", "where agents wait for messages, with user and password; empty: they do not")
	flags.BoolVar(&o.FactFaults.SilentAgents, "silent-agents", false, "do not answer when checks ask for facts")
	flags.IntVar(&o.FactFaults.ErrorPercent, "fact-errors", 0, "let this `PERCENT` of the facts fail")
	flags.IntVar(&o.FactFaults.SkewSeconds, "skew", 0, "let the clocks of the agents be this many `SECONDS` ahead")
	flags.BoolVar(&o.FactFaults.OldAgent, "old-agent", false, "do not know the newest gatherers")
	flags.StringVar(&caFile, "ca", "", "trust the certificates in `FILE`, such as tls/self-signed.crt of the server's data directory")
	flags.IntVar(&o.Hosts, "hosts", 50, "how many hosts the landscape has")
	flags.Float64Var(&o.Rate, "rate", 0, "reports a second; 0 is the pace of agents")
	flags.Float64Var(&o.Changes, "changes", 0, "share of reports that differ from the one before, 0 to 1")
	flags.Uint64Var(&o.Seed, "seed", fleet.DefaultSeed, "which landscape")
	flags.BoolVar(&o.Once, "once", false, "end after every host has reported once")
	flags.BoolVar(&o.Heartbeats, "heartbeats", true, "send heartbeats too")
	flags.BoolVar(&o.Still, "still", false, "leave out what changes in every report and means nothing")
	flags.DurationVar(&o.StepEvery, "step", 0, "let the landscape change this often; 0 never")
	flags.DurationVar(&duration, "duration", 0, "end after this time; 0 runs until interrupted")
	return cmd
}
