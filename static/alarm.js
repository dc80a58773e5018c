// Makes an alarm heard and felt, also behind other tabs, until a named person takes it.
// Browsers allow sound only after a tap; that it was given is remembered on this device,
// and nothing else is. Without this file alarms are still seen.
"use strict";

const REMEMBERED = "chaperone.alarm";
const EVERY = 3000;
const board = document.getElementById("live");
const panel = document.getElementById("sound");
const onButton = document.getElementById("sound-on");
const offButton = document.getElementById("sound-off");
const state = document.getElementById("sound-state");
const bar = document.getElementById("alarm-bar");
const shout = document.getElementById("shout");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const title = document.title;
let audio = null;
let ringing = null;
let rang = -EVERY;
let flash = false;
let lost = false;
let known = null; // what a page shows when it is opened makes no sound of its own

const remembered = () => {
  try {
    return localStorage.getItem(REMEMBERED) === "on";
  } catch {
    return false; // A browser that keeps nothing: one tap each time.
  }
};

const remember = (yes) => {
  try {
    if (yes) localStorage.setItem(REMEMBERED, "on");
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // Then it counts for this visit only.
  }
};

// `data-loud`: alarms that ring until taken. `data-soft`: warnings that sound once.
function open(kind) {
  return new Set([...board.querySelectorAll(`[data-${kind}]`)].map((one) => one.dataset[kind]));
}

function mayRing() {
  return audio !== null && audio.state === "running";
}

// Two tones up and down, made here: no file, and not like a telephone.
function sound(times) {
  if (!mayRing()) return;
  hush();
  ringing = audio.createGain();
  ringing.connect(audio.destination);
  for (let turn = 0; turn < times; turn += 1) {
    for (const [part, pitch] of [[0, 880], [0.22, 660]]) {
      const begins = audio.currentTime + 0.05 + turn * 0.5 + part;
      const tone = audio.createOscillator();
      const loud = audio.createGain();
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0, begins);
      loud.gain.linearRampToValueAtTime(0.5, begins + 0.02);
      loud.gain.setValueAtTime(0.5, begins + 0.16);
      loud.gain.linearRampToValueAtTime(0, begins + 0.2);
      tone.connect(loud).connect(ringing);
      tone.start(begins);
      tone.stop(begins + 0.22);
    }
  }
}

function hush() {
  if (ringing) ringing.disconnect();
  ringing = null;
}

function feel(pattern) {
  if (remembered() && navigator.vibrate) navigator.vibrate(pattern);
}

function ring() {
  const now = performance.now();
  if (!open("loud").size || now - rang < EVERY - 200) return;
  rang = now;
  sound(3);
  feel([400, 150, 400]);
}

// Telephones show a notice only by a worker: https://notifications.spec.whatwg.org/#constructors
function helper() {
  if (!("serviceWorker" in navigator)) return Promise.resolve(null);
  return navigator.serviceWorker.register("/static/notice.js").catch(() => null);
}

async function notice(text) {
  if (document.visibilityState === "visible" || !remembered()) return;
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  // The same tag each time: one notice, never a heap. No names: others may see it.
  const page = location.href.split("#")[0];
  const how = { body: text, tag: "chaperone-alarm", requireInteraction: true, data: page };
  try {
    new Notification("Chaperone", how).onclick = () => window.focus();
  } catch {
    const worker = await helper();
    // Some telephones allow it to installed pages only; sound and vibration remain.
    if (worker) await worker.showNotification("Chaperone", how).catch(() => {});
  }
}

function words(count) {
  return `${count} red ${count === 1 ? "alarm" : "alarms"} nobody has taken`;
}

function name() {
  const count = open("loud").size;
  const told = lost ? "Connection lost" : `ALARM: ${words(count)}`;
  const wanted = lost || count;
  // A title that stays still for those who asked for less motion.
  document.title = wanted && (calm.matches || (flash = !flash)) ? `✕ ${told}` : title;
}

function look() {
  const loud = open("loud");
  const all = new Set([...loud, ...open("soft")]);
  const fresh = [...all].filter((one) => (known ? !known.has(one) : loud.has(one)));
  known = all;
  bar.hidden = !loud.size;
  document.getElementById("alarm-words").textContent = words(loud.size);
  if (fresh.some((one) => loud.has(one))) {
    shout.textContent = `Alarm. ${words(loud.size)}.`;
    rang = -EVERY;
    ring();
    notice(words(loud.size));
  } else if (fresh.length) {
    sound(1);
    feel(200);
  }
  const rings = ringing !== null;
  if (!loud.size) {
    shout.textContent = "";
    if (!fresh.length && rings) {
      hush();
      feel(0);
    }
  }
  name();
}

function show() {
  const on = remembered();
  onButton.hidden = on && mayRing();
  offButton.hidden = !on;
  if (on && mayRing()) state.textContent = "Alarms are heard and felt on this device.";
  else if (on) state.textContent = "Tap once, so that the browser lets alarms be heard again.";
  else state.textContent = "Alarms are seen, but not heard on this device.";
}

async function allow() {
  audio = audio || new AudioContext();
  await audio.resume();
  show();
}

onButton.addEventListener("click", async () => {
  remember(true);
  await allow();
  sound(1);
  feel(150);
  rang = performance.now();
  offButton.focus();
  if ("Notification" in window && Notification.permission === "default") {
    await Notification.requestPermission();
  }
  helper(); // so that it is there when it is needed
});
offButton.addEventListener("click", () => {
  remember(false);
  hush();
  if (audio) audio.close();
  audio = null;
  show();
  onButton.focus();
});
// What was allowed before needs one tap anywhere after the page is opened anew.
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => {
    if (remembered() && !mayRing()) allow().then(ring);
  });
}
document.addEventListener("live:shown", look);
document.addEventListener("live:beat", ring); // beats come through where timers sleep
document.addEventListener("live:lost", () => {
  lost = true;
  sound(2);
  feel(300);
  name();
});
document.addEventListener("live:found", () => {
  lost = false;
  name();
});
window.setInterval(() => {
  ring();
  name();
}, 1000);

panel.hidden = false;
if (remembered()) allow(); // some browsers let a page that was used before sound at once
show();
look();
