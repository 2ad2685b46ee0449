"""Makefile, lock, README, workflows and tracked files agree with one another."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from setup_project import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TORCH_CPU = "https://download.pytorch.org/whl/cpu"  # PyTorch's documented address
PINS = dict(
    line.split("==") for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")
)


def targets(makefile: str) -> set[str]:
    phony = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert phony
    return set(phony[1].split())


def tracked() -> list[Path]:
    """Give every file that is or would be committed; without git, what `make clean` would leave."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        names = [Path(name) for name in listing.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
    made = {".venv", "_build", "__pycache__", ".git"}
    return [ROOT / name for name in names if not made & set(name.parts) and (ROOT / name).is_file()]


def test_help_lists_every_target() -> None:
    """`make` alone helps; so does `make -C book help`."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    for command in (["make"], ["make", "--no-print-directory", "-C", "book", "help"]):
        done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
        listed = set(re.findall(r"^  make ([\w-]+) +\S", done.stdout, re.MULTILINE))
        assert listed == targets(MAKEFILE), done.stderr


def test_the_makefile_of_the_book_knows_the_same_targets() -> None:
    goals = re.search(r"^GOALS := (.*)$", (ROOT / "book" / "Makefile").read_text(), re.MULTILINE)
    assert goals
    assert set(goals[1].split()) == targets(MAKEFILE)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_commands_in_the_documents_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(
        re.findall(r"(?:`|^|; |exec )(?:[A-Z]+=\S+ )?make (?:-C book )?([a-z-]+)", text, re.M)
    )
    assert named
    assert named <= targets(MAKEFILE)


def test_the_table_of_the_readme_is_whole() -> None:
    table = set(re.findall(r"`make ([a-z-]+)`", README))
    assert table == targets(MAKEFILE)


def test_the_readme_names_real_files_and_runs() -> None:
    for name in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / name).is_file(), name
    assert f"pip install --no-deps torch=={PINS['torch']} --index-url {TORCH_CPU}" in README
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example
    done = subprocess.run(
        [sys.executable, "-c", example[1]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "tensor([0, 0, 0, 1])\n", done.stderr


def test_the_lecture_is_credited_and_both_licences_are_stated() -> None:
    assert "Claudio Mirabello" in README
    assert "National Bioinformatics Infrastructure Sweden" in README
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    for words in (
        "MIT License",
        "Permission is hereby granted",
        "Creative Commons Attribution 4.0 International",
        "https://creativecommons.org/licenses/by/4.0/",
    ):
        assert words in licence


def test_the_lock_pins_every_requirement_within_its_range() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = PROJECT["project"]["dependencies"] + [
        line for part in extras.values() for line in part
    ]
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    for line in wanted + PROJECT["build-system"]["requires"]:
        requirement = Requirement(line)
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name} is not in requirements.lock: run make lock"
        assert requirement.specifier.contains(pin), f"{line} does not admit {pin}: run make lock"


def test_the_lock_is_a_constraints_file_for_every_platform() -> None:
    assert PINS["torch"] == "2.13.0"
    assert PINS["Sphinx"].startswith("9.0.")  # 9.2 wants Python 3.13
    assert not any(re.search(r"[+@ ;/]", pin) for pin in PINS.values())
    assert "dlcourse" not in {canonicalize_name(name) for name in PINS}
    assert LOCK.startswith("# The exact versions")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_sound(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    assert True in workflow or "on" in workflow  # YAML 1.1 reads the key `on` as true
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            assert "run" in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
            for command in re.findall(r"^make (\w+)", step.get("run", ""), re.MULTILINE):
                assert command in targets(MAKEFILE)


def test_the_three_workflows_do_what_they_are_for() -> None:
    ci, pages, weekly = (
        json.dumps(yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text("utf-8")))
        for name in ("ci.yml", "pages.yml", "weekly.yml")
    )
    for words in ("ubuntu", "macos", "3.11", "3.12", "3.13", "make html", "make test", TORCH_CPU):
        assert words in ci
    for words in ("BOOK_BASE_URL", "base_url", "BOOK_REPOSITORY", "deploy-pages"):
        assert words in pages
    for words in ("cron", '"CONSTRAINTS": ""', "make linkcheck"):
        assert words in weekly


def test_no_tracked_file_names_a_registry_or_this_machine() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "cran.r-" + "project"]
    private = ["/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", "/op" + "t/", "/wo" + "rk/"]
    for path in tracked():
        text = path.read_text(encoding="utf-8")  # and so no binary files either
        for word in hosts:
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"
        for word in private:
            found = re.search(rf"(?<![\w.*/}}]){re.escape(word)}\w+", text)
            assert not found, f"{path.relative_to(ROOT)} names {word}"


def test_indexes_of_torch_are_the_documented_one() -> None:
    for path in [ROOT / "README.md", ROOT / "Makefile", *WORKFLOWS]:
        found = re.findall(r"https://[^\s`'\"]*/whl[^\s`'\"]*", path.read_text(encoding="utf-8"))
        assert set(found) <= {TORCH_CPU}, path
