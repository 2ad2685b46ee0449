// Fills what was measured into badges and tables. Without it they show the limit instead.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const measured = window.bookRunTimes;
  if (!measured) return;
  for (const place of document.querySelectorAll("[data-measured]")) {
    const chapter = measured.chapters[place.dataset.chapter];
    const what = place.dataset.measured;
    if (what === "machine") {
      place.textContent = measured.machine;
    } else if (chapter && what === "badge") {
      place.textContent = `ran in ${Math.ceil(chapter.seconds)} s, ${chapter.peak_mb} MB`;
    } else if (chapter) {
      place.textContent = what === "seconds" ? chapter.seconds.toFixed(1) : String(chapter[what]);
    }
  }
});
