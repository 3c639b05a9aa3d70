# Writes the boards with the addresses that their links lead to, then becomes Grafana, which expands
# variables in its provisioning and in no board.
set -eu
boards=/tmp/boards
escaped() { printf '%s' "$1" | sed 's/[&|\\]/\\&/g'; }
mkdir -p "$boards"
for board in /etc/perf_pipeline/boards/*.json; do
  sed -e "s|http://127.0.0.1:8081|$(escaped "$PERF_PIPELINE_REPORTS_URL")|" \
    -e "s|http://127.0.0.1:3001|$(escaped "$PERF_PIPELINE_DAGSTER_URL")|" \
    "$board" > "$boards/${board##*/}"
done
exec /run.sh
