"""The database is the queue: what is accepted, in which order it changed, and how that is read again."""
