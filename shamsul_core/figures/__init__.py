"""Figures from plain tables and arrays; nothing here knows of a web page."""
