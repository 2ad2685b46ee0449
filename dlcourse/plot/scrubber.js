// Moves through the frames of each .dl-scrubber. Without it the last frame stands still.
(() => {
  "use strict";
  const FRAME_MS = 500;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  function connect(root) {
    if (root.dataset.ready !== undefined) return;
    root.dataset.ready = "";
    const find = (name) => root.querySelector(`.dl-scrubber-${name}`);
    const [slider, play, previous, next, said] =
      ["slider", "play", "previous", "next", "said"].map(find);
    const output = root.querySelector("output");
    const label = root.getAttribute("aria-label");
    const picture = find("picture").querySelector("svg");
    const frames = [...find("frames").children].map((li) => [li.dataset.value, li.textContent]);
    const layers = [...picture.querySelectorAll("[data-frames]")].map((layer) => [
      layer,
      new Set(layer.getAttribute("data-frames").split(" ").map(Number)),
    ]);
    const last = frames.length - 1;
    let now = last;
    let timer = 0;
    let speech = 0;

    function show(frame) {
      now = Math.min(Math.max(frame, 0), last);
      const [value, alt] = frames[now];
      for (const [layer, mine] of layers) {
        if (mine.has(now)) layer.removeAttribute("display");
        else layer.setAttribute("display", "none");
      }
      picture.setAttribute("aria-label", alt);
      slider.value = now;
      slider.setAttribute("aria-valuetext", value);
      output.textContent = value;
    }

    function announce() {
      // Wait for a pause, so that a quick drag is not read out frame by frame.
      clearTimeout(speech);
      speech = setTimeout(() => {
        said.textContent = `${label} ${frames[now][0]}: ${frames[now][1]}`;
      }, 400);
    }

    function stop() {
      clearInterval(timer);
      timer = 0;
      delete play.dataset.playing;
      play.setAttribute("aria-label", "Play");
      play.title = "Play";
    }

    function go(frame) {
      stop();
      show(frame);
      announce();
    }

    function start() {
      if (now === last) show(0);
      play.dataset.playing = "";
      play.setAttribute("aria-label", "Pause");
      play.title = "Pause";
      timer = setInterval(() => {
        show(now + 1);
        if (now === last) {
          stop();
          announce();
        }
      }, FRAME_MS);
    }

    function respectMotion() {
      if (calm.matches) stop();
      play.hidden = calm.matches;
    }

    let before = 0;
    slider.addEventListener("input", () => go(Number(slider.value)));
    previous.addEventListener("click", () => go(now - 1));
    next.addEventListener("click", () => go(now + 1));
    play.addEventListener("click", () => (timer ? go(now) : start()));
    calm.addEventListener("change", respectMotion);
    window.addEventListener("beforeprint", () => {
      before = now;
      show(last);
    });
    window.addEventListener("afterprint", () => show(before));
    respectMotion();
    show(0);
    find("still").hidden = true;
    find("controls").hidden = false;
  }

  function connectAll() {
    document.querySelectorAll(".dl-scrubber").forEach(connect);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", connectAll);
  else connectAll();
})();
