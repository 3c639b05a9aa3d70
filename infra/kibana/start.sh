# Sets the password of Kibana's own user in Elasticsearch, then becomes Kibana.
# Passwords go by standard input: arguments are in the list of processes.
set -euo pipefail
printf 'user = "elastic:%s"\nheader = "Content-Type: application/json"\ndata = "{\\"password\\":\\"%s\\"}"\n' \
  "$ELASTICSEARCH_PASSWORD" "$ELASTICSEARCH_PASSWORD" |
  curl -sf -K - -X POST "$ELASTICSEARCH_HOSTS/_security/user/kibana_system/_password"
exec /usr/local/bin/kibana-docker
