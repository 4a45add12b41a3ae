"""Which radiographs: the list that a reader goes through, and the cases that show something."""
