"""Run a chapter's starters and solutions against their checks: `run_starters.py CHAPTER`.

The last line of the output is a JSON list of what is wrong, one sentence each. The chapter's
ordinary cells run once, without any solution, as in a learner's notebook. An attempt at an exercise
starts from the names that stand there; a starter also sees the starters before it and a solution
the solutions before it, as in the two notebooks that are made from a chapter.
"""

import ast
import json
import sys
import types
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))

from notebook_source import Cell, find_exercises, read_chapter, role_of

SHORTEST_HELP = 20  # characters: less than that cannot say what is off
ABSENT = object()


def find_faults(path):
    blocks = read_chapter(path)
    exercises = {exercise.start: exercise for exercise in find_exercises(blocks)}
    last = max((e.start for e in exercises.values() if e.starter), default=-1)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module  # dataclasses and pickle look there for what cells define
    learner, teacher = {}, {}
    faults = []
    for index, block in enumerate(blocks[: last + 1]):
        if isinstance(block, Cell) and not role_of(block) and "skip-execution" not in block.tags:
            error = run([block], module.__dict__, path)
            if error and "raises-exception" not in block.tags:
                faults.append(f"line {block.line}: fails without the solutions: {told(error)}")
                break
        elif index in exercises and exercises[index].starter:
            exercise = exercises[index]
            where = f"line {exercise.statement.line}: exercise {exercise.name}"
            for attempt, earlier in ((try_starter, learner), (try_solution, teacher)):
                with names_of(earlier, module.__dict__):
                    fault = attempt(exercise, module.__dict__, path)
                faults += [f"{where}: {fault}"] if fault else []
    return faults


def try_starter(exercise, namespace, path):
    not_run = run(exercise.starter, namespace, path)
    error = not_run or run(exercise.check, namespace, path)
    if not_run:
        return f"the starter does not run: {told(error)}"
    if error is None:
        return "the starter passes the check, so the check tells a learner nothing"
    if not isinstance(error, AssertionError):
        return f"the check must fail the starter by an assertion, not by {told(error)}"
    if len(str(error)) < SHORTEST_HELP:
        return f"the check fails the starter without a message that helps: {told(error)}"
    return None


def try_solution(exercise, namespace, path):
    error = run(exercise.solution_cells + exercise.check, namespace, path)
    return f"the solution does not pass the check: {told(error)}" if error else None


@contextmanager
def names_of(earlier, namespace):
    """Show what earlier exercises defined, unless the chapter changed it; then hide it again.

    `earlier` maps a name to its value and to what the chapter had under that name.
    """
    before = dict(namespace)
    shown = {
        name: value
        for name, (value, chapters) in earlier.items()
        if before.get(name, ABSENT) is chapters
    }
    namespace.update(shown)
    yield
    for name, value in namespace.items():
        if before.get(name, ABSENT) is not value:
            earlier[name] = (value, before.get(name, ABSENT))
    # The dictionary must stay the same one: the chapter's functions look their globals up in it.
    namespace.clear()
    namespace.update(before)


def run(cells, namespace, path):
    """Execute cells; return the exception that stopped them, if any."""
    try:
        for cell in cells:
            tree = ast.increment_lineno(ast.parse(cell.source), cell.line - 1)
            exec(compile(tree, str(path), "exec"), namespace)
    except Exception as error:
        return error
    finally:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    return None


def told(error):
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        found = find_faults(Path(sys.argv[1]))
    print(json.dumps(found))
