"""Worklists that are only ever added, in place of assignments that were replaced."""

import json
from datetime import UTC, datetime
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_OLD = sa.table("assignment", *map(sa.column, ("id", "run", "reader", "image_id", "pathology")))


def upgrade() -> None:
    """Make the table and take over what is assigned."""
    worklist = op.create_table(
        "worklist",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("reader", sa.String(200), nullable=False),
        sa.Column("cases", sa.Text, nullable=False),
        sa.Column("assigned_by", sa.String(200), nullable=False),
        sa.Column("assigned", sa.DateTime, nullable=False),
    )
    op.create_index("worklist_of_reader", "worklist", ["run", "reader"])
    rows = op.get_bind().execute(sa.select(_OLD).order_by(_OLD.c.run, _OLD.c.reader, _OLD.c.id)).all()
    for (run, reader), cases in groupby(rows, key=lambda row: (row.run, row.reader)):
        listed = json.dumps([[case.image_id, case.pathology] for case in cases])
        now = datetime.now(UTC).replace(tzinfo=None)
        about = {"run": run, "reader": reader, "cases": listed, "assigned_by": "", "assigned": now}
        op.execute(sa.insert(worklist).values(**about))
    op.drop_table("assignment")


def downgrade() -> None:
    """Make assignments of the latest worklists, and drop the others."""
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("reader", sa.String(200), nullable=False),
        sa.Column("image_id", sa.String(200), nullable=False),
        sa.Column("pathology", sa.String(64), nullable=False),
        sa.UniqueConstraint("run", "reader", "image_id", "pathology"),
    )
    new = sa.table("worklist", *map(sa.column, ("id", "run", "reader", "cases")))
    rows = op.get_bind().execute(sa.select(new).order_by(new.c.id)).all()
    for (run, reader), cases in {(row.run, row.reader): row.cases for row in rows}.items():
        for image_id, pathology in json.loads(cases):
            about = {"run": run, "reader": reader, "image_id": image_id, "pathology": pathology}
            op.execute(sa.insert(_OLD).values(**about))
    op.drop_table("worklist")
