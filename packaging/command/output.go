package command

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The values of --output.
const (
	tableOutput = "table"
	wideOutput  = "wide"
	jsonOutput  = "json"
	yamlOutput  = "yaml"
	csvOutput   = "csv"
)

// outputs lists the values of --output.
func outputs() []string {
	return []string{tableOutput, wideOutput, jsonOutput, yamlOutput, csvOutput}
}

// printer prints items in the form of --output.
type printer struct {
	out       io.Writer
	output    string
	noHeaders bool
	colours   bool
	columns   []column
	// jsonLines prints one JSON object per line, so that more can be added later.
	jsonLines bool
	// watching adds a column for the change of the item.
	watching bool

	table         *textTable
	titlesPrinted bool // the titles are printed
}

// print prints items. change is the change of all of them; "" for none.
func (p *printer) print(items []item, change string) error {
	switch p.output {
	case jsonOutput:
		return p.printJSON(items, change)
	case yamlOutput:
		return p.printYAML(items)
	case csvOutput:
		return p.printCSV(items, change)
	}
	return p.printTable(items, change)
}

// shownColumns returns the indexes of the columns that are printed.
func (p *printer) shownColumns() (indexes []int) {
	for i, c := range p.columns {
		if c.place == placeAlways || p.output != tableOutput {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func (p *printer) printTable(items []item, change string) error {
	shown := p.shownColumns()
	if p.table == nil {
		p.table = newTable(p.out)
		p.table.coloured = make(map[int]bool)
	}
	if !p.titlesPrinted {
		p.titlesPrinted = true
		var titles []string
		if p.watching {
			titles = append(titles, "CHANGE")
			p.table.widths = []int{len("changed")} // the longest word, so that columns stay where they are
		}
		for _, i := range shown {
			p.table.coloured[len(titles)] = p.colours && p.columns[i].coloured
			titles = append(titles, p.columns[i].title)
		}
		if !p.noHeaders {
			p.table.row(titles...)
		}
	}
	for _, item := range items {
		var row []string
		if p.watching {
			row = append(row, change)
		}
		for _, i := range shown {
			row = append(row, item.cells[i].displayText)
		}
		p.table.row(row...)
	}
	return p.table.Flush()
}

// printCSV prints items as CSV (RFC 4180), times in UTC.
func (p *printer) printCSV(items []item, change string) error {
	out := csv.NewWriter(p.out)
	out.UseCRLF = true
	shown := p.shownColumns()
	if !p.titlesPrinted && !p.noHeaders {
		var titles []string
		if p.watching {
			titles = append(titles, "change")
		}
		for _, i := range shown {
			titles = append(titles, strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(p.columns[i].title)))
		}
		if err := out.Write(titles); err != nil {
			return err
		}
	}
	p.titlesPrinted = true
	for _, item := range items {
		var row []string
		if p.watching {
			row = append(row, change)
		}
		for _, i := range shown {
			row = append(row, quoteFormula(item.cells[i].exactText))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// quoteFormula quotes a text that a spreadsheet could execute as a formula.
// Agents choose the names of things.
func quoteFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// printJSON prints the objects as the server sent them, in a list or in lines.
func (p *printer) printJSON(items []item, change string) error {
	if !p.jsonLines {
		return printJSON(p.out, joinAnswers(items))
	}
	for i := range items {
		var line any = items[i].answer
		if p.watching {
			line = struct {
				Change string          `json:"change"`
				Object json.RawMessage `json:"object"`
			}{change, items[i].answer}
		}
		line, err := json.Marshal(line)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.out, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// joinAnswers returns the objects of items as a JSON list.
func joinAnswers(items []item) json.RawMessage {
	answers := make([]json.RawMessage, len(items))
	for i := range items {
		answers[i] = items[i].answer
	}
	text, err := json.Marshal(answers)
	if err != nil {
		panic(err) // they were decoded from JSON
	}
	return text
}

// printYAML prints the objects as YAML, their members in the order of the
// server.
func (p *printer) printYAML(items []item) error {
	for i := range items {
		if err := printYAML(p.out, items[i].answer); err != nil {
			return err
		}
	}
	return nil
}

// printYAML prints a JSON text as a YAML document.
func printYAML(out io.Writer, text json.RawMessage) error {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil { // JSON is YAML
		return err
	}
	useBlockStyle(&node)
	if _, err := io.WriteString(out, "---\n"); err != nil {
		return err
	}
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&node); err != nil {
		return err
	}
	return encoder.Close()
}

// useBlockStyle makes a YAML node and all in it print in lines, not in brackets.
func useBlockStyle(node *yaml.Node) {
	node.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, part := range node.Content {
		useBlockStyle(part)
	}
}

// printJSON prints a JSON text in an indented form.
func printJSON(out io.Writer, text json.RawMessage) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s\n", &indented)
	return err
}
