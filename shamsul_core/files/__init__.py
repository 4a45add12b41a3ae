"""Files appear whole or not at all, here or in an object store, and one process at a time writes them."""
