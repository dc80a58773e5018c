// Reads a chosen file into the text field, so that it goes with the form like anything typed.
"use strict";

for (const holder of document.querySelectorAll(".choose-file")) {
  const chosen = holder.querySelector("input");
  const field = holder.closest("form").querySelector("textarea");
  chosen.addEventListener("change", async () => {
    if (chosen.files.length) field.value = await chosen.files[0].text();
  });
  holder.hidden = false;
}
