"""HTML as it comes, for Hypothesis: rows with fields that may be missing, and between them whatever breaks."""

from hypothesis import strategies as some

ENTITIES = ("&amp;", "&nbsp;", "&lt;", "&eacute;", "&unknown;", "&#65;", "&#x1F600;", "&#0;", "&", "<", ">", "\x00")
SPACES = (" ", "\n", "\r\n", "\t", "\f", "\u00a0", "\u2009", "   ")
WORDS = ("Beam", "1.299,00 €", "12", "22.11.2026", "Größe", "-", "価格", "a\u00adb", "x" * 80)
OPENED = (
    *("<div>", "<div class=x>", "<p>", "<p class='x y'>", "<ul>", "<li>", "<li class=x>", "<dl><dt>", "<dd>"),
    *("<table>", "<tbody>", "<tr>", "<tr class='x row'>", "<td>", "<td class=x>", "<th headers='a  b'>", "<caption>"),
    *("<a href=/x>", "<a HREF=' /y 1 ' Class=x rel='next  prev'>", "<a href>", "<a href='//['>", "<a name=q>"),
    *("<b>", "<i id=i>", "<span class=' x\t y '>", "<SPAN TITLE=x>", "<font color=red>", "<o:p>", "<svg viewBox=1>"),
    *("<form>", "<select>", "<option>", "<button>", "<noscript>", "<pre>\n", "<h1>", "<center>", "<object>"),
    *("<html lang=de>", "<body class=x>", "<head>", "<title>", "<textarea>", "<script>", "<style>", "<iframe>"),
    *("<p a=1 A=2 b='\"' c>", "<p class='' id=''>", "<p data-x='a&amp;b&nbsp;c'>"),
)
CLOSED = tuple(
    f"</{name}>"
    for name in (
        *("div", "p", "ul", "li", "dl", "table", "tbody", "tr", "td", "a", "b", "i", "span", "font", "svg", "form"),
        *("select", "noscript", "pre", "h1", "html", "body", "head", "title", "textarea", "script", "style", "br"),
    )
)
ALONE = (
    *("<br>", "<br/>", "<hr>", "<img src=x alt>", "<input type=PassWord>", "<div/>", "<base href=/base/>", "<wbr>"),
    *("<!-- c -->", "<!---->", "<!--", "<!doctype html>", "<?php x ?>", "<![CDATA[y]]>", "</>", "<>"),
    *("<script>if (a < b) document.write('<td class=x>')</script>", "<style>.x {}</style>", "<meta charset=latin-1>"),
)
text = some.sampled_from(WORDS + SPACES + ENTITIES) | some.text(max_size=8).filter(lambda it: "<" not in it)
pieces = some.sampled_from(OPENED + CLOSED + ALONE) | text


FITTING = {
    "name": ("Beam", "<a href='/n?a=1&b=2'>Beam <b>HEB</b></a>", "a<br>b &amp; c", "<a>x</a>", "<a href='//['>x</a>"),
    "price": ("<a href='x:y' title=z>1</a>", "1.299,00 &euro;", "12,50", "<b>-3</b>"),
    "date": ("22.11.2026", " 1.2.2026 10:00"),
    "stock": ("0", "1,204", "<i>7</i>"),
}


def cell(name: str) -> some.SearchStrategy[str]:
    """A cell as most of them are, and as some."""
    odd = some.lists(text | some.sampled_from(["<b>", "</b>", "<br>", "<i>z</i>", "<!-- c -->"]), max_size=4)
    content = some.one_of(some.sampled_from(FITTING[name]), some.sampled_from(FITTING[name]), odd.map("".join))
    whole = content.map(lambda it: f"<td class='{name} x'>{it}</td>")
    unclosed = content.map(lambda it: f"<td class={name}>{it}")
    return some.one_of(whole, whole, whole, unclosed, some.just(""), pieces)


def row() -> some.SearchStrategy[str]:
    """A row of the table that the listings of the tests read."""
    key = some.sampled_from(["=1 id=k1", "=2 id=k2", "=3", " id=k4"])
    cells = some.tuples(cell("name"), cell("price"), cell("date"), cell("stock"))
    return some.tuples(key, cells).map(lambda it: f"<tr data-row{it[0]}>{''.join(it[1])}</tr>")


pages = some.lists(pieces, max_size=40).map("".join)
rows = some.lists(some.one_of(*[row() for _ in range(6)], pieces), max_size=4).map("".join)
tables = some.tuples(row(), rows).map(lambda it: f"<table class=list>{it[0]}{it[1]}</table><a rel=next href=/2>")
