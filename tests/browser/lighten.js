// Take away what axe need not look at, and would look at for half a minute on a long page.
() => {
  // what is inside a named picture is hidden from readers by its role
  document.querySelectorAll("svg[role=img]").forEach((svg) => svg.replaceChildren());
  // of the coloured words of code, one of each kind and place tells the contrast of all; axe does
  // not judge single letters
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight pre span, dt.sig span")) {
    const kind = `${word.className} ${word.closest(".cell_input, .cell_output, details, dt.sig")?.className}`;
    if (seen.has(kind) || word.textContent.trim().length < 2) word.replaceWith(...word.childNodes);
    else seen.add(kind);
  }
  document.querySelectorAll(".highlight pre, dt.sig").forEach((pre) => pre.normalize());
}
