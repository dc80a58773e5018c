// Looks every second how far the file is. Without scripts there is a link "Look again".
"use strict";

const look = async () => {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.getElementById("progress");
  if (!next) return location.reload();
  const now = document.getElementById("progress");
  if ("goingOn" in next.dataset) {
    const bar = now.querySelector("progress");
    const fresh = next.querySelector("progress");
    bar.value = fresh.value;
    now.querySelector("label").textContent = next.querySelector("label").textContent;
    setTimeout(attempt, 1000);
    return undefined;
  }
  now.replaceWith(document.adoptNode(next));
  document.title = page.title;
  document.getElementById("said").textContent = next.querySelector("h2").textContent;
  return undefined;
};
const attempt = () => look().catch(() => setTimeout(attempt, 5000));

setTimeout(attempt, 500);
