package page

import (
	_ "embed"
	"strings"
	"time"
)

// zoneNames are the time zones a form suggests: the names of the IANA
// database that are a place, and UTC. Others that exist may be typed.
//
//go:embed timezones.txt
var zoneNames string

func Timezones() []string { return strings.Fields(zoneNames) }

// ZoneOf is the time zone of a user; UTC where its name means nothing here.
func ZoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
