package account

import "strings"

// deviceName names the browser and system of a session, as its user agent
// claims. It helps users to recognise their sessions and proves nothing.
func deviceName(userAgent string) string {
	browser := nameOfFirstMark(userAgent, [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	})
	system := nameOfFirstMark(userAgent, [][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	if browser == "" {
		if name := firstProduct(userAgent); name != "" {
			return name
		}
	}
	switch {
	case browser == "" && system == "":
		return "Unknown device"
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return browser + " on " + system
}

// maxProductLength is the largest length of a product name, in bytes.
const maxProductLength = 60

// firstProduct returns the first product of a user agent with its version (RFC
// 9110, 10.1.5): "Python-urllib/3.11". All browsers begin with the same
// product, so it says nothing about them.
func firstProduct(userAgent string) string {
	first, _, _ := strings.Cut(userAgent, " ")
	name, version, ok := strings.Cut(first, "/")
	if !ok || name == "Mozilla" || len(first) > maxProductLength || !isToken(name) || !isToken(version) {
		return ""
	}
	return first
}

// isToken reports whether a text is a token in the sense of HTTP.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// nameOfFirstMark returns the name of the first mark that a text contains.
// marks are pairs of mark and name.
func nameOfFirstMark(text string, marks [][2]string) string {
	for _, mark := range marks {
		if strings.Contains(text, mark[0]) {
			return mark[1]
		}
	}
	return ""
}
