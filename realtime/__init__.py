"""The server: the store, the one rule of the feed, the rooms, the page."""
