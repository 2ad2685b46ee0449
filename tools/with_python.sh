#!/bin/sh
# Run a script with $PYTHON, or with the first Python on PATH that will do: sh tools/with_python.sh SCRIPT ARGUMENTS

if [ -n "$PYTHON" ]; then
    if ! "$PYTHON" -c 'import sys' >/dev/null 2>&1; then
        echo "Set-up: PYTHON=$PYTHON does not run. Name a Python 3.11 or newer, or leave PYTHON out." >&2
        exit 1
    fi
    exec "$PYTHON" "$@"
fi

# A name on PATH may be a shim that fails, too old, or (on Debian) without ensurepip: run it to know.
runs() { "$1" -c "import sys$2" >/dev/null 2>&1; }
for name in python3 python3.13 python3.12 python3.11; do
    runs "$name" "" || continue
    any=${any:-$name}
    runs "$name" "; sys.exit(sys.version_info < (3, 11))" || continue
    new=${new:-$name}
    runs "$name" ", ensurepip" || continue
    exec "$name" "$@"
done
found=${new:-$any}
if [ -z "$found" ]; then
    echo "Set-up: no Python was found. Install Python 3.11 or newer, or name it: make html PYTHON=/path/to/python" >&2
    exit 1
fi
exec "$found" "$@"
