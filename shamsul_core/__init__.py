"""SHAMSUL's core: a cohort goes in, an engine explains it once, a run comes out."""
