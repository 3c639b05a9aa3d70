"""Alembic executes this to run the migrations on the connection that ``schema.py`` hands it.

A new migration is written by hand as ``versions/vNNNN_what_is_new.py``, with ``LATEST`` in
``schema.py``; a test compares what the migrations make to ``tables.py``.
"""

from alembic import context

from perf_pipeline.catalogue.schema import VERSION_TABLE
from perf_pipeline.catalogue.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # the caller's transaction: SQLite changes tables in one as well
)
with context.begin_transaction():
    context.run_migrations()
