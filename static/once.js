// A single-use button is pressed once: a double click must not use the link up twice.
"use strict";

for (const form of document.querySelectorAll("form.once")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}
