"""Answers and assignments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _case() -> list[sa.Column[str]]:
    return [
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("reader", sa.String(200), nullable=False),
        sa.Column("image_id", sa.String(200), nullable=False),
        sa.Column("pathology", sa.String(64), nullable=False),
    ]


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer, primary_key=True),
        *_case(),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("question", sa.String(32), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("answered", sa.DateTime, nullable=False),
    )
    op.create_index("answer_of_reader", "answer", ["run", "reader", "image_id", "pathology"])
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer, primary_key=True),
        *_case(),
        sa.UniqueConstraint("run", "reader", "image_id", "pathology"),
    )


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("assignment")
    op.drop_table("answer")
