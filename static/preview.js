// Shows how far the preview has come without pressing "Look again"; the page is the truth.
"use strict";

async function lookAgain() {
  const here = document.getElementById("preview");
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const there = page.getElementById("preview");
    if (!there) return;
    here.replaceChildren(...there.childNodes);
    if (!here.querySelector("progress")) return;
  } catch {
    // The link on the page still works.
  }
  setTimeout(lookAgain, 1000);
}

setTimeout(lookAgain, 1000);
