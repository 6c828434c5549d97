"""Filters: a small comparison language over entries, read into a tree and never run as code. See docs/views.md."""

from realtime.where.parse import CANONICAL, parse
from realtime.where.tokens import BadWhere
from realtime.where.tree import Filter, Subject
from realtime.where.values import fields_of

__all__ = ["CANONICAL", "BadWhere", "Filter", "Subject", "fields_of", "parse"]
