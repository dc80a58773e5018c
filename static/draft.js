// Keeps what is written on the server while somebody writes, so that nothing typed is lost.
// One listener for the whole page: parts of a live page are replaced while one types.
"use strict";

const waits = new Map();

function kept(form, text) {
  const told = document.getElementById(form.dataset.told);
  if (told) told.textContent = text;
}

async function save(id) {
  waits.delete(id);
  const form = document.getElementById(id);
  if (!form) return;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("quietly", "1");
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body: fields });
    kept(form, answer.ok
      ? `Draft kept at ${new Date().toTimeString().slice(0, 5)}.`
      : "The draft could not be kept. Copy your text before you leave this page.");
  } catch {
    kept(form, "No connection: the draft is not kept yet. Stay on this page.");
    later(id, 5000);
  }
}

function later(id, milliseconds) {
  clearTimeout(waits.get(id));
  waits.set(id, setTimeout(() => save(id), milliseconds));
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form.drafted");
  if (form) later(form.id, 1500);
});
// Somebody leaves in the middle of a sentence: what was not sent yet goes with them.
window.addEventListener("pagehide", () => {
  for (const [id, timer] of waits) {
    clearTimeout(timer);
    const form = document.getElementById(id);
    if (!form) continue;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("quietly", "1");
    navigator.sendBeacon(form.dataset.draft, fields);
  }
  waits.clear();
});
document.addEventListener("submit", (event) => {
  clearTimeout(waits.get(event.target.id));
  waits.delete(event.target.id);
});
