"""Formulas: MathML without style attributes, numbers that can be linked, errors that name them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup
from math_core import LatexError
from small_book import build, complaints, page, write

# the book's `_ext` folder is on the path since small_book was imported
from mathml import explain, to_mathml, without_numbers  # isort: skip

FORMULAS = [
    r"\hat{y} = g(w_0 + \mathbf{x}^\top \mathbf{w})",
    r"\left(\frac{R}{\gamma}\right)^2",
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
    r"g(z) = \begin{cases} 1 & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\operatorname*{arg\,min}_{W} J(W) = \frac{1}{n} \sum_{i=1}^{n} L(f(x_i; W), y_i)",
    r"\frac{\partial J}{\partial w_1} \in \mathbb{R}^{D \times K}, \quad \nabla_W \mathcal{L}",
    r"\underbrace{p \log \tfrac{p}{q}}_{\ge 0}, \quad \lVert \boldsymbol{w} \rVert_2 \approx 1",
    r"\int_0^1 e^{-x^2/2\sigma^2}\,dx \le \sqrt{2\pi}, \quad O(10^{-N})",
]


@pytest.mark.parametrize("tex", FORMULAS)
@pytest.mark.parametrize("display", [False, True])
def test_formulas_become_plain_mathml_that_keeps_the_tex(tex: str, display: bool) -> None:
    math = ET.fromstring(to_mathml(tex, display=display))
    assert math.tag == "math"
    assert (math.get("display") == "block") == display
    assert "".join(math.find(".//annotation").itertext()) == tex
    assert not [element for element in math.iter() if "style" in element.attrib]


def test_macros_are_expanded() -> None:
    assert "ℝ" in to_mathml(r"\R", display=False, macros=(("R", r"\mathbb{R}"),))


@pytest.mark.parametrize(
    ("tex", "where"),
    [
        (r"x + \nope", r"at “\nope”: Unknown command"),
        (r"ŷ̂é \nope", r"at “\nope”"),
        (r"\frac{a", "at its end"),
    ],
)
def test_an_error_says_where_in_the_formula(tex: str, where: str) -> None:
    with pytest.raises(LatexError) as caught:
        to_mathml(tex, display=False)
    message = explain(caught.value, tex)
    assert f"“{tex}”" in message
    assert where in message


def test_environments_that_number_lines_leave_the_number_to_sphinx() -> None:
    tex = without_numbers(r"\begin{align*}a &= b\end{align*}\begin{equation}c\end{equation}")
    assert tex == r"\begin{aligned}a &= b\end{aligned}c"
    assert "(1)" not in to_mathml(tex, display=True)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = (
        "# One\n\nInline $x < 1$, see {eq}`eq-b`.\n\n$$\na = 1\n$$ (eq-a)\n\n$$\nb = 2\n$$ (eq-b)\n"
    )
    other = "# Two\n\nBack to {eq}`eq-a`.\n\n$$\nc = 3\n$$ (eq-c)\n\n$$\nfree\n$$\n"
    source = write(tmp_path_factory.mktemp("book"), {"one.md": text, "two.md": other})
    done = build(source)
    assert done.returncode == 0, done.stderr
    return source


def test_equations_are_numbered_in_their_chapter_and_can_be_linked(book: Path) -> None:
    one, two = (BeautifulSoup(page(book, f"{name}.html"), "html.parser") for name in ("one", "two"))
    numbers = {
        block["id"]: block.select_one(".eqno").contents[0] for block in one.select("[id^=eq]")
    }
    assert numbers == {"equation-eq-a": "(1.1)", "equation-eq-b": "(1.2)"}
    assert two.select_one("#equation-eq-c .eqno").contents[0] == "(2.1)"
    assert one.select_one('a[href="#equation-eq-b"]').text == "(1.2)"
    assert two.select_one('a[href="one.html#equation-eq-a"]').text == "(1.1)"


def test_display_formulas_stand_in_named_boxes_that_can_scroll(book: Path) -> None:
    soup = BeautifulSoup(page(book, "two.html"), "html.parser")
    boxes = soup.select(".math-block > .math-scroll")
    assert [(box["role"], box["aria-label"]) for box in boxes] == [
        ("group", "Equation 2.1"),
        ("group", "Formula"),
    ]


def test_a_broken_formula_fails_each_build_with_its_line_and_text(tmp_path: Path) -> None:
    text = (
        "# One\n\nFine: $x$.\n\nThen $\\frac{a}{\\oops}$.\n\n$$\n\\begin{nonsense} a\n$$ (eq-x)\n"
    )
    source = write(tmp_path, {"one.md": text})
    for _ in range(2):
        said = complaints(source)
        assert "one.md:5" in said
        assert r"the formula “\frac{a}{\oops}” cannot be read at “\oops}”" in said
        assert "one.md:7" in said
        assert r"“\begin{nonsense} a”" in said
