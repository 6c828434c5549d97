"""From a run to the server: everything goes through a spool on disk, so that no crash and no absence loses it."""
