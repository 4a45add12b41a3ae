"""Alembic's entry; the connection is given by `shamsul_core.reviews.database`."""

from alembic import context

from shamsul_core.reviews.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
