package page

import "testing"

func TestMarkdown(t *testing.T) {
	for source, want := range map[string]string{
		"## Why\n\nRun `crm` **now**.":               "<h4>Why</h4>\n<p>Run <code>crm</code> <strong>now</strong>.</p>\n",
		"###### Deep":                                "<h6>Deep</h6>\n",
		"<script>alert(1)</script>":                  "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
		"a <b onclick=x>b</b>":                       "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n",
		"[go](javascript:alert(1))":                  "<p><a href=\"\">go</a></p>\n",
		"[go](https://example.com/?a=1&b=\"2\")":     "<p><a href=\"https://example.com/?a=1&amp;b=%222%22\">go</a></p>\n",
		"see ![spy](https://example.com/x.png) this": "<p>see  this</p>\n",
		"[![spy](https://example.com/x.png)](/here)": "<p><a href=\"/here\"></a></p>\n",
	} {
		if got := Markdown(source); string(got) != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
