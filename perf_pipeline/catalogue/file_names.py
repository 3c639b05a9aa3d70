"""Names of files of the catalogue, for whoever only looks for them, without SQLAlchemy."""

CATALOGUE_FILE = "catalogue.sqlite"
"""The catalogue of a results folder, in it."""

BASELINES_FILE = "baselines.json"
"""The baselines of an archive of results, beside its runs."""
