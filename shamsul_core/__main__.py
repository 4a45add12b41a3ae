"""``python -m shamsul_core``."""

from shamsul_core.cli import app

if __name__ == "__main__":
    app()
