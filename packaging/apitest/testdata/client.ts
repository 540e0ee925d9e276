// A client of the API whose types are generated from the API document. It is
// compiled strictly, so that a wrong path, parameter or member fails here.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Host = components["schemas"]["Host"];

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

const server = createClient<paths>({
  baseUrl: process.env["TRENTO_SERVER"] ?? "",
  headers: { Authorization: `Bearer ${process.env["TRENTO_TOKEN"]}` },
});

const list = await server.GET("/api/v1/hosts");
const hosts: Host[] = list.data ?? [];
expect(hosts.length > 0, "no hosts");
for (const host of hosts) {
  // These members can be null, and their types say so.
  const solution: string | undefined = host.saptune_status?.enabled_solution?.id;
  const since: string | null = host.stale_at;
  expect(solution !== "" && since !== "", host.hostname);
}

const [host] = hosts;
expect(host !== undefined, "no host");
const tagged = await server.POST("/api/v1/hosts/{id}/tags", { params: { path: { id: host.id } }, body: { value: "typescript" } });
expect(tagged.data?.value === "typescript", "not tagged");
const untagged = await server.DELETE("/api/v1/hosts/{id}/tags/{value}", { params: { path: { id: host.id, value: "typescript" } } });
expect(untagged.response.status === 204, "not untagged");

const refused = await server.POST("/api/v1/hosts/{id}/tags", { params: { path: { id: host.id } }, body: { value: "no blanks" } });
expect(refused.response.status === 422, `status ${refused.response.status}`);
const pointer = refused.error && "errors" in refused.error ? refused.error.errors[0]?.source?.pointer : undefined;
expect(pointer === "/value", `pointer ${pointer}`);

const log = await server.GET("/api/v1/activity_log", { params: { query: { first: 2, type: ["resource_tagging"] } } });
expect(log.data?.data[0]?.severity === "info", "no entry about the tag");

console.log(hosts.map((h) => h.hostname).sort().join(" "));
