// Adds checking to the quizzes of a page. Without it every answer can still be unfolded and read.
// What is kept (which quizzes are done) stays in this browser, and "Start again" forgets it.
"use strict";
{
  const kept = (key, change) => {
    try {
      if (change === undefined) return localStorage.getItem(key) !== null;
      change ? localStorage.setItem(key, "done") : localStorage.removeItem(key);
    } catch { /* storage is refused, as in some private windows: nothing is kept */ }
    return false;
  };

  const element = (tag, text, type) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (type) made.type = type;
    return made;
  };

  // What a typed number may mean: the comma of 1,024 is one of thousands, or a decimal one.
  const readings = (text) => {
    const plain = text.trim().replace("−", "-");
    const read = [plain.replace(",", ".")];
    if (/^-?\d{1,3}(,\d{3})+(\.\d*)?$/.test(plain)) read.push(plain.replaceAll(",", ""));
    return read.filter((each) => each !== "").map(Number).filter((each) => !Number.isNaN(each));
  };

  // The list item that answers what the reader chose or typed; or a sentence, if there is none.
  const find = (question) => {
    const items = [...question.querySelectorAll(".quiz-answers > ul > li")];
    const field = question.querySelector(".quiz-number input");
    if (!field) {
      const options = [...question.querySelectorAll("input[type=radio]")];
      return items[options.findIndex((option) => option.checked)] ?? "Choose an answer first.";
    }
    const given = readings(field.value);
    if (!given.length) return "Type a number, such as 0.5.";
    const slack = Number(question.dataset.tolerance) * (1 + 1e-9);
    const near = items.find((item) =>
      given.some((each) => Math.abs(each - item.dataset.value) <= slack));
    return near ?? "Not yet. Try again, or open the answer below.";
  };

  const check = (question) => {
    const feedback = question.querySelector(".quiz-feedback");
    const found = find(question);
    if (typeof found === "string") feedback.textContent = found;
    else {
      const copy = found.cloneNode(true);
      copy.querySelectorAll("[id]").forEach((node) => node.removeAttribute("id"));
      feedback.replaceChildren(...copy.childNodes);
    }
    question.dataset.state = found.dataset?.right ?? "no";
  };

  for (const quiz of document.querySelectorAll(".quiz")) {
    const key = `quiz ${location.pathname}#${quiz.id}`;
    const questions = [...quiz.querySelectorAll(".quiz-question")];
    const state = element("span", "");
    const again = element("button", "Start again", "button");
    const line = element("div", "");
    line.className = "quiz-state";
    state.setAttribute("role", "status");
    line.append(state, again);
    quiz.append(line);

    const show = (done) => {
      again.hidden = !done;
      state.textContent = done ? "✓ Done (kept in this browser only)" : "";
    };
    again.addEventListener("click", () => {
      kept(key, false);
      show(false);
      for (const question of questions) {
        delete question.dataset.state;
        question.querySelector(".quiz-feedback").replaceChildren();
        question.querySelectorAll("input").forEach((input) => {
          input.type === "radio" ? (input.checked = false) : (input.value = "");
        });
      }
      questions[0]?.querySelector("input").focus();
    });
    for (const question of questions) {
      const button = element("button", "Check", "button");
      const act = () => {
        check(question);
        if (questions.every((each) => each.dataset.state === "yes")) {
          kept(key, true);
          show(true);
        }
      };
      button.addEventListener("click", act);
      question.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && event.target.matches("input")) act();
      });
      question.querySelector(".quiz-feedback").before(button);
    }
    show(kept(key));
  }
}
