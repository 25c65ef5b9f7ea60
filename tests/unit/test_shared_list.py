"""The list of tests that need the folder of reference material tells the truth."""

import pytest

from tests.conftest import SHARED_LIST, shared_tests


def test_every_test_that_needs_the_shared_folder_is_listed(request: pytest.FixtureRequest) -> None:
    listed = set(SHARED_LIST.read_text(encoding="utf-8").splitlines())
    found = shared_tests(request.session.items)
    modules = {item.nodeid.partition("::")[0] for item in request.session.items}
    whole = not request.config.getoption("keyword") and not request.config.getoption("markexpr")
    expected = {name for name in listed if whole and name.partition("::")[0] in modules}
    assert found <= listed, f"not in the list: {sorted(found - listed)}; run pytest --write-shared-list"
    assert expected <= found, f"listed, but gone or no longer in need: {sorted(expected - found)}"
