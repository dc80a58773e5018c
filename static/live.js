// The live page keeps itself up to date. Without this file it still works: "Look again".
// The stream only says that something changed; the page fetches its own part, and keeps
// where you are, what you typed and which drawers are open.
"use strict";

const SILENT_TOO_LONG = 3800; // a beat comes every 1.5 s; "lost" is shown within 5 s
const ANSWER_WITHIN = 4000;
const place = document.getElementById("live");
const lost = document.getElementById("lost");
const said = document.getElementById("said");
let heard = performance.now();
let source = null;
let opened = 0;
let shown = "";
let stale = false;
let fetching = false;
let again = false;

function isLost(yes) {
  if (lost.hidden !== yes) return;
  lost.hidden = !yes;
  tellOthers(yes ? "lost" : "found");
}

// alarm.js listens: it rings, and knows nothing of streams.
function tellOthers(what) {
  document.dispatchEvent(new CustomEvent(`live:${what}`));
}

function kept() {
  const active = document.activeElement;
  const state = { fields: new Map(), open: new Set(), focus: active && active.id, range: null };
  for (const field of place.querySelectorAll("textarea[id], select[id], input[id]")) {
    const was = field.tagName === "SELECT"
      ? [...field.options].findIndex((o) => o.defaultSelected)
      : field.defaultValue;
    const is = field.tagName === "SELECT" ? field.selectedIndex : field.value;
    if (field.tagName === "SELECT" ? is !== Math.max(was, 0) : is !== was) state.fields.set(field.id, is);
  }
  for (const drawer of place.querySelectorAll("details[id][open]")) state.open.add(drawer.id);
  if (active && place.contains(active) && !active.id) state.focus = pathOf(active);
  if (active && typeof active.selectionStart === "number") {
    state.range = [active.selectionStart, active.selectionEnd];
  }
  return state;
}

// A button has no id of its own: its form's id and its place in that form name it.
function pathOf(element) {
  const owner = element.closest("form[id], details[id], li[id]");
  if (!owner) return null;
  const peers = [...owner.querySelectorAll("a, button, summary, input, textarea, select")];
  return { owner: owner.id, number: peers.indexOf(element) };
}

function found(focus) {
  if (!focus) return null;
  if (typeof focus === "string") return document.getElementById(focus);
  const owner = document.getElementById(focus.owner);
  if (!owner) return null;
  return owner.querySelectorAll("a, button, summary, input, textarea, select")[focus.number] || null;
}

function restore(state) {
  for (const id of state.open) {
    const drawer = document.getElementById(id);
    if (drawer) drawer.open = true;
  }
  for (const [id, value] of state.fields) {
    const field = document.getElementById(id);
    if (!field) continue;
    if (field.tagName === "SELECT") field.selectedIndex = value;
    else field.value = value;
  }
  const element = found(state.focus);
  if (element && element !== document.activeElement) {
    element.focus({ preventScroll: true });
    if (state.range && element.setSelectionRange) element.setSelectionRange(...state.range);
  }
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  if (!fresh) return;
  const state = kept();
  // What was refused stays on the page until the next press: it holds what was typed.
  const errors = place.querySelector("#errors");
  const y = window.scrollY;
  place.replaceChildren(document.adoptNode(fresh));
  if (errors) fresh.querySelector("h1").before(errors);
  restore(state);
  window.scrollTo({ top: y, behavior: "instant" });
  tell(fresh.dataset.say);
  count();
  tellOthers("shown");
}

function tell(text) {
  if (text && text !== shown) said.textContent = shown = text;
}

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    do {
      again = false;
      // A line that died silently would never answer, and never fail either.
      const signal = AbortSignal.timeout(ANSWER_WITHIN);
      const answer = await fetch(place.dataset.page, { headers: { Accept: "text/html" }, signal });
      if (answer.status === 401 || answer.status === 404) {
        window.location.reload();
        return;
      }
      if (!answer.ok) throw new Error("not now");
      swap(await answer.text());
    } while (again);
    stale = false;
  } catch {
    isLost((stale = true));
    window.setTimeout(refresh, 1000);
  } finally {
    fetching = false;
  }
}

function alive() {
  heard = performance.now();
  isLost(stale);
  tellOthers("beat");
}

function listen() {
  if (source) source.close();
  source = new EventSource(place.dataset.events);
  opened = performance.now();
  source.addEventListener("version", () => {
    alive();
    refresh();
  });
  source.addEventListener("beat", alive);
  source.addEventListener("signed-out", () => {
    source.close();
    window.location.reload();
  });
}

// A browser notices a line that was cut, not always one that fell silent (a phone that
// changes networks): after that long a new one is opened.
function watch() {
  const now = performance.now();
  if (now - heard > SILENT_TOO_LONG) isLost(true);
  const closed = source.readyState === EventSource.CLOSED;
  if (now - Math.max(heard, opened) > (closed ? 1000 : SILENT_TOO_LONG)) listen();
}

// The server's clock counts, not this machine's: the difference is measured once a fetch.
function count() {
  for (const clock of place.querySelectorAll(".count[data-until]")) {
    if (!clock.dataset.skew) clock.dataset.skew = Date.parse(clock.dataset.now) - Date.now();
    const left = Date.parse(clock.dataset.until) - Date.now() - Number(clock.dataset.skew);
    const seconds = Math.max(0, Math.ceil(left / 1000));
    const text = seconds ? `${seconds} ${seconds === 1 ? "second" : "seconds"} left` : "The time is up.";
    if (clock.textContent !== text) clock.textContent = text;
  }
}

// How long the debrief has been going on, by the server's clock as well.
function elapsed() {
  for (const clock of place.querySelectorAll(".elapsed[data-since]")) {
    if (!clock.dataset.skew) clock.dataset.skew = Date.parse(clock.dataset.now) - Date.now();
    const gone = Date.now() + Number(clock.dataset.skew) - Date.parse(clock.dataset.since);
    const seconds = Math.max(0, Math.floor(gone / 1000));
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} minutes`;
    if (clock.textContent !== text) clock.textContent = text;
  }
}

window.setInterval(() => {
  watch();
  count();
  elapsed();
}, 250);
// Back from another tab, or from another network: look at once.
for (const [where, name] of [[window, "online"], [window, "pageshow"], [document, "visibilitychange"]]) {
  where.addEventListener(name, () => {
    if (document.visibilityState === "visible") refresh();
  });
}
shown = place.querySelector("main").dataset.say;
const errors = document.getElementById("errors");
if (errors) errors.focus();
listen();
