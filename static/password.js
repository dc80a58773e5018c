// Shows what is typed into a password field, for as long as somebody wants to see it.
"use strict";

for (const holder of document.querySelectorAll(".show-password")) {
  const button = holder.querySelector("button");
  const form = document.getElementById(button.getAttribute("aria-controls"));
  const fields = [...form.querySelectorAll('input[type="password"]')];
  const show = (yes) => {
    for (const field of fields) field.type = yes ? "text" : "password";
    button.setAttribute("aria-pressed", String(yes));
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));
  form.addEventListener("submit", () => show(false));
  holder.hidden = false;
}
