// Trento-web watches SAP landscapes: agents report to it, people look at its
// console, programs ask its API. See README.md.
package main

import (
	"os"

	"trento/packaging/command"
)

func main() { os.Exit(command.Run()) }
