"""Which sign-ins were ended, until their cookies would have expired."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "ended_sign_in",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("ended", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("ended_sign_in")
