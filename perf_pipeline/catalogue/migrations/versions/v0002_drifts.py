"""Whether what an alert announced is a drift; older alerts have none."""

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    column = Column("is_drift", Boolean, nullable=False, server_default=false())
    op.add_column("catalogue_alert_metrics", column)
