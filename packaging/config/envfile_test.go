package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseFile(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		want    map[string]string
		skipped []string
	}{
		{name: "empty", text: ""},
		{name: "plain", text: "A=1\nB=two words\n", want: map[string]string{"A": "1", "B": "two words"}},
		{name: "no newline at the end", text: "A=1", want: map[string]string{"A": "1"}},
		{name: "windows line ends", text: "A=1\r\nB=2\r\n", want: map[string]string{"A": "1", "B": "2"}},
		{name: "comments", text: "# A=1\n; B=2\n  # C=3\nD=4 # not a comment\n", want: map[string]string{"D": "4 # not a comment"}},
		{name: "a comment never continues", text: "# one \\\nA=1\n", want: map[string]string{"A": "1"}},
		{name: "white space around", text: "  A =  1  \n\tB\t=\t2\t\n", want: map[string]string{"A": "1", "B": "2"}},
		{name: "empty value", text: "A=\nB=  \nC=''\nD=\"\"\n", want: map[string]string{"A": "", "B": "", "C": "", "D": ""}},
		{name: "empty value at the end", text: "A=", want: map[string]string{"A": ""}},
		{name: "last one wins", text: "A=1\nA=2\n", want: map[string]string{"A": "2"}},
		{name: "equals signs", text: "A=b=c==\n", want: map[string]string{"A": "b=c=="}},
		{name: "single quotes", text: `A=' $x \n "y" '` + "\n", want: map[string]string{"A": ` $x \n "y" `}},
		{name: "double quotes", text: `A=" a \" \\ \$ \` + "`" + ` \n 'b' "` + "\n", want: map[string]string{"A": " a \" \\ $ ` \\n 'b' "}},
		{name: "quotes span lines", text: "A='1\n2'\nB=\"3\n4\"\n", want: map[string]string{"A": "1\n2", "B": "3\n4"}},
		{name: "quotes joined", text: `A='a'"b"  'c' d` + "\n", want: map[string]string{"A": "abcd"}},
		{name: "quote within a plain value", text: "A=it's\nB=say \"hi\"\n", want: map[string]string{"A": "it's", "B": `say "hi"`}},
		{name: "continuation", text: "A=one \\\ntwo\nB=\"x\\\ny\"\n", want: map[string]string{"A": "one two", "B": "xy"}},
		{name: "continuation keeps white space", text: "A=one \\\n\n", want: map[string]string{"A": "one "}},
		{name: "escapes", text: `A=a\ \\b\'c\nd\ ` + "\n", want: map[string]string{"A": `a \b'cnd `}},
		{name: "unclosed quote", text: "A='1\nB=2\n", want: map[string]string{"A": "1\nB=2\n"}},
		{name: "backslash at the end", text: `A=1\`, want: map[string]string{"A": "1"}},
		{name: "no dollar expansion", text: "A=1\nB=$A ${A}\n", want: map[string]string{"A": "1", "B": "$A ${A}"}},
		{name: "not an assignment", text: "A=1\nhello\nB=2", want: map[string]string{"A": "1", "B": "2"},
			skipped: []string{"line 2 is ignored: it has no ="}},
		{name: "not an assignment, last", text: "hello", skipped: []string{"line 1 is ignored: it has no ="}},
		{name: "not a name", text: "export A=1\n1A=2\n-=3\n", skipped: []string{
			"line 1 is ignored: it does not begin with a variable name",
			"line 2 is ignored: it does not begin with a variable name",
			"line 3 is ignored: it does not begin with a variable name"}},
		{name: "not text", text: "A=\xff\n", skipped: []string{"line 1 is ignored: it is not UTF-8 text"}},
		{name: "lines are counted through values", text: "A='1\n2\n'\nhello\n", want: map[string]string{"A": "1\n2\n"},
			skipped: []string{"line 4 is ignored: it has no ="}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assignments, skipped := parseFile(test.text)
			var got map[string]string
			for _, a := range assignments {
				if got == nil {
					got = map[string]string{}
				}
				got[a.Name] = a.Value
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("assignments (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.skipped, skipped); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
		})
	}
}

// Every value can be written in quotes and read again, and every text can be
// read as a file.
func TestParseFileQuoting(t *testing.T) {
	double := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		noise := rapid.String().Draw(t, "noise")
		parseFile(noise)
		assignments, _ := parseFile(`A="` + double.Replace(value) + "\"\nB=1\n")
		if len(assignments) != 2 || assignments[0].Value != value || assignments[1].Value != "1" {
			t.Fatalf("%q became %v", value, assignments)
		}
	})
}
