package command

import "io"

// RunIn runs a command in this process, with an environment, arguments and
// streams, and returns the exit status.
func RunIn(environ, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	return execute(root)
}
