package config

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"text/tabwriter"
)

// Variable describes one configuration variable.
type Variable struct {
	Name           string
	Default        string // "" if Doc says what an unset variable means
	Section        string // set on the first variable of a group
	Doc            string // one or more sentences about its meaning
	Want           string // allowed values; "" means any text
	Generated      bool   // generated and kept in the data directory if unset
	Secret         bool   // never shown
	MissingFeature string // the feature that the variable is for, if this build lacks it; else ""

	fieldName string // name of the field of Config
	isBoolean bool   // the field is a boolean
}

// Variables lists all variables in the order of Config.
func Variables() []Variable {
	var all []Variable
	for field := range reflect.TypeFor[Config]().Fields() {
		name, ok := field.Tag.Lookup("env")
		if !ok {
			continue
		}
		all = append(all, Variable{
			Name:           name,
			Default:        field.Tag.Get("envDefault"),
			Section:        field.Tag.Get("section"),
			Doc:            field.Tag.Get("doc"),
			Want:           field.Tag.Get("want"),
			Generated:      field.Tag.Get("kept") == "true",
			Secret:         field.Type == reflect.TypeFor[Secret](),
			MissingFeature: field.Tag.Get("later"),
			fieldName:      field.Name,
			isBoolean:      field.Type == reflect.TypeFor[bool]() || field.Type == reflect.TypeFor[*bool](),
		})
	}
	return all
}

// Print writes the effective configuration: name, value and origin of every
// variable, with secrets masked. Variables of features that this build lacks
// are only printed if they are set.
func (c Config) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVALUE\tORIGIN")
	for _, v := range Variables() {
		value, origin := v.Default, "default"
		switch g, ok := c.assignedValues[v.Name]; {
		case ok && v.MissingFeature != "":
			value, origin = g.text, g.origin+", without effect"
		case ok:
			value, origin = g.text, g.origin
		case v.MissingFeature != "":
			continue
		case v.Generated:
			value, origin = maskedSecret, "generated, kept in "+filepath.Join(c.DataDir, SecretsFile)
		case v.Name == "TRENTO_DATA_DIR":
			value = c.DataDir
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", v.Name, value, origin)
	}
	return table.Flush()
}

// printableValue returns the value of v in a form that can be printed and logged, in
// one line.
func (v Variable) printableValue(value string) string {
	if v.Secret {
		return maskedSecret
	}
	// An address may contain a password.
	if u, err := url.Parse(value); err == nil && u.User != nil {
		value = u.Redacted()
	}
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value)
}

const exampleHeader = `# Configuration of Trento. Every variable is optional.
#
# This file has the syntax of systemd's EnvironmentFile: NAME=value lines, # or
# ; for comments, values in quotes where white space matters. The service reads
# it through its unit; trento-web --config FILE reads it the same way. A value
# given here wins over the environment, an empty value counts as unset, and
# unknown names are ignored, with a note at the start where they look like one of
# these. trento-web config shows what is in effect and why.
#
# Passwords and other secrets can be kept out of this file: a credential with the
# name of the variable (LoadCredential= of the service) is read where the
# variable is unset.
`

// Example writes an example configuration file. It contains every variable that
// has an effect, commented out, with its meaning and default.
func Example(w io.Writer) error {
	var text strings.Builder
	text.WriteString(exampleHeader)
	var later []string
	for _, v := range Variables() {
		if v.MissingFeature != "" {
			later = append(later, v.Name)
			continue
		}
		if v.Section != "" {
			fmt.Fprintf(&text, "\n\n# ---- %s ----\n", v.Section)
		}
		text.WriteString("\n")
		writeComment(&text, v.Doc)
		if v.Want != "" {
			writeComment(&text, "Allowed: "+v.Want+".")
		}
		if v.Generated {
			writeComment(&text, "Unset: generated once and kept in the data directory.")
		}
		fmt.Fprintf(&text, "#%s=%s\n", v.Name, v.Default)
	}
	text.WriteString("\n\n# ---- Features that are not part of this build ----\n\n")
	writeComment(&text, "These are read and checked, but without effect: "+strings.Join(later, ", ")+".")
	_, err := io.WriteString(w, text.String())
	return err
}

// writeComment writes text as comment lines of at most 79 characters.
func writeComment(w *strings.Builder, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 79 {
			w.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	w.WriteString(line + "\n")
}
