// Asks before a page with unsaved text is left. The text itself is never kept in the browser.
"use strict";

for (const form of document.querySelectorAll("form.typing")) {
  const field = form.querySelector("textarea");
  const before = field.defaultValue;
  const ask = (event) => {
    if (field.value !== before) event.preventDefault();
  };
  window.addEventListener("beforeunload", ask);
  form.addEventListener("submit", () => window.removeEventListener("beforeunload", ask));
}
