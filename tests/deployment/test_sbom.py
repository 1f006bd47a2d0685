"""The bill of materials is what the locks install, and what is installed here."""

import re
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deployment.sbom import LICENCES, ROOT, VARIANTS, licence, page, stored

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
FREE = re.compile(
    r"(MIT|MIT-0|BSD-[23]-Clause|Apache-2\.0|ISC|PSF-2\.0|MPL-2\.0|Apache Software License)"
)


def components(variant: str) -> dict[str, str]:
    return {
        canonicalize_name(each["name"]): each["version"] for each in stored(variant)["components"]
    }


def locked(lock: str, python: str) -> dict[str, str]:
    """What the lock installs into an image with such a Python."""
    image = {
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
    }
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    found = {}
    for line in lines:
        if line[:1].isalnum():
            each = Requirement(line.removesuffix("\\").strip())
            if each.marker is None or each.marker.evaluate(image):
                found[canonicalize_name(each.name)] = str(each.specifier).removeprefix("==")
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_has_what_the_lock_installs_and_nothing_else(variant: str, python: str) -> None:
    assert components(variant) == locked(VARIANTS[variant], python), "run: make sbom"


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_has_the_versions_that_are_installed_here(variant: str) -> None:
    told = components(variant)
    assert {name: distribution(name).version for name in told} == told


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_component_has_a_licence_that_binds_nobody_else(variant: str) -> None:
    found = {each["name"]: licence(each) for each in stored(variant)["components"]}
    parts = {part for each in found.values() for part in re.split(r" (?:AND|OR) ", each)}
    assert {part for part in parts if not FREE.fullmatch(part)} == set(), found


def test_the_page_of_licences_is_up_to_date() -> None:
    assert LICENCES.read_text(encoding="utf-8") == page(), "run: make sbom"
