"""A build backend without dependencies: pip installs the tests' project without a network."""

import zipfile
from pathlib import Path

NAME = "fake_book"
METADATA = """\
Metadata-Version: 2.1
Name: fake-book
Version: 1.0
Provides-Extra: book
Provides-Extra: test
Requires-Dist: {requirement} ; extra == "test"
"""


def build_wheel(folder, config_settings=None, metadata_directory=None):
    wheel = f"{NAME}-1.0-py3-none-any.whl"
    info = f"{NAME}-1.0.dist-info"
    requirement = Path("requirement.txt").read_text(encoding="utf-8").strip()
    with zipfile.ZipFile(Path(folder) / wheel, "w") as archive:
        archive.writestr(f"{NAME}.pth", str(Path.cwd()))
        archive.writestr(f"{info}/METADATA", METADATA.format(requirement=requirement))
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


build_editable = build_wheel
