-- What the exporter and the probes of a load run read.
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'perf_user'@'%';
GRANT SELECT ON performance_schema.* TO 'perf_user'@'%';
