// A page opened from a file may not fetch others: then the search shows titles without extracts.
"use strict";
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
addEventListener("DOMContentLoaded", () => document.querySelector("main input[name=q]")?.focus());
