"""A target's text: a name, a version and packages, or a clear no."""

from __future__ import annotations

import pytest

from perf_pipeline.config.scenario.target_spec import (
    TargetSpec,
    parse_target,
    target_facts,
    target_fields,
    target_names,
    target_text,
    with_defaults,
)


@pytest.mark.parametrize(
    ("text", "name", "version", "packages"),
    [
        ("kailash", "kailash", None, ()),
        ("kailash==2.19.0", "kailash", "2.19.0", ()),
        ("kailash+pandas", "kailash", None, ("pandas",)),
        (
            "kailash_async==2.0.0rc1+pandas[all]+numpy==2.2.0",
            "kailash_async",
            "2.0.0rc1",
            ("pandas[all]", "numpy==2.2.0"),
        ),
    ],
)
def test_a_target_is_a_name_a_version_and_packages(
    text: str, name: str, version: str | None, packages: tuple[str, ...]
) -> None:
    spec = parse_target(text)

    assert spec == TargetSpec(text, name, version, packages)
    assert spec.is_locked is (text == "kailash")


def test_a_release_may_be_pinned_to_the_packages_of_the_lock() -> None:
    spec = parse_target("kailash==2.19.0@lock+pandas")

    assert spec.version == "2.19.0"
    assert spec.is_pinned
    assert spec.packages == ("pandas",)
    fields = target_fields(spec.text)
    assert fields["target_version"] == "2.19.0@lock"
    assert target_text("kailash", "2.19.0@lock", ["pandas"]) == spec.text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "names no target"),
        ("kailsh", "names no target; there are callable"),
        ("../kailash", "names no target"),
        ("kailash==", "has the version ''"),
        ("kailash==latest", "has the version 'latest'"),
        ("kailash==2.0; rm -rf", "has the version"),
        ("kailash==2.0@2.65.0", "has the version '2.0@2.65.0'"),
        ("kailash==@lock", "has the version ''"),
        ("callable==1.0", "callable has no package of its own"),
        ("kailash+", "adds ''"),
        ("kailash+--index-url=http://x", "adds '--index-url=http://x'"),
        ("kailash+pandas @ file:///x", "adds 'pandas @ file:///x'"),
    ],
)
def test_what_is_no_target_is_refused_with_the_part_that_is_wrong(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r"target|version|adds") as refused:
        parse_target(text)

    assert part in str(refused.value)


def test_every_target_names_what_a_slot_is_and_gives_each_setting_a_default_that_fits() -> None:
    from perf_pipeline.config.scenario.target_settings import setting_keys  # noqa: PLC0415 a later layer

    assert {"kailash", "control", "callable"} <= set(target_names())
    for name in target_names():
        facts = target_facts(name)
        assert facts.mode == ("asyncio" if name.endswith("_async") else "threads")
        for setting, key in setting_keys(name).items():
            default = with_defaults(name, {})[setting]
            assert list(key.problems_of(default)) == []
