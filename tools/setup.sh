#!/bin/sh
# Make .venv ready for the extras named as arguments: sh tools/setup.sh book test
# An intact .venv is asked first, which takes a few hundredths of a second.

if [ -z "$PYTHON" ] && [ -x .venv/bin/python ] &&
    .venv/bin/python -I -S tools/setup_venv.py "$@" --check 2>/dev/null; then
    exit 0
fi
exec sh tools/with_python.sh tools/setup_venv.py "$@" ${PYTHON:+--this-python}
