"""The API's documentation, as a browser draws it."""

from selenium.webdriver import Chrome

from tests.conftest import Server, eventually


def test_every_operation_is_drawn_without_the_internet(chrome: Chrome, module_server: Server) -> None:
    chrome.get(f"{module_server.url}/docs")
    eventually(lambda: "/api/entries" in drawn(chrome), what="swagger-ui draws the operations")
    assert {"/api/new_data", "/api/holds/{hold}/approve"} <= drawn(chrome)
    asked = chrome.execute_script("return performance.getEntriesByType('resource').map(e => new URL(e.name).host)")
    assert set(asked) == {f"127.0.0.1:{module_server.port}"}


def drawn(browser: Chrome) -> set[str]:
    paths = browser.execute_script("return [...document.querySelectorAll('[data-path]')].map(e => e.dataset.path)")
    return set(paths)
