"""Quizzes in the page: choice and numeric questions with a reason for every wrong answer.

A `{quiz}` holds `{question}`s. The page is complete without JavaScript: each answer stands folded
under its question. `_static/quiz.js` adds a button that checks and says why, without any server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.variables import RetrievalError
from myst_nb.ext.glue.utils import retrieve_glue_data
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
MARK = re.compile(r"\[([ x])\]\s*")
NUMBER = re.compile(r"^(?:[\w.]+\()?([-+]?[\d.]+(?:e[-+]?\d+)?)\)?$", re.IGNORECASE)


class quiz(nodes.General, nodes.Element):
    """A titled set of questions."""


class quiz_title(nodes.caption):
    """The title line; a caption, because references take their text from captions."""


class quiz_question(nodes.General, nodes.Element):
    """One question: its legend, its options, the folded answers."""


class quiz_legend(nodes.TextElement):
    """The words of the question."""


class quiz_option(nodes.TextElement):
    """One option of a choice question."""


class quiz_answers(nodes.General, nodes.Element):
    """The folded list of all answers with their reasons."""


class quiz_answer(nodes.General, nodes.Element):
    """What is said to one answer; `right`, and for numeric questions the `value` it is said to."""


class QuizDirective(SphinxDirective):
    """`{quiz} Title` with `:name:`; the content is `{question}`s."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        title = self.arguments[0] if self.arguments else "Check yourself"
        box = quiz(title=title)
        self.set_source_info(box)
        if self.options.get("name"):
            self.add_name(box)
        else:
            _warn(box, f"quiz “{title}” needs a “:name:”, so that progress can be kept")
            self.state.document.set_id(box)
        box += quiz_title(title, title)
        box += self.parse_content_to_nodes()
        asked = list(box.findall(quiz_question))
        if not asked:
            _warn(box, f"quiz “{title}” has no {{question}}")
        for number, node in enumerate(asked, start=1):
            node["group"] = f"{box['ids'][0]}-{number}"
        return [box]


class QuestionDirective(SphinxDirective):
    """`{question} Words?` with a list of options, or with `:answer:` and `:tolerance:`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "answer": directives.unchanged_required,
        "tolerance": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        self.node = quiz_question()
        self.set_source_info(self.node)
        children, messages = self.parse_inline(self.arguments[0], lineno=self.lineno)
        self.node += quiz_legend(self.arguments[0], "", *children)
        content = self.parse_content_to_nodes()
        lists = [part for part in content if isinstance(part, nodes.bullet_list)]
        prose = [part for part in content if not isinstance(part, nodes.bullet_list)]
        items = [item for part in lists for item in part.findall(nodes.list_item)]
        if "answer" in self.options:
            self._numeric(items, prose)
        else:
            self._choice(items, prose)
        return [self.node, *messages]

    def _complain(self, message: str) -> None:
        _warn(self.node, f"question “{self.arguments[0]}” {message}")

    def _choice(self, items: list[nodes.list_item], prose: list[nodes.Node]) -> None:
        self.node["kind"] = "choice"
        self.node += prose
        said = quiz_answers()
        n_right = 0
        for item in items:
            words, reason = _split(item)
            mark = MARK.match(words.astext())
            if mark is None:
                self._complain(f"has an option without [x] or [ ]: “{words.astext()}”")
                continue
            first = words.next_node(nodes.Text)
            if first is not None:
                first.parent.replace(first, nodes.Text(MARK.sub("", str(first), count=1)))
            right = mark[1] == "x"
            if not right and not reason:
                self._complain(f"gives no reason why “{words.astext()}” is wrong")
            self.node += quiz_option("", "", *words.children)
            echo = _verdict(right, words.deepcopy().children)
            said += quiz_answer("", echo, *reason, right=right, value="")
            n_right += right
        if n_right != 1 or len(said) < 2:
            self._complain("needs at least two options, exactly one of them marked [x]")
        self.node += said

    def _numeric(self, items: list[nodes.list_item], prose: list[nodes.Node]) -> None:
        value = self._number(self.options["answer"])
        tolerance = self._number(self.options.get("tolerance", "0"))
        if "tolerance" not in self.options and value != round(value):
            self._complain(f"needs a “:tolerance:”, because its answer is {value:g}")
        if not prose:
            self._complain("needs a sentence that explains the right answer")
        self.node.attributes.update(kind="numeric", tolerance=tolerance)
        told = _verdict(True, [nodes.Text(f"{value:.6g}")])
        said = quiz_answers("", quiz_answer("", told, *prose, right=True, value=repr(value)))
        for item in items:
            words, reason = _split(item)
            if not reason:
                self._complain(f"gives no reason why {words.astext()} is wrong")
            wrong = repr(self._number(words.astext()))
            told = _verdict(False, [nodes.Text(words.astext())])
            said += quiz_answer("", told, *reason, right=False, value=wrong)
        self.node += said

    def _number(self, text: str) -> float:
        """Read a number, or the glued value of the chapter's run: “glue NAME”."""
        words = text.split()
        if len(words) == 2 and words[0] == "glue":
            try:
                text = retrieve_glue_data(self.state.document, words[1]).data["text/plain"]
            except (RetrievalError, KeyError):
                self._complain(f"asks for “{words[1]}”, which the chapter does not glue")
                return 0.0
        number = NUMBER.match(text.strip())  # NumPy shows its numbers as np.float64(0.5)
        if number is None:
            self._complain(f"needs a number or “glue NAME”, not “{text}”")
            return 0.0
        return float(number[1])


def _split(item: nodes.list_item) -> tuple[nodes.Element, list[nodes.Node]]:
    """Split a list item into its first paragraph and the reason after it."""
    words = item.children[0] if item.children else nodes.paragraph()
    if not isinstance(words, nodes.paragraph):
        words = nodes.paragraph("", words.astext())
    return words, list(item.children[1:])


