"""The releases of a package are asked of a real index on loopback."""

from __future__ import annotations

import pytest

from perf_pipeline.errors import ScenarioError, TargetEnvironmentError
from perf_pipeline.loadgen.environment.releases import Wanted, index_urls, list_releases
from tests.package_index import FakeIndex, serving

pytestmark = pytest.mark.integration

PYTHON = Wanted("3.11.7")
OFFERED = {
    "2.10.0": {},
    "2.9.0": {"requires-python": ">=3.11"},
    "2.9.1": {"yanked": "broken"},
    "3.0.0rc1": {},
    "4.0.0": {"requires-python": ">=3.99"},
    "0.12.2": {"requires-python": ">=3.9,<4"},
}


@pytest.mark.parametrize("is_html", [False, True], ids=["json", "html"])
def test_releases_are_sorted_as_versions_and_exclude_withdrawn_early_and_unsupported_ones(
    is_html: bool,  # noqa: FBT001
) -> None:
    with serving(OFFERED) as index:
        index.is_html = is_html
        assert list_releases("runtime-x", PYTHON, index.environ()) == ("0.12.2", "2.9.0", "2.10.0")


def test_early_and_withdrawn_releases_count_when_they_are_asked_for() -> None:
    with serving(OFFERED) as index:
        wanted = Wanted("3.11.7", since="2.9.0", pre_releases=True, yanked=True)
        found = list_releases("runtime-x", wanted, index.environ())
    assert found == ("2.9.0", "2.9.1", "2.10.0", "3.0.0rc1")


def test_the_name_is_normalised_and_the_login_goes_into_a_header_and_not_into_the_address() -> None:
    with serving({"1.0": {}}) as index:
        address = index.url.replace("http://", "http://user:p%40ss@")
        environ = {**index.environ(), "UV_DEFAULT_INDEX": f"inside={address}/"}
        assert list_releases("Runtime_X", PYTHON, environ) == ("1.0",)
        assert index.asked == [("/simple/runtime-x/", "Basic dXNlcjpwQHNz")]


def test_the_first_index_that_has_the_package_counts() -> None:
    """As uv installs: an index of one's own hides the public one."""
    with serving({"1.0": {}}) as own, serving({"9.0": {}}) as public, serving() as empty:
        empty.package = "another"
        environ = {**public.environ(), "PIP_EXTRA_INDEX_URL": f"{empty.url} {own.url}"}
        assert index_urls(environ) == (empty.url, own.url, public.url)
        assert list_releases("runtime-x", PYTHON, environ) == ("1.0",)
        assert public.asked == []


def test_no_answer_names_each_index_that_was_asked_and_no_password() -> None:
    with serving() as index:
        index.package = "another"
        address = index.url.replace("http://", "http://user:topsecret@")
        with pytest.raises(TargetEnvironmentError) as refused:
            list_releases("runtime-x", PYTHON, {**index.environ(), "UV_DEFAULT_INDEX": address})
    said = str(refused.value)
    assert "which releases of runtime-x there are" in said
    assert "404" in said
    assert "topsecret" not in said


def test_an_index_that_is_down_hides_no_other_one() -> None:
    """What the index of one's own has is unknown, so the public one does not stand in for it."""
    with serving({"9.0": {}}) as public:
        gone = FakeIndex(url="http://127.0.0.1:9/simple")
        environ = {**public.environ(), "UV_INDEX": gone.url}
        with pytest.raises(TargetEnvironmentError, match=r"127\.0\.0\.1:9"):
            list_releases("runtime-x", PYTHON, environ)
        assert public.asked == []


def test_no_such_release_and_no_such_version_are_told_apart() -> None:
    with serving(OFFERED) as index:
        with pytest.raises(TargetEnvironmentError, match=r"no release from 5\.0 on for Python"):
            list_releases("runtime-x", Wanted("3.11.7", since="5.0"), index.environ())
        with pytest.raises(ScenarioError, match="--since is 'soon'"):
            list_releases("runtime-x", Wanted("3.11.7", since="soon"), index.environ())


def test_pip_without_an_index_is_asked_nothing() -> None:
    with serving(OFFERED) as index:
        with pytest.raises(TargetEnvironmentError, match="ask no index"):
            list_releases("runtime-x", PYTHON, index.environ(PIP_NO_INDEX="1"))
        assert index.asked == []
