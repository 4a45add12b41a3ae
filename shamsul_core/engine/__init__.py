"""Who does what: what of a cohort is to be explained, what is done, and who does it."""
