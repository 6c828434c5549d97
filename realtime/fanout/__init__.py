"""Sending to this process's clients: a message becomes one frame, and every socket that takes it gets it at once."""

from realtime.fanout.fanout import BOUND, CLOSE_WITHIN, Fanout

__all__ = ["BOUND", "CLOSE_WITHIN", "Fanout"]
