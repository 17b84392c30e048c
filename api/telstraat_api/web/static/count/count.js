// Counting by hand: every tap is kept on the phone at once, split into quarters of an hour, and sent when there is network.

const QUARTER_MS = 15 * 60 * 1000;
const RETRY_MS = 15_000;
const page = document.querySelector("[data-count]");
const street = page.dataset.count;
const words = JSON.parse(document.getElementById("count-words").textContent);
const number = new Intl.NumberFormat(document.documentElement.lang);
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const RUNNING = `telstraat-count-${street}`;
const WAITING = "telstraat-counts-waiting";
const byId = (id) => document.getElementById(id);

// What the phone has no room for lives as long as the page: it can still be counted to the end and sent.
const unkept = new Map();

function read(key, otherwise) {
  if (unkept.has(key)) return unkept.get(key);
  try { return JSON.parse(localStorage.getItem(key)) ?? otherwise; } catch { return otherwise; }
}

function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    unkept.delete(key);
  } catch {
    if (value === null) unkept.delete(key);
    else unkept.set(key, value);
  }
  byId("full").hidden = !unkept.size;
}

let session = read(RUNNING, null); // { number, start, until, taps: [[ms, column]] }
let lock = null;

function say(text) { byId("said").textContent = text; }

function uuid() {
  return crypto.randomUUID?.() ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
}

async function awake() {
  try { lock = await navigator.wakeLock?.request("screen"); } catch { lock = null; }
}

function begin(start) {
  session = { number: uuid(), start, taps: [] };
  keep(RUNNING, session);
  awake();
  draw();
}

// The same count may be open in another tab: what was tapped there is in the store.
function again() { session = read(RUNNING, null); }

function tap(column, place) {
  again();
  if (!session || Date.now() < session.start) return draw();
  session.taps.push([Date.now(), column]);
  keep(RUNNING, session);
  navigator.vibrate?.(15);
  place.classList.remove("bump");
  void place.offsetWidth;
  place.classList.add("bump");
  draw();
}

function undo() {
  again();
  const last = session?.taps.pop();
  if (!last) return;
  keep(RUNNING, session);
  say(words.undone.replace("{what}", byId(`tap-${last[1]}`).dataset.name));
  draw();
}

function quarters(until) {
  const parts = [];
  for (let from = session.start; from < until;) {
    const end = Math.min((Math.floor(from / QUARTER_MS) + 1) * QUARTER_MS, until);
    const counts = {};
    for (const [at, column] of session.taps) if (at >= from && at < end) counts[column] = (counts[column] ?? 0) + 1;
    parts.push({ from_at: new Date(from).toISOString(), until_at: new Date(end).toISOString(), counts });
    from = end;
  }
  return parts;
}

function finish() {
  again();
  const until = Date.now();
  if (!session || until - session.start < 1000) return cancel();
  const waiting = read(WAITING, []);
  waiting.push({ number: session.number, street, quarters: quarters(until) });
  keep(WAITING, waiting);
  cancel();
  send();
}

function cancel() {
  session = null;
  keep(RUNNING, null);
  lock?.release();
  lock = null;
  draw();
}

let isSending = false;

async function send() {
  if (isSending) return;
  isSending = true;
  let isRefused = false;
  try {
    for (const count of read(WAITING, [])) {
      byId("waiting-note").textContent = words.sending;
      let answer;
      try {
        const body = new URLSearchParams({ number: count.number, quarters: JSON.stringify(count.quarters) });
        answer = await fetch(`/count/${count.street}`, { method: "POST", body, headers: { accept: "text/html" } });
      } catch {
        byId("waiting-note").textContent = words.offline;
        setTimeout(send, RETRY_MS);
        return;
      }
      const at = new URL(answer.url).pathname;
      if (answer.status === 401 || at.startsWith("/sign-in")) {
        byId("waiting-note").textContent = words.sign_in;
        byId("sign-in").hidden = false;
        return;
      }
      if (!answer.ok && (answer.status >= 500 || answer.status === 429)) {
        byId("waiting-note").textContent = words.away;
        setTimeout(send, RETRY_MS);
        return;
      }
      if (!answer.ok) {
        isRefused = true; // it stays here, and those behind it go
        continue;
      }
      keep(WAITING, read(WAITING, []).filter((other) => other.number !== count.number));
      const link = document.createElement("a");
      link.href = at;
      link.textContent = words.result;
      byId("results").append(link);
      byId("results").hidden = false;
      if (!session && !read(WAITING, []).length) location.assign(at);
    }
    if (isRefused) byId("waiting-note").textContent = words.refused;
  } finally {
    isSending = false;
    draw();
  }
}

function draw() {
  const now = Date.now();
  const isOn = Boolean(session);
  byId("before").hidden = isOn;
  byId("counting").hidden = !isOn;
  document.body.classList.toggle("is-counting", isOn);
  const waiting = read(WAITING, []);
  byId("waiting").hidden = !waiting.length;
  byId("waiting-title").textContent = words.waiting.replace("{n}", number.format(waiting.length));
  const next = (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS;
  byId("next").textContent = words.next.replace("{at}", clock.format(next));
  if (!isOn) return;
  const totals = {};
  for (const [, column] of session.taps) totals[column] = (totals[column] ?? 0) + 1;
  for (const button of document.querySelectorAll("[data-column]")) {
    button.querySelector(".value").textContent = number.format(totals[button.dataset.column] ?? 0);
    button.disabled = now < session.start;
  }
  byId("undo").disabled = !session.taps.length;
  const wait = session.start - now;
  const left = wait > 0 ? wait : QUARTER_MS - now % QUARTER_MS;
  const text = `${Math.floor(left / 60000)}:${String(Math.floor((left % 60000) / 1000)).padStart(2, "0")}`;
  byId("clock").textContent = (wait > 0 ? words.begins : words.left).replace("{time}", text);
  byId("whole").textContent = words.whole.replace("{n}", number.format(quarters(now).filter((q) =>
    new Date(q.until_at) - new Date(q.from_at) >= QUARTER_MS - 10_000).length));
}

byId("begin-next").addEventListener("click", () => begin((Math.floor(Date.now() / QUARTER_MS) + 1) * QUARTER_MS));
byId("begin-now").addEventListener("click", () => begin(Date.now()));
byId("undo").addEventListener("click", undo);
byId("finish").addEventListener("click", finish);
byId("cancel").addEventListener("click", () => { if (!session?.taps.length || confirm(words.sure)) cancel(); });
byId("send").addEventListener("click", send);
for (const button of document.querySelectorAll("[data-column]")) {
  button.addEventListener("click", () => tap(button.dataset.column, button));
}
addEventListener("online", send);
addEventListener("storage", () => { again(); draw(); });
addEventListener("beforeunload", (leaving) => { if (unkept.size) leaving.preventDefault(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && session) awake(); });
if (session) awake();
setInterval(draw, 500);
page.hidden = false;
draw();
if (read(WAITING, []).length) send();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/count/worker.js", { scope: "/count/" }).catch(() => {});
