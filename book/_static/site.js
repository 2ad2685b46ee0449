// The book's page: colours, sidebars, search dialog, full screen, place in the outline, copying.
// A classic script, not a module: browsers refuse modules in pages opened from a file.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // --- colours: as the system, light, dark ---------------------------------------------------
  const system = matchMedia("(prefers-color-scheme: dark)");
  const names = { auto: "as the system", light: "light", dark: "dark" };

  function setMode(mode) {
    root.dataset.mode = mode;
    root.dataset.theme = mode === "auto" ? (system.matches ? "dark" : "light") : mode;
    for (const button of all(".theme-switch-button")) {
      button.title = `Colours: ${names[mode]}`;
      button.setAttribute("aria-label", button.title);
    }
    try {
      localStorage.setItem("mode", mode);
    } catch {
      // without storage the choice lasts for this page
    }
  }

  function setUpColours() {
    setMode(root.dataset.mode);
    system.addEventListener("change", () => setMode(root.dataset.mode));
    for (const button of all(".theme-switch-button")) {
      button.addEventListener("click", () => {
        const modes = Object.keys(names);
        setMode(modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length]);
      });
    }
  }

  // --- dialogs: search, and on narrow screens the two sidebars -------------------------------
  function closeOnBackdrop(dialog) {
    dialog.addEventListener("click", (event) => {
      const box = dialog.getBoundingClientRect();
      const inside =
        event.clientX >= box.left && event.clientX <= box.right &&
        event.clientY >= box.top && event.clientY <= box.bottom;
      // a key press on a button inside counts as a click at (0, 0)
      if (!inside && event.target === dialog) dialog.close();
    });
  }

  function setUpSearch() {
    const dialog = document.getElementById("pst-search-dialog");
    const field = document.querySelector("main input[name=q]");
    const open = () => {
      if (field) field.select();
      else if (!dialog.open) dialog.showModal();
    };
    closeOnBackdrop(dialog);
    for (const button of all(".search-button__button")) button.addEventListener("click", open);
    addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open();
      }
    });
  }

  function move(from, to) {
    to.append(...from.childNodes);
    to.classList.add(...from.classList);
    from.className = "";
  }

  function setUpSidebar(name, wide) {
    const sidebar = document.getElementById(`pst-${name}-sidebar`);
    const dialog = document.getElementById(`pst-${name}-sidebar-modal`);
    const toggle = document.querySelector(`.${name}-toggle`);
    if (!sidebar || !dialog || !toggle) return;
    const isWide = matchMedia(`(min-width: ${wide}px)`);
    toggle.addEventListener("click", () => {
      if (isWide.matches) {
        toggle.setAttribute("aria-expanded", String(!sidebar.classList.toggle("pst-sidebar-hidden")));
      } else {
        move(sidebar, dialog);
        dialog.showModal();
      }
    });
    closeOnBackdrop(dialog);
    dialog.addEventListener("close", () => move(dialog, sidebar));
    dialog.addEventListener("click", (event) => {
      if (event.target.closest("a[href]")) dialog.close();
    });
    isWide.addEventListener("change", () => dialog.open && dialog.close());
  }

  function showCurrentPage() {
    const sidebar = document.getElementById("pst-primary-sidebar");
    const here = sidebar?.querySelector(".bd-links .current > a");
    if (!here) return;
    const below = here.getBoundingClientRect().bottom - sidebar.getBoundingClientRect().bottom;
    if (below > 0) sidebar.scrollTop = below + sidebar.clientHeight / 2;
  }

  function setUpFullScreen() {
    for (const button of all(".fullscreen-button")) {
      if (!document.fullscreenEnabled) button.hidden = true;
      button.addEventListener("click", () => {
        if (document.fullscreenElement) document.exitFullscreen();
        else root.requestFullscreen();
      });
    }
  }

  // --- the outline shows where the reader is ------------------------------------------------
  function followReader() {
    const links = all("#pst-page-toc-nav a[href^='#']").filter((link) => link.hash.length > 1);
    const targets = new Map();
    for (const link of links) {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (target) targets.set(target.querySelector("h1, h2, h3, h4") ?? target, link);
    }
    const observer = new IntersectionObserver(
      (entries) => {
        const seen = entries.filter((entry) => entry.isIntersecting).pop();
        if (!seen) return;
        const current = targets.get(seen.target);
        for (const link of links) {
          link.classList.toggle("active", link === current);
          if (link === current) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
          link.closest(".toc-entry")?.classList.toggle("active", link.closest(".toc-entry").contains(current));
        }
      },
      { rootMargin: "-60px 0px -70% 0px" },
    );
    for (const heading of targets.keys()) observer.observe(heading);
  }

  // --- what scrolls sideways can be reached by keyboard --------------------------------------
  const boxes = "pre, .math-scroll, .pst-scrollable-table-container, .cell_output > .output, .table-scroll";

  function markScrollers() {
    for (const box of all(boxes)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (scrolls && /auto|scroll/.test(getComputedStyle(box).overflow)) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  function setUpScrollers() {
    markScrollers();
    let waiting = 0;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(markScrollers, 200);
    });
    document.fonts?.ready.then(markScrollers);
    document.addEventListener("toggle", markScrollers, true);
  }

  // --- copying code --------------------------------------------------------------------------
  function code(block) {
    const copy = block.cloneNode(true);
    for (const part of all(".linenos, .gp, .go, .copy-button", copy)) part.remove();
    return copy.textContent.replace(/\n+$/, "");
  }

  async function put(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false; // refused, or a browser without a clipboard for such pages
    }
  }

  function setUpCopying() {
    const live = document.createElement("p");
    live.className = "visually-hidden";
    live.setAttribute("aria-live", "polite");
    document.body.append(live);
    for (const block of all("main div.highlight > pre")) {
      if (block.closest(".cell_output, .no-copy")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy-button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        const done = await put(code(block));
        if (!done) getSelection().selectAllChildren(block);
        button.textContent = done ? "Copied" : "Press Ctrl+C";
        live.textContent = done ? "Code copied" : "Code selected: press Ctrl+C";
        setTimeout(() => {
          button.textContent = "Copy";
          live.textContent = "";
        }, 2000);
      });
      block.parentElement.append(button);
    }
  }

  setUpColours();
  setUpSearch();
  setUpSidebar("primary", 992);
  setUpSidebar("secondary", 1200);
  setUpFullScreen();
  setUpCopying();
  setUpScrollers();
  showCurrentPage();
  followReader();
})();
