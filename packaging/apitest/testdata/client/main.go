// Client uses the API with what oapi-codegen generates from its document.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	names, err := run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(names, " "))
}

// run lists hosts, puts a tag on one and takes it off, and is refused twice.
func run(ctx context.Context) (names []string, err error) {
	server := os.Getenv("TRENTO_SERVER")
	client, err := NewClientWithResponses(server, WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+os.Getenv("TRENTO_TOKEN"))
		return nil
	}))
	if err != nil {
		return nil, err
	}
	hosts, err := client.ListHostsWithResponse(ctx, nil)
	if err != nil || hosts.JSON200 == nil || len(*hosts.JSON200) == 0 {
		return nil, fmt.Errorf("hosts: %v, %s", err, hosts.Body)
	}
	for _, host := range *hosts.JSON200 {
		names = append(names, host.Hostname)
	}
	slices.Sort(names)

	first := (*hosts.JSON200)[0].Id
	tagged, err := client.TagHostWithResponse(ctx, first, TagHostJSONRequestBody{Value: "go"})
	if err != nil || tagged.JSON201 == nil || tagged.JSON201.Value != "go" {
		return nil, fmt.Errorf("tag: %v, %s", err, tagged.Body)
	}
	untagged, err := client.UntagHostWithResponse(ctx, first, "go")
	if err != nil || untagged.StatusCode() != http.StatusNoContent {
		return nil, fmt.Errorf("take the tag off: %v, %s", err, untagged.Body)
	}
	refused, err := client.TagHostWithResponse(ctx, first, TagHostJSONRequestBody{Value: "no blanks"})
	if err != nil || refused.JSON422 == nil || refused.JSON422.Errors[0].Source.Pointer != "/value" {
		return nil, fmt.Errorf("wrong tag: %v, %s", err, refused.Body)
	}

	stranger, err := NewClientWithResponses(server)
	if err != nil {
		return nil, err
	}
	away, err := stranger.ListHostsWithResponse(ctx, nil)
	if err != nil || away.JSON401 == nil || away.JSON401.Error != Unauthorized {
		return nil, fmt.Errorf("no token: %v, %s", err, away.Body)
	}
	return names, nil
}
