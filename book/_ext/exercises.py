"""Exercises that check themselves: statement, starter, solution and check from one source.

A chapter writes an `{exercise}` directive and, after it, code cells tagged `starter`, `solution`
and `check`, `{hint}`s and `{solution}` prose. This extension gathers them into one numbered box,
folds hints and solution in native `<details>`, and warns when a part is missing. MyST-NB runs the
solution and its check; `tests/book/test_notebooks.py` makes sure that each starter fails it.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
HARDEST = 3
ROLES = ("starter", "solution", "check")


class exercise(nodes.General, nodes.Element):
    """An exercise: its title, statement, starters and folds."""


class exercise_title(nodes.caption):
    """The title line; a caption, because references take their text from captions.

    It is no `nodes.title`: sphinx-codeautolink counts titles and sections against each other.
    """


class solution(nodes.General, nodes.Element):
    """Prose of a solution, until it is gathered into the exercise before it."""


class fold(nodes.General, nodes.Element):
    """Content that opens on request, under the words of its `label`."""


class part_label(nodes.TextElement):
    """The small word over a starter or a check."""


class ExerciseDirective(SphinxDirective):
    """`{exercise} Title` with `:name:` and `:difficulty:` (1 to 3); then the statement."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "name": directives.unchanged,
        "difficulty": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        title = self.arguments[0]
        box = exercise(title=title)
        self.set_source_info(box)
        children, messages = self.parse_inline(title, lineno=self.lineno)
        caption = exercise_title(title, "", *children)
        self.set_source_info(caption)
        box["difficulty"] = self._difficulty(box)
        self._name(box)
        box += caption
        box += self.parse_content_to_nodes()
        return [box, *messages]

    def _difficulty(self, box: exercise) -> int:
        given = self.options.get("difficulty", "nothing")
        if given in [str(level) for level in range(1, HARDEST + 1)]:
            return int(given)
        _warn(box, f"needs “:difficulty:” from 1 (easy) to {HARDEST} (hard); it has {given!r}")
        return 1

    def _name(self, box: exercise) -> None:
        name = nodes.fully_normalize_name(self.options.get("name", ""))
        if not name:
            _warn(box, "needs a “:name:”, so that it can be linked to")
        elif name in self.state.document.nameids:
            _warn(box, f"has the name “{name}”, which something before it already has")
        else:
            self.add_name(box)
            return
        self.state.document.set_id(box)


class SolutionDirective(SphinxDirective):
    """`{solution}`: the prose of a solution, after its exercise."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        node = solution("", *self.parse_content_to_nodes())
        self.set_source_info(node)
        return [node]


class AnswerDirective(SphinxDirective):
    """`{answer}`: the folded answer to a task that is no exercise."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        folded = fold("", *self.parse_content_to_nodes(), label="Answer", kind="answer")
        self.set_source_info(folded)
        return [folded]


def _warn(node: nodes.Element, message: str) -> None:
    title = f"exercise “{node['title']}” " if isinstance(node, exercise) else ""
    LOGGER.warning(title + message, location=node, type="exercises")


def _tags(node: nodes.Node) -> list[str]:
    """Return the tags of a MyST-NB code cell."""
    if isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
        metadata: dict[str, Any] = node["cell_metadata"]
        return [str(tag) for tag in metadata.get("tags", [])]
    return []


def _role(node: nodes.Node) -> str:
    """Say what a node is to an exercise: starter, hint, solution, check, or nothing ("")."""
    if isinstance(node, nodes.hint):
        return "hint"
    if isinstance(node, solution):
        return "solution"
    return next((role for role in ROLES if role in _tags(node)), "")


class GatherExercises(SphinxTransform):
    """Number the exercises of a document and move into each the parts that follow it."""

    default_priority = 250

    def apply(self, **kwargs: Any) -> None:
        boxes = list(self.document.findall(exercise))
        for number, box in enumerate(boxes, start=1):
            box["number"] = number
            caption = cast(exercise_title, box[0])
            caption.insert(0, nodes.Text(f"Exercise {number}: "))
            self._gather(box)
        for node in list(self.document.findall(lambda node: bool(_role(node)))):
            role = _role(node)
            if role != "hint" and not isinstance(node.parent, (fold, exercise)):
                what = "a {solution}" if isinstance(node, solution) else f"a cell tagged “{role}”"
                _warn(
                    cast(nodes.Element, node),
                    f"{what} follows no exercise: put it after one, with no text between them",
                )
                if isinstance(node, solution):
                    node.replace_self(node.children)

    def _gather(self, box: exercise) -> None:
        parent = cast(nodes.Element, box.parent)
        parts: list[nodes.Element] = []
        for node in parent.children[parent.index(box) + 1 :]:
            if _role(node):
                parts.append(cast(nodes.Element, node))
            elif not isinstance(node, nodes.comment):
                break
        for part in parts:
            parent.remove(part)
        by_role = {role: [p for p in parts if _role(p) == role] for role in (*ROLES, "hint")}
        _complain(box, by_role)
        for part in by_role["starter"]:
            box += [part_label("", "Starter"), part]
        for count, hint in enumerate(by_role["hint"], start=1):
            label = "Hint" if len(by_role["hint"]) == 1 else f"Hint {count}"
            box += fold("", *hint.children, label=label, kind="hint")
        answer = [part for part in parts if _role(part) in ("solution", "check")]
        if answer:
            box += fold("", *_unfolded(answer), label="Solution", kind="solution")


