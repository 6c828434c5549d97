"""A listing of 100 KiB pages with 200 rows each, and a server that hardly keeps its reader waiting:
`python -m benchmarks.peers.listing PORT PAGES`."""

import socket
import sys
import threading
from collections.abc import Iterator

ROWS = 200  # of a page
SIZE = 100 * 1024  # bytes of a page, at least
GROUPS = ("Steel profiles", "Stainless &amp; special", "Aluminium", "Größe XL", "Copper &lt; 5 mm")


def page(number: int, pages: int) -> bytes:
    """Page `number` of `pages`: HTML as shops write it, indented, with classes, titles and entities."""
    rows = "".join(_row(number * ROWS + n) for n in range(ROWS))
    link = f'<a rel="next" href="/list/{number + 1}">next page &raquo;</a>' if number + 1 < pages else ""
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Prices, page {number + 1}</title>\n'
        f'<link rel="stylesheet" href="/shop.css"></head>\n<body><h1>Our prices</h1>\n'
        f'<table class="prices"><thead><tr><th>Group</th><th>Article</th><th>Price</th><th>From</th><th>Stock</th>'
        f"</tr></thead>\n<tbody>\n{rows}</tbody></table>\n<nav>{link}</nav>\n</body></html>\n"
    )
    return text.encode().ljust(SIZE)


def _row(n: int) -> str:
    return (
        f'<tr class="item" id="article-{n}" data-sku="SKU-{n:06}" itemscope itemtype="/p">\n'
        f'  <td class="group">{GROUPS[n % len(GROUPS)]}</td>\n'
        f'  <td class="name"><a href="/items/{n}?lang=en" title="Article {n}">Beam HEB {n % 900 + 100} '
        f"S235JR <b>hot rolled</b>, {n % 12 + 1} m</a></td>\n"
        f'  <td class="price num">{n % 9 + 1}.{n % 900 + 100},{n % 100:02} &euro;</td>\n'
        f'  <td class="from">{n % 28 + 1:02}.{n % 12 + 1:02}.2026</td>\n'
        f'  <td class="stock num">{n * 7 % 5000:,}</td>\n'
        f'  <td class="order"><form action="/cart/add" method="post"><input type="hidden" name="sku" value="{n:06}">'
        '<button type="submit">Add</button></form></td>\n</tr>\n'
    )


def serve(port: int, pages: int) -> None:
    """Answers until it is ended; the answers are made beforehand."""
    answers = {f"/list/{number}".encode(): _answer("200 OK", page(number, pages)) for number in range(pages)}
    missing = _answer("404 Not Found", b"<p>There is no such page")
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_converse, args=(connection, answers, missing), daemon=True).start()


def _answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _converse(connection: socket.socket, answers: dict[bytes, bytes], missing: bytes) -> None:
    with connection:
        for request in _requests(connection):
            connection.sendall(answers.get(request.split(b" ", 2)[1], missing))


def _requests(connection: socket.socket) -> Iterator[bytes]:
    heard = b""
    while more := connection.recv(65536):
        heard += more
        *requests, heard = heard.split(b"\r\n\r\n")
        yield from requests


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
