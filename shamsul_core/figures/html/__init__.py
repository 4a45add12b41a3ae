"""Tables and charts on pages."""