def _unfolded(parts: list[nodes.Element]) -> list[nodes.Node]:
    """Return the content of a solution in the order of the source, its checks labelled."""
    content: list[nodes.Node] = []
    for part in parts:
        if isinstance(part, solution):
            content += part.children
        else:
            content += [part_label("", "Check")] if _role(part) == "check" else []
            content.append(part)
    return content


def _complain(box: exercise, parts: dict[str, list[nodes.Element]]) -> None:
    if not parts["solution"]:
        _warn(box, "has no solution: add a {solution} or a cell tagged “solution” after it")
    if parts["starter"] or parts["check"]:
        for role in ROLES:
            if not any(_tags(part) for part in parts[role]):
                _warn(box, f"has code but no cell tagged “{role}”")
    for part in parts["starter"]:
        if "skip-execution" not in _tags(part):
            _warn(box, "has a starter without the tag “skip-execution”: the build would run it")
    for part in parts["solution"] + parts["check"]:
        for tag in {"skip-execution", "raises-exception"}.intersection(_tags(part)):
            _warn(box, f"has a {_role(part)} cell tagged “{tag}”, so nothing would check it")


def note_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Give references to an exercise their text, "Exercise 3: its title"."""
    env = app.env
    labels = env.domains.standard_domain.labels
    names = _names(env)[env.docname] = {}
    for box in doctree.findall(exercise):
        for name in box["names"]:
            labels[name] = (env.docname, box["ids"][0], box[0].astext())
            names[name] = box.line or 0


def _names(env: BuildEnvironment) -> dict[str, dict[str, int]]:
    """Return the lines of all named exercises by document and name."""
    if not hasattr(env, "exercise_names"):
        env.exercise_names = {}  # type: ignore[attr-defined]
    return cast(dict[str, dict[str, int]], env.exercise_names)  # type: ignore[attr-defined]


def forget_names(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what is known of a document that is read again or gone."""
    _names(env).pop(docname, None)


def merge_names(
    app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    """Take over what a parallel reader found."""
    _names(env).update({name: lines for name, lines in _names(other).items() if name in docnames})


def check_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a name used in two documents, also when these were read in parallel."""
    first_use: dict[str, str] = {}
    for docname, names in sorted(_names(env).items()):
        for name, line in names.items():
            other = first_use.setdefault(name, docname)
            if other != docname:
                message = f"the exercise name “{name}” is already used in {other}"
                LOGGER.warning(message, location=(docname, line), type="exercises")


def visit_exercise(self: HTML5Translator, node: exercise) -> None:
    attributes: dict[str, Any] = {"role": "group", "aria-label": f"Exercise {node['number']}"}
    self.body.append(self.starttag(node, "div", CLASS="exercise", **attributes))


def depart_exercise(self: HTML5Translator, node: exercise) -> None:
    self.body.append("</div>\n")


def visit_exercise_title(self: HTML5Translator, node: exercise_title) -> None:
    level = min(self.section_level + 1, 6)
    attributes: dict[str, Any] = {"role": "heading", "aria-level": str(level)}
    self.body.append(self.starttag(node, "p", "", CLASS="exercise-title", **attributes))


def depart_exercise_title(self: HTML5Translator, node: exercise_title) -> None:
    box = cast(exercise, node.parent)
    self.add_permalink_ref(box, "Link to this exercise")
    level = box["difficulty"]
    shape = "●" * level + "○" * (HARDEST - level)
    self.body.append(
        f'</p>\n<p class="exercise-difficulty"><span aria-hidden="true">{shape}</span> '
        f"difficulty {level} of {HARDEST}</p>\n"
    )


def visit_part_label(self: HTML5Translator, node: part_label) -> None:
    self.body.append(self.starttag(node, "p", "", CLASS="exercise-label"))


def depart_part_label(self: HTML5Translator, node: part_label) -> None:
    self.body.append("</p>\n")


def _folds(self: HTML5Translator) -> bool:
    """Say whether the output can fold: many ePub readers cannot, so there all stands open."""
    return "epub" not in self.builder.name


def visit_fold(self: HTML5Translator, node: fold) -> None:
    tag = "details" if _folds(self) else "div"
    self.body.append(self.starttag(node, tag, CLASS=f"exercise-fold exercise-{node['kind']}"))
    if _folds(self):
        self.body.append(f"<summary>{self.encode(node['label'])}</summary>\n")
    else:
        self.body.append(f'<p class="exercise-label">{self.encode(node["label"])}</p>\n')


def depart_fold(self: HTML5Translator, node: fold) -> None:
    self.body.append("</details>\n" if _folds(self) else "</div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directives, nodes, the gathering transform and the style sheet."""
    app.add_directive("exercise", ExerciseDirective)
    app.add_directive("solution", SolutionDirective)
    app.add_directive("answer", AnswerDirective)
    app.add_node(exercise, html=(visit_exercise, depart_exercise))
    app.add_node(exercise_title, html=(visit_exercise_title, depart_exercise_title))
    app.add_node(part_label, html=(visit_part_label, depart_part_label))
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_transform(GatherExercises)
    app.connect("doctree-read", note_labels)
    app.connect("env-purge-doc", forget_names)
    app.connect("env-merge-info", merge_names)
    app.connect("env-check-consistency", check_names)
    app.add_css_file("exercises.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
