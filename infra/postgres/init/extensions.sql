CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
-- Dagster's storage is a database of its own, beside that of the workflows.
CREATE DATABASE dagster;
