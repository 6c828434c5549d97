"""Aliases that stand inside of what they name: the parser makes nothing of them, and says nothing."""

from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent


def within_itself(content: str, deepest: int) -> tuple[int, str] | None:
    """Line and name of the first alias of a collection that it is a part of. Raises YAMLError, and RecursionError where
    collections are nested deeper than `deepest`: such a text takes the parser minutes."""
    around: list[str | None] = []  # the anchors of the collections we are in
    for event in YAML(typ="rt").parse(content):
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            around.append(event.anchor)
            if len(around) > deepest:
                raise RecursionError
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            around.pop()
        elif isinstance(event, AliasEvent) and event.anchor in around:
            return event.start_mark.line + 1, event.anchor
    return None
