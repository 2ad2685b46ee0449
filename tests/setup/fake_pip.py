"""A pip for the tests: does what $FAKE_PIP says, in the environment whose Python runs it."""

import os
import sys
import time
from pathlib import Path


def main(behaviour: str) -> None:
    site = Path(sys.prefix, "lib", "python{}.{}".format(*sys.version_info), "site-packages")
    with Path("calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    match behaviour:
        case "works":
            print("Installing collected packages: fake-book")
            (site / "fake_book-1.0.dist-info").mkdir(parents=True, exist_ok=True)
        case "slow":
            time.sleep(1)
            (site / "fake_book-1.0.dist-info").mkdir(parents=True)
        case "full":
            (site / "torch-half").mkdir(parents=True)
            sys.exit("ERROR: Could not install: [Errno 28] No space left on device")
        case "offline":
            print("WARNING: Retrying after connection broken by 'NewConnectionError'")
            sys.exit("ERROR: Could not find a version that satisfies the requirement torch>=2.6")
        case "conflict":
            sys.exit("ERROR: ResolutionImpossible: for help visit the page")
        case "killed":
            os.kill(os.getpid(), 9)
        case "hangs":  # half way through: something is on the disk and more is to come
            (site / "torch-half").mkdir(parents=True)
            Path("hanging.txt").write_text(str(os.getpid()), encoding="utf-8")
            time.sleep(float(os.environ.get("FAKE_SECONDS", "60")))


if __name__ == "__main__":
    main(os.environ.get("FAKE_PIP", "works"))
