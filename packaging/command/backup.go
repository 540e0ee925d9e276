package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trento/packaging/server"
	"trento/store/backup"
)

// passphraseFlag adds the flag for the file with the passphrase of a backup, and
// returns a function that reads it.
func passphraseFlag(cmd *cobra.Command) (read func() (string, error)) {
	file := cmd.Flags().String("passphrase-file", "", "encrypt or decrypt with the passphrase in the first line of `FILE`")
	return func() (string, error) {
		if *file == "" {
			return "", nil
		}
		f, err := os.Open(*file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		passphrase, err := readPassword(f)
		if err != nil {
			return "", fmt.Errorf("%s: %w", *file, err)
		}
		return passphrase, nil
	}
}

// newBackup returns the command that makes a backup.
func newBackup(l *configLoader) *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Make a backup, while the server runs or is stopped", Args: cobra.ExactArgs(1),
		Long: "Make a backup, while the server runs or is stopped. FILE must not exist; - writes to the standard output.\n" +
			"It contains all data and the generated secrets: who has it without its passphrase can sign in as anybody. It does not\n" +
			"contain the configuration, whose secrets a restored server needs, too.\n" +
			"Run it as root or as the user the server runs as, with the same configuration.",
		Example: `  trento-web backup --config /etc/trento/trento-web /srv/backup/monday` + backup.Extension + `
  trento-web backup --passphrase-file /root/passphrase - | ssh backup@elsewhere 'cat > trento'`,
	}
	passphrase := passphraseFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := l.load(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		secret, err := passphrase()
		if err != nil {
			return err
		}
		if args[0] == "-" {
			return server.BackUp(cmd.Context(), c, cmd.OutOrStdout(), secret)
		}
		if _, err := os.Lstat(args[0]); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is there already; choose another name", args[0])
		}
		if err := server.BackUpTo(cmd.Context(), c, args[0], secret); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "The backup is in %s. \"trento-web verify %s\" reads it as a restore would.\n", args[0], args[0])
		return err
	}
	return cmd
}

// newRestore returns the command that restores a backup.
func newRestore(l *configLoader) *cobra.Command {
	var undo bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Replace the data by those of a backup, while the server is stopped", Args: cobra.MaximumNArgs(1),
		Long: "Replace the data by those of a backup, while the server is stopped. The backup is read and verified first, and\n" +
			"nothing is changed if it is not whole. What was there is kept in the data directory, and --undo puts it back.\n" +
			"- reads from the standard input. Run it as root or as the user the server runs as, with the same configuration.",
		Example: `  systemctl stop trento-web
  trento-web restore --config /etc/trento/trento-web /srv/backup/monday` + backup.Extension + `
  systemctl start trento-web
  trento-web restore --undo                         what was there before`,
	}
	cmd.Flags().BoolVar(&undo, "undo", false, "put back what the latest restore has replaced")
	passphrase := passphraseFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if undo == (len(args) == 1) {
			return errors.New("name the file with the backup, or say --undo")
		}
		c, err := l.load(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if undo {
			replaced, err := server.UndoRestore(c)
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "The data from before the restore are back. Those of the restore are in %s.\nStart the server.\n", replaced)
			}
			return err
		}
		secret, err := passphrase()
		if err != nil {
			return err
		}
		return withInput(cmd, args[0], func(r io.Reader) error {
			done, err := server.Restore(c, r, secret)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Restored: %s.\n", describeManifest(&done.Manifest))
			if done.Replaced != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "What was there before is in %s.\n\"trento-web restore --undo\" puts it back. Delete that directory when you do not need it any more.\n", done.Replaced)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "Start the server.")
			return err
		})
	}
	return cmd
}

// newVerify returns the command that verifies data or a backup.
func newVerify(l *configLoader) *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify [FILE]", Short: "Check a backup, or the data of a stopped server", Args: cobra.MaximumNArgs(1),
		Long: "Check a backup, or without FILE the data of a stopped server: every page, record, index and reference. Nothing is changed.\n" +
			"The data of a running server are checked through a backup of them, see the example.",
		Example: `  trento-web verify /srv/backup/monday` + backup.Extension + `
  trento-web backup - | trento-web verify -         the data of the running server`,
	}
	passphrase := passphraseFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			secret, err := passphrase()
			if err != nil {
				return err
			}
			return withInput(cmd, args[0], func(r io.Reader) error {
				m, err := server.CheckBackup(r, secret)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "Nothing is wrong: %s.\n", describeManifest(m))
				}
				return err
			})
		}
		c, err := l.load(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if err := server.Verify(c); err != nil {
			return fmt.Errorf("%w\nThe data in %s are not right. Keep a copy of them, restore the latest backup that \"trento-web verify\" finds right, and report what is printed here", err, c.DataDir)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Nothing is wrong with the data in %s.\n", c.DataDir)
		return err
	}
	return cmd
}

// newCompact returns the command that frees unused space of the store.
func newCompact(l *configLoader) *cobra.Command {
	return &cobra.Command{
		Use: "compact", Short: "Give free space in the store back to the disk, while the server is stopped", Args: cobra.NoArgs,
		Long: "Give free space in the store back to the disk, while the server is stopped. The server reuses free space by itself, so this\n" +
			"is of use only after much was deleted, such as by a shorter retention of the activity log. It needs as much free space as\n" +
			"the data that are left.",
		Example: `  systemctl stop trento-web && trento-web compact --config /etc/trento/trento-web; systemctl start trento-web`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := l.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			before, after, err := server.Compact(c)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The store had %s and has %s now.\n", formatBytes(before), formatBytes(after))
			return err
		},
	}
}

// withInput calls use with the content of a file, or with the standard input for
// "-".
func withInput(cmd *cobra.Command, file string, use func(io.Reader) error) error {
	if file == "-" {
		return use(cmd.InOrStdin())
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := use(f); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func describeManifest(m *backup.Manifest) string {
	var names []string
	for _, f := range m.Files {
		names = append(names, f.Name)
	}
	return fmt.Sprintf("a backup of %s by trento-web %s with %s (%s)",
		m.CreatedAt.Local().Format(time.DateTime), m.Program, strings.Join(names, " and "), formatBytes(m.Size()))
}

// formatBytes formats a size in its largest unit.
func formatBytes(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
