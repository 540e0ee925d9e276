// Trento-web watches SAP landscapes. Agents report to it, people use its
// console, programs use its API. See README.md.
package main

import (
	"os"

	"trento/packaging/command"
)

func main() { os.Exit(command.Run()) }
