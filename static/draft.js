// Keeps what is written on the server while somebody writes, so that nothing typed is lost.
"use strict";

for (const form of document.querySelectorAll("form.drafted")) {
  const told = document.getElementById(form.dataset.told);
  let waits = null;
  const save = async () => {
    waits = null;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("quietly", "1");
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: fields });
      told.textContent = answer.ok
        ? `Draft kept at ${new Date().toTimeString().slice(0, 5)}.`
        : "The draft could not be kept. Copy your text before you leave this page.";
    } catch {
      told.textContent = "No connection: the draft is not kept yet. Stay on this page.";
      waits = setTimeout(save, 5000);
    }
  };
  form.addEventListener("input", () => {
    if (waits !== null) clearTimeout(waits);
    waits = setTimeout(save, 1500);
  });
  form.addEventListener("submit", () => clearTimeout(waits));
}
