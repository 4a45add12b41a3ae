"""A reader's own radiograph: taken in, explained by a worker process, and held in memory like a run of one."""
