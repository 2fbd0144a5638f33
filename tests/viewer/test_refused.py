"""A page answers who has its address, and nobody else on this machine or in another page."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("viser")
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from twin.viewer.server import Page, close_server


@pytest.fixture
def page():
    served = Page("test", "127.0.0.1", 0)
    yield served
    close_server(served)


def status(address, **headers):
    try:
        with urlopen(Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers.get("Set-Cookie", "")
    except HTTPError as error:
        return error.code, error.headers.get("Set-Cookie", "")


def test_the_address_with_its_key_opens_the_page_and_its_parts(page):
    code, cookie = status(page.address)
    assert code == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    bare = page.address.partition("?")[0]
    assert status(bare)[0] == 403 and not status(bare)[1]
    assert status(bare + "?key=" + "x" * 22)[0] == 403
    assert status(bare, Cookie=cookie.partition(";")[0])[0] == 200


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:9999", "https://example.org", "null", "own"])
def test_only_its_own_page_steers_it(page, origin):
    host = f"127.0.0.1:{page.get_port()}"
    cookie = status(page.address)[1].partition(";")[0]
    for headers in ({}, {"Cookie": cookie}):
        wanted = {"origin": f"http://{host}" if origin == "own" else origin} if origin else {}
        allowed = "Cookie" in headers and origin in (None, "own")
        try:
            with connect(f"ws://{host}/", additional_headers=headers, subprotocols=["viser-v1.1.1"], **wanted):
                assert allowed
        except InvalidStatus as refused:
            assert not allowed and refused.response.status_code == 403