def _verdict(right: bool, words: Sequence[nodes.Node]) -> nodes.paragraph:
    verdict = nodes.Text("Right: " if right else "Wrong: ")
    return nodes.paragraph("", "", verdict, nodes.strong("", "", *words))


def _warn(node: nodes.Element, message: str) -> None:
    LOGGER.warning(message, location=node, type="quizzes")


def note_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Give references to a quiz their text."""
    labels = app.env.domains.standard_domain.labels
    for box in doctree.findall(quiz):
        for name in box["names"]:
            labels[name] = (app.env.docname, box["ids"][0], str(box["title"]))
    for node in doctree.findall(quiz_question):
        if "group" not in node:
            _warn(node, f"question “{node[0].astext()}” stands outside of a quiz")
            node["group"] = "question"


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script on pages that have a quiz, and on these only.

    It is no module: browsers refuse modules when a page is opened from a file.
    """
    if doctree is not None and _interactive(app) and next(doctree.findall(quiz), None):
        app.add_js_file("quiz.js", loading_method="defer")


def _interactive(app: Sphinx) -> bool:
    return "epub" not in app.builder.name


def visit_quiz(self: HTML5Translator, node: quiz) -> None:
    attributes: dict[str, Any] = {"role": "group", "aria-label": node["title"]}
    self.body.append(self.starttag(node, "div", CLASS="quiz", **attributes))


def visit_quiz_title(self: HTML5Translator, node: quiz_title) -> None:
    level = min(self.section_level + 1, 6)
    attributes: dict[str, Any] = {"role": "heading", "aria-level": str(level)}
    self.body.append(self.starttag(node, "p", "", CLASS="quiz-title", **attributes))


def depart_quiz_title(self: HTML5Translator, node: quiz_title) -> None:
    self.add_permalink_ref(node.parent, "Link to this quiz")
    self.body.append("</p>\n")


def visit_quiz_question(self: HTML5Translator, node: quiz_question) -> None:
    tag = "fieldset" if _interactive(self.builder.app) else "div"
    extra: dict[str, Any] = {}
    if node["kind"] == "numeric":
        extra["data-tolerance"] = repr(node["tolerance"])
    self.body.append(self.starttag(node, tag, CLASS="quiz-question", **extra))


def depart_quiz_question(self: HTML5Translator, node: quiz_question) -> None:
    self.body.append("</fieldset>\n" if _interactive(self.builder.app) else "</div>\n")


def visit_quiz_legend(self: HTML5Translator, node: quiz_legend) -> None:
    self.body.append("<legend>" if _interactive(self.builder.app) else '<p class="quiz-words">')


def depart_quiz_legend(self: HTML5Translator, node: quiz_legend) -> None:
    self.body.append("</legend>\n" if _interactive(self.builder.app) else "</p>\n")


def visit_quiz_option(self: HTML5Translator, node: quiz_option) -> None:
    if _interactive(self.builder.app):
        group = self.attval(node.parent["group"])
        self.body.append(f'<label class="quiz-option"><input type="radio" name="{group}"/> <span>')
    else:
        self.body.append('<p class="quiz-option">○ ')


def depart_quiz_option(self: HTML5Translator, node: quiz_option) -> None:
    self.body.append("</span></label>\n" if _interactive(self.builder.app) else "</p>\n")


def visit_quiz_answers(self: HTML5Translator, node: quiz_answers) -> None:
    if not _interactive(self.builder.app):
        self.body.append('<div class="quiz-answers"><p class="quiz-words">Answer</p>\n<ul>\n')
        return
    if node.parent["kind"] == "numeric":
        self.body.append(
            '<label class="quiz-number">Your answer '
            '<input type="text" inputmode="decimal" autocomplete="off" size="8"/></label>\n'
        )
    self.body.append(
        '<div class="quiz-feedback" role="status"></div>\n'
        '<details class="quiz-answers"><summary>Answer</summary>\n<ul>\n'
    )


def depart_quiz_answers(self: HTML5Translator, node: quiz_answers) -> None:
    self.body.append("</ul>\n</details>\n" if _interactive(self.builder.app) else "</ul>\n</div>\n")


def visit_quiz_answer(self: HTML5Translator, node: quiz_answer) -> None:
    extra: dict[str, Any] = {"data-right": "yes" if node["right"] else "no"}
    if node["value"]:
        extra["data-value"] = node["value"]
    self.body.append(self.starttag(node, "li", "", **extra))


def depart_quiz_answer(self: HTML5Translator, node: quiz_answer) -> None:
    self.body.append("</li>\n")


def depart_quiz(self: HTML5Translator, node: quiz) -> None:
    self.body.append("</div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directives, nodes, style sheet and script."""
    app.add_directive("quiz", QuizDirective)
    app.add_directive("question", QuestionDirective)
    app.add_node(quiz, html=(visit_quiz, depart_quiz))
    app.add_node(quiz_title, html=(visit_quiz_title, depart_quiz_title))
    app.add_node(quiz_question, html=(visit_quiz_question, depart_quiz_question))
    app.add_node(quiz_legend, html=(visit_quiz_legend, depart_quiz_legend))
    app.add_node(quiz_option, html=(visit_quiz_option, depart_quiz_option))
    app.add_node(quiz_answers, html=(visit_quiz_answers, depart_quiz_answers))
    app.add_node(quiz_answer, html=(visit_quiz_answer, depart_quiz_answer))
    app.connect("doctree-read", note_labels)
    app.connect("html-page-context", add_script)
    app.add_css_file("quizzes.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
