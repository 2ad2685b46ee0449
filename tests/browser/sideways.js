// What makes the page wider than the window, by element; an empty list if nothing does.
() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const clips = (node) => {
    for (let box = node.parentElement; box; box = box.parentElement)
      if (box !== document.body && getComputedStyle(box).overflowX !== "visible") return true;
    return false;
  };
  const name = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> in #${
    e.closest("[id]")?.id}`;
  const wide = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > limit + 1 && !clips(e));
  return [`the page is ${document.documentElement.scrollWidth} px wide`, ...wide.slice(0, 5).map(name)];
}
