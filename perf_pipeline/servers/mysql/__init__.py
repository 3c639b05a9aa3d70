"""MySQL or MariaDB as a service: programs, launch, data of a run, probe."""
