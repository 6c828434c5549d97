"""What may stand in a path."""

from werkzeug.routing import PathConverter


class TextConverter(PathConverter):
    """Any text: a key is often an address or a part of one, and may begin with a slash or have two in a row."""

    regex = ".+?"
    part_isolating = False
