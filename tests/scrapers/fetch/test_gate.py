"""Where a source may go."""

import pytest

from scrapers.errors import Forbidden
from scrapers.fetch.gate import Gate


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://shop.example/list", True),
        ("http://SHOP.example./list", True),
        ("https://xn--bcher-kva.example/", True),
        ("https://bücher.example/", True),
        ("https://shop.example:8443/", False),
        ("https://cdn.example/x", True),
        ("https://cdn.example:8443/x", False),
        ("http://files.example:8080/x", True),
        ("http://files.example/x", False),
        ("https://evil.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://shop.example@evil.example/", False),
        ("ftp://shop.example/", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_the_sources_own_hosts(url, allowed):
    gate = Gate("https://shop.example/prices", ["CDN.example", "files.example:8080", "bücher.example"])
    if allowed:
        gate.check(url)
        return
    with pytest.raises(Forbidden):
        gate.check(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1"])
def test_an_address_or_localhost_means_itself(host):
    start = f"http://[{host}]:8000/" if ":" in host else f"http://{host}:8000/"
    assert Gate(start).addresses(host, 8000)


@pytest.mark.parametrize("name", ["2130706433", "0x7f.1", "127.1", "0"])
def test_a_name_never_leads_into_our_network(name):
    with pytest.raises(Forbidden, match="inside a private network"):
        Gate(f"http://{name}/").addresses(name, 80)


def test_a_network_can_be_named():
    assert Gate("http://127.1/", ["127.0.0.0/8"]).addresses("127.1", 80) == ["127.0.0.1"]
