// Elements of a page and of a drawing, made in one call: elements.make("p", { class: "told" }, "Hello").
"use strict";
{
  const fill = (made, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  globalThis.elements = {
    make: (tag, attributes = {}, ...children) =>
      fill(document.createElement(tag), attributes, children),
    draw: (tag, attributes = {}, ...children) =>
      fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children),
  };
}
