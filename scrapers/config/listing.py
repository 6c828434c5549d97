"""A portal without Python: the selectors of its rows and fields, as `fields:` in schedules.yaml says them."""

from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Type = Literal["text", "money", "number", "date", "link"]


class Field(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How one field is read from a row."""

    selector: Annotated[
        Text | None, msgspec.Meta(description="CSS selector within the row; absent: the row itself.")
    ] = None
    attribute: Annotated[
        Text | None, msgspec.Meta(description="Read this attribute instead of the element's text.")
    ] = None
    type: Annotated[Type, msgspec.Meta(description="What the text is: text, money, number, date or link.")] = "text"
    order: Annotated[
        Literal["YMD", "DMY", "MDY"] | None, msgspec.Meta(description="A date's order of year, month and day.")
    ] = None
    format: Annotated[
        Text | None, msgspec.Meta(description='A date\'s exact form, as strptime takes it: "%d %B %Y".')
    ] = None
    languages: Annotated[list[Text], msgspec.Meta(description="Languages of a date's month names.")] = msgspec.field(
        default_factory=lambda: ["en"]
    )
    decimal: Annotated[
        Literal[".", ","] | None, msgspec.Meta(description="The decimal separator of money and numbers.")
    ] = None
    optional: Annotated[bool, msgspec.Meta(description="A row may lack this field: it is then left out.")] = False


class Listing(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a page's rows become entries. A field may be given by its selector alone."""

    rows: Annotated[Text, msgspec.Meta(description="CSS selector of the rows; a page without any is a failure.")]
    key: Annotated[Field | Text, msgspec.Meta(description="What names the row for ever: a product number, an address.")]
    fields: Annotated[dict[str, Field | Text], msgspec.Meta(description="The entry's fields by name.")]
    topic: Annotated[
        Field | Text | None, msgspec.Meta(description="The group the entry belongs to, a room of its own.")
    ] = None
    url: Annotated[
        Field | Text | None, msgspec.Meta(description="Where a person sees the entry; a bare selector means its link.")
    ] = None
    next: Annotated[Text | None, msgspec.Meta(description="CSS selector of the link to the next page.")] = None
