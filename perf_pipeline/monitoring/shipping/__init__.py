"""Ships stored logs to Elasticsearch or OpenSearch, each line once."""
