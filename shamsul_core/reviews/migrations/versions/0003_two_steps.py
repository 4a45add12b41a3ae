"""How an answer came about, first answers that stay, and when each step of a case was on a reader's screen."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _circumstances() -> list[sa.Column[object]]:
    """Return what is empty in the answers there are: they were given in one step, and nobody noted the rest."""
    return [
        sa.Column("step", sa.Integer),
        sa.Column("is_blinded", sa.Boolean),
        sa.Column("map_order", sa.Text),
        sa.Column("model", sa.String(200)),
        sa.Column("version", sa.String(64)),
    ]


def upgrade() -> None:
    """Add the columns and the table."""
    for column in _circumstances():
        op.add_column("answer", column)
    first = sa.text("step = 1")
    op.create_index(
        "first_answer_once",
        "answer",
        ["run", "reader", "image_id", "pathology", "method", "question"],
        unique=True,
        sqlite_where=first,
        postgresql_where=first,
    )
    op.create_table(
        "showing",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("reader", sa.String(200), nullable=False),
        sa.Column("image_id", sa.String(200), nullable=False),
        sa.Column("pathology", sa.String(64), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("showing", sa.String(32), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("happened", sa.DateTime, nullable=False),
    )
    op.create_index("showing_of_run", "showing", ["run", "reader"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("showing")
    op.drop_index("first_answer_once", "answer")
    for column in _circumstances():
        op.drop_column("answer", column.name)
