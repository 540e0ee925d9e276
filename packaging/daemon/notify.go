package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells systemd that the service answers requests. Ready and Stopping do
// nothing if systemd has not started the process.
func Ready() error { return notifySystemd(daemon.SdNotifyReady) }

// Stopping tells systemd that the shutdown has begun.
func Stopping() error { return notifySystemd(daemon.SdNotifyStopping) }

func notifySystemd(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("systemd: %s: %w", state, err)
	}
	return nil
}

// Supervision reports whether systemd has started the process, and whether it
// restarts the process when the watchdog is not fed.
func Supervision() (systemd, watchdog bool) {
	interval, err := daemon.SdWatchdogEnabled(false)
	return os.Getenv("NOTIFY_SOCKET") != "", err == nil && interval > 0
}

// FeedWatchdog tells systemd twice per watchdog interval that the service is
// alive, until ctx is done. If alive returns an error or hangs, it sends
// nothing, and systemd restarts the service. FeedWatchdog returns at once if
// systemd expects no such messages.
func FeedWatchdog(ctx context.Context, alive func() error, log *slog.Logger) error {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("systemd: watchdog: %w", err)
	}
	if interval == 0 {
		return nil
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := alive(); err != nil {
			log.Error("not healthy: systemd will restart the service", "error", err)
			continue
		}
		if err := notifySystemd(daemon.SdNotifyWatchdog); err != nil {
			log.Error("watchdog", "error", err)
		}
	}
}
