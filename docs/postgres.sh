#!/bin/sh
# Measures the activity log of the existing server: its table, indexes and
# searches, in PostgreSQL, on the corpus that the benchmarks of ./search use.
#
#     TRENTO_PERF_ENTRIES=1000000 go test -run - -bench Paging ./search    # makes the corpus, once
#     PGHOST=... PGUSER=... PGDATABASE=... sh docs/postgres.sh ~/.cache/trento-test/log-1000000-v2/entries.csv
#
# Takes psql and pgbench, and a database it may create and drop a table in. Each
# query is run once to warm up and then RUNS times (3 where not set) as a
# prepared statement; the median is printed, in milliseconds. With TOTALS=1 the
# searches are counted as well; with LOADED=1 the table is there already. The
# last step removes entries.
set -eu
csv=$1
runs=$(seq "${RUNS:-3}")

sql() { psql -qAtX -v ON_ERROR_STOP=1 "$@"; }

# median NAME QUERY
median() {
	{
		printf '%s\n' "PREPARE q AS $2;" '\o /dev/null' 'EXECUTE q;' '\timing on'
		for _ in $runs; do printf 'EXECUTE q;\n'; done
	} | sql | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | sort -n | sed -n "$(((${RUNS:-3} + 1) / 2))p" | while read -r ms; do echo "$1: $ms"; done
}

# timed NAME STATEMENT
timed() {
	printf '\\timing on\n%s\n' "$2" | sql | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | while read -r ms; do echo "$1: $ms"; done
}

page() { median "$1" "SELECT * FROM activity_logs $2 ORDER BY inserted_at DESC LIMIT 21"; }

search() {
	median "$1" "SELECT *, jsonb_path_query(metadata, '$2') FROM activity_logs ORDER BY inserted_at DESC LIMIT 21"
	[ -z "${TOTALS:-}" ] || median "$1, total" "SELECT count(DISTINCT id) FROM (SELECT id, jsonb_path_query(metadata, '$2') FROM activity_logs) found"
}

word='[a-zA-Z0-9_./:-]*'
is() { echo "\$.** ? (@ == \"$1\")"; }
has() { echo "\$.** ? (@ like_regex \"^$word$1$word\$\")"; }
both() { echo "\$ ? (exists(@.** ? (@ == \"$1\")) && exists(@.** ? (@ == \"$2\")))"; }

[ -n "${LOADED:-}" ] || sql <<SQL
DROP TABLE IF EXISTS activity_logs;
CREATE TABLE activity_logs (id uuid PRIMARY KEY, type varchar(255), actor varchar(255), metadata jsonb, severity integer,
	inserted_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
\\copy activity_logs FROM '$csv' CSV
CREATE INDEX ON activity_logs (inserted_at);
CREATE INDEX ON activity_logs (type);
CREATE INDEX ON activity_logs (actor);
CREATE INDEX ON activity_logs (severity);
CREATE INDEX ON activity_logs USING gin (metadata jsonb_path_ops);
VACUUM ANALYZE activity_logs;
SQL
sql -c "SELECT 'entries: ' || count(*) FROM activity_logs"
sql -c "SELECT 'MB, table and indexes: ' || pg_total_relation_size('activity_logs') / 1000000"

echo "== pages"
page newest ""
page "from the middle" "WHERE inserted_at < '2026-05-31'"
page "frequent type" "WHERE type ILIKE '%host_details_updated%'"
page "absent type" "WHERE type ILIKE '%user_deletion%'"
page actor "WHERE actor ILIKE '%user07%'"
page "absent actor" "WHERE actor ILIKE '%nobody%'"
page critical "WHERE severity = ANY('{21}')"
page "one day" "WHERE inserted_at BETWEEN '2026-05-31' AND '2026-06-01'"
page "type, actor, severity, dates" "WHERE type ILIKE '%operation_completed%' AND actor ILIKE '%user07%' AND severity = ANY('{21}') AND inserted_at BETWEEN '2026-05-31' AND '2026-06-07'"

echo "== searches"
search CHG-needle-0042 "$(is CHG-needle-0042)"
search absent "$(is absent)"
search critical "$(is critical)"
search 'vmhana*' '$.** ? (@ starts with "vmhana")'
search '*hana*' "$(has hana)"
search '*needle*' "$(has needle)"
search '*dead*' "$(has dead)"
search 'vmhana016 AND CHG-needle-0042' "$(both vmhana016 CHG-needle-0042)"
search 'vmhana016 AND vmhana017' "$(both vmhana016 vmhana017)"

echo "== appending, one entry a transaction"
insert=$(mktemp)
trap 'rm -f "$insert"' EXIT
cat > "$insert" <<'SQL'
INSERT INTO activity_logs SELECT gen_random_uuid(), 'host_details_updated', 'system',
	jsonb_build_object('correlation_id', gen_random_uuid()) || '{"arch": "x86_64", "host_id": "5f1c2a90-7c1e-4a55-9b0e-0d6f3a8e1111", "hostname": "vmhana123", "cpu_count": 16, "os_version": "15.5", "ip_addresses": ["10.1.0.123/24"], "socket_count": 2, "agent_version": "3.1.4", "systemd_units": [{"name": "pacemaker.service", "unit_file_state": "enabled"}, {"name": "corosync.service", "unit_file_state": "enabled"}], "prometheus_mode": "pull", "total_memory_mb": 131072, "prometheus_targets": {"node_exporter": "10.1.0.123:9100"}, "installation_source": "suse", "last_boot_timestamp": "2026-03-02T08:11:05.004512Z", "fully_qualified_domain_name": "vmhana123.example.com"}'::jsonb,
	9, now(), now();
SQL
for clients in 1 10; do
	pgbench -n -M prepared -f "$insert" -c "$clients" -T 10 | sed -n "s/^tps = \([0-9]*\).*/$clients clients: \1 a second/p"
done

echo "== retention: the oldest three tenths"
timed delete "DELETE FROM activity_logs WHERE inserted_at < (SELECT min(inserted_at) + interval '90 days' FROM activity_logs);"
timed vacuum "VACUUM activity_logs;"
sql -c "SELECT 'MB, table and indexes: ' || pg_total_relation_size('activity_logs') / 1000000"
