"""Tables to tables: summaries, intervals, comparisons and what the paper reports."""
