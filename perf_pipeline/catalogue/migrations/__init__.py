"""Migrations of the catalogue's database, executed by Alembic."""
