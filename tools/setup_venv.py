"""Make `.venv` ready, or say in one line why not: python tools/setup_venv.py book test.

This file must also parse on old Pythons, to tell them that they are too old: everything else
stands in `environment.py`.
"""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Set-up: Python 3.11 or newer is needed, but %s is %d.%d.%d. "
        "Install a newer one, or name it: make html PYTHON=python3.12"
        % ((sys.executable,) + tuple(sys.version_info[:3]))
    )

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)
sys.dont_write_bytecode = True

from tools.environment import main  # noqa: E402

sys.exit(main(ROOT, sys.argv[1:]))
