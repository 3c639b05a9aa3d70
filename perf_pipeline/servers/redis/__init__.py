"""Redis or Valkey as a service: programs, launch, data of a run, probe."""
