// A participant's phone: notes and votes are kept here until the server has confirmed them, and sent again as often as need be.

import { begin, data, drawPins, element, fill, locale, noteCard, one, room, say, uuid, votesOf, words } from "./room.js";

const own = JSON.parse(document.getElementById("own-data").textContent);
const mine = new Set(own.notes);
const form = document.getElementById("add");
const SHOWN_FIRST = 60;
const KINDS = new Set(["observation", "cause", "proposal"]);
let shownMax = SHOWN_FIRST;
let isOnline = true;

// What a browser without storage loses is what it would have lost anyway.
const memory = new Map();
const key = (name) => `telstraat-room-${data.id}-${name}`;
function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(key(name)) ?? memory.get(name);
    return text ? JSON.parse(text) : otherwise;
  } catch { return memory.has(name) ? JSON.parse(memory.get(name)) : otherwise; }
}
function keep(name, value) {
  const text = JSON.stringify(value);
  memory.set(name, text);
  try { localStorage.setItem(key(name), text); } catch { /* full or forbidden */ }
}
function forget() {
  for (const name of ["outbox", "draft", "ballot"]) { memory.delete(name); try { localStorage.removeItem(key(name)); } catch { /* forbidden */ } }
}

const takesNotes = () => room.state.open && room.state.collecting && (room.state.phase === "collect" || room.state.phase === "group");

function post(path, fields) {
  return fetch(`${data.base}/${path}`, {
    method: "POST", body: new URLSearchParams(fields), headers: { accept: "application/json" }, signal: AbortSignal.timeout?.(15_000),
  });
}

// --- notes ---
let sending = false;
let again = 0;
let waits = 0;

async function send() {
  if (sending) return;
  sending = true;
  clearTimeout(again);
  try {
    for (;;) {
      const entry = recall("outbox", []).find((waiting) => waiting.state === "waiting");
      if (!entry) break;
      const answer = await post("notes", entry.fields);
      if (answer.status === 503 || answer.status === 429 || answer.status >= 500) throw new Error("later");
      const left = recall("outbox", []);
      if (answer.ok) {
        const { note } = await answer.json();
        keep("outbox", left.filter((other) => other.client_id !== entry.client_id));
        mine.add(note.id);
        if (!note.gone && !room.notes.has(note.id)) room.notes.set(note.id, note);
        waits = 0;
        said(words.sent);
        draw();
        drawPins();
      } else {
        // Closed for now, or refused: it stays here, and is sent when the room takes notes again, or when it is asked for.
        const state = answer.status === 409 ? "held" : "refused";
        keep("outbox", left.map((other) => (other.client_id === entry.client_id ? { ...other, state } : other)));
      }
      drawOutbox();
    }
  } catch {
    again = setTimeout(send, Math.min(15_000, 1000 * 2 ** waits++) * (0.5 + Math.random()));
  } finally {
    sending = false;
  }
}

function said(text) {
  const place = one("[data-said]");
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 50);
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!form.reportValidity()) return;
  const fields = Object.fromEntries(new FormData(form));
  const entry = { client_id: uuid(), fields, state: "waiting" };
  entry.fields.client_id = entry.client_id;
  keep("outbox", [...recall("outbox", []), entry]);
  form.elements.body.value = "";
  form.elements.what.value = "";
  form.elements.change.value = "";
  keep("draft", null);
  unpin();
  drawOutbox();
  waits = 0;
  send();
  form.elements.body.focus();
});
form?.addEventListener("input", () => {
  const { body, kind } = form.elements;
  keep("draft", { body: body.value, kind: kind.value });
});

function drawOutbox() {
  const waiting = recall("outbox", []);
  const place = one("[data-outbox]");
  place.replaceChildren(...waiting.map((entry) => {
    const change = (state) => () => {
      keep("outbox", state ? recall("outbox", []).map((other) => (other.client_id === entry.client_id ? { ...other, state } : other)) : recall("outbox", []).filter((other) => other.client_id !== entry.client_id));
      drawOutbox();
      send();
    };
    const tools = entry.state === "waiting" ? [] : [
      element("button", { type: "button", class: "button", onclick: change("waiting") }, words.try_again),
      element("button", { type: "button", class: "button", onclick: change(null) }, words.throw_away),
    ];
    const why = entry.state === "waiting" ? words.waiting : entry.state === "held" ? `${words.waiting} · ${words.not_taking}` : words.refused;
    return element("li", { class: "room-note is-waiting" }, element("p", { class: "kind" }, why), element("p", { class: "body", dir: "auto" }, entry.fields.body), ...tools);
  }));
  if (!place.closest("section").hidden || !waiting.length) return;
  place.closest("section").hidden = false; // what waits is seen in every phase
}

// --- pins ---
const pinText = one("[data-pin-text]");
function unpin() {
  for (const name of ["street", "day", "hour", "place"]) form.elements[name].value = "";
  pinText.hidden = true;
}
function pinned(text) {
  pinText.replaceChildren(fill(text, {}), " ", element("button", { type: "button", class: "plain-link", onclick: unpin }, words.unpin));
  pinText.hidden = false;
  say(pinText.textContent);
}
function local(iso, zone) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", hourCycle: "h23" }).formatToParts(new Date(iso)).map((part) => [part.type, part.value]));
  return { day: `${parts.year}-${parts.month}-${parts.day}`, hour: String(Number(parts.hour)) };
}
addEventListener("chart:pick", (event) => {
  if (!form || !takesNotes()) return;
  const figure = event.target.closest("figure");
  const { day, hour } = local(event.detail.at, figure.dataset.zone);
  const isHour = Date.parse(event.detail.until) - Date.parse(event.detail.at) <= 3600_000;
  form.elements.street.value = room.state.looked_at.segment_id ?? "";
  form.elements.day.value = day;
  form.elements.hour.value = isHour ? hour : "";
  const how = { day: "numeric", month: "long", ...(isHour ? { hour: "2-digit", minute: "2-digit" } : {}), timeZone: figure.dataset.zone };
  pinned(fill(words.picked, { at: new Intl.DateTimeFormat(locale, how).format(new Date(event.detail.at)) }));
});
one(".room-map")?.addEventListener("click", (event) => {
  if (!form || !takesNotes()) return;
  const map = event.currentTarget;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const lat = Number(map.dataset.north) - at.y * Number(map.dataset.latStep);
  const lon = Number(map.dataset.west) + at.x * Number(map.dataset.lonStep);
  form.elements.place.value = `${lat.toFixed(6)},${lon.toFixed(6)}`;
  form.elements.street.value = event.target.closest("[data-street]")?.dataset.street ?? "";
  pinned(words.picked_place);
});

// --- votes ---
// The whole ballot is sent with a number that grows: the same again, or an older one that comes late, changes nothing.
let ballot = recall("ballot", null);
if (!ballot || ballot.sequence <= own.sequence) ballot = { sequence: own.sequence, targets: own.ballot, pending: false };
let voting = false;
let voteAgain = 0;

async function sendBallot() {
  if (voting || !ballot.pending) return;
  voting = true;
  clearTimeout(voteAgain);
  const sent = ballot;
  try {
    const fields = new URLSearchParams([["sequence", sent.sequence], ...sent.targets.map((target) => ["vote", target])]);
    const answer = await post("ballot", fields);
    if (answer.status >= 500 || answer.status === 429) throw new Error("later");
    if (answer.ok) {
      const stands = await answer.json();
      if (ballot === sent || stands.sequence > ballot.sequence) ballot = { sequence: stands.sequence, targets: stands.ballot, pending: false };
    } else if (ballot === sent) ballot = { sequence: own.sequence, targets: own.ballot, pending: false };
    own.sequence = ballot.sequence;
    own.ballot = ballot.targets;
    keep("ballot", ballot);
    drawBallot();
  } catch {
    voteAgain = setTimeout(sendBallot, 2000 + 2000 * Math.random());
  } finally {
    voting = false;
  }
  if (ballot.pending && ballot !== sent) sendBallot();
}

one("[data-ballot]")?.addEventListener("change", (event) => {
  const { value, checked } = event.target;
  const targets = ballot.targets.filter((target) => target !== value);
  if (checked && targets.length >= room.state.votes_each) {
    event.target.checked = false;
    one("[data-votes-left]").textContent = words.no_votes_left;
    return;
  }
  ballot = { sequence: ballot.sequence + 1, targets: checked ? [...targets, value] : targets, pending: true };
  keep("ballot", ballot);
  drawBallot();
  sendBallot();
});
document.getElementById("ballot")?.addEventListener("submit", (event) => event.preventDefault());

function drawBallot() {
  const there = (target) => (target[0] === "n" ? room.notes : room.groups).has(Number(target.slice(1)));
  if (ballot.targets.some((target) => !there(target))) ballot = { ...ballot, targets: ballot.targets.filter(there) };
  const place = one("[data-ballot]");
  const focused = document.activeElement?.closest("[data-ballot]") && document.activeElement.value;
  const groups = [...room.groups.values()].map((group) => [`g${group.id}`, group.title, votesOf(group)]);
  const notes = [...room.notes.values()].filter((note) => !note.group && KINDS.has(note.kind)).map((note) => [`n${note.id}`, note.body, note.votes]);
  place.replaceChildren(...[...groups, ...notes].map(([target, text, votes]) => element("label", { class: "check vote-choice" },
    element("input", { type: "checkbox", name: "vote", value: target, ...(ballot.targets.includes(target) ? { checked: true } : {}) }),
    element("span", { dir: "auto" }, text), votes ? element("b", { class: "tally" }, fill(words.votes, { n: votes })) : null)));
  if (focused) one(`input[value="${CSS.escape(focused)}"]`, place)?.focus();
  const left = Math.max(0, room.state.votes_each - ballot.targets.length);
  one("[data-votes-left]").textContent = fill(words.votes_left, { n: left, all: room.state.votes_each }) + (ballot.pending ? ` · ${words.waiting}` : "");
}

// --- the page ---
function takeBack(note) {
  return element("button", { type: "button", class: "plain-link", onclick: async (event) => {
    event.target.disabled = true;
    try {
      const answer = await post(`notes/${note.id}/take-back`, {});
      if (answer.ok || answer.status === 404) { room.notes.delete(note.id); draw(); drawPins(); }
    } catch { event.target.disabled = false; }
  } }, words.take_back);
}

function draw(before) {
  const { state } = room;
  one('[data-needs="taking"]').hidden = !takesNotes() && !recall("outbox", []).length;
  form.hidden = !takesNotes();
  one('[data-needs="not-taking"]').hidden = takesNotes() || state.phase !== "collect";
  one('[data-needs="vote"]').hidden = !state.open || state.phase !== "vote";
  const isVoted = state.phase === "vote" || state.phase === "agree" || !state.open;
  const notes = [...room.notes.values()].sort((a, b) => (isVoted ? b.votes - a.votes : 0) || b.id - a.id);
  const card = (note) => noteCard(note, mine.has(note.id) ? [element("p", { class: "mine" }, `${words.yours} · `, takeBack(note))] : []);
  const list = (some) => element("ul", { class: "room-notes" }, ...some.map(card));
  const parts = [];
  if (room.groups.size) {
    for (const group of [...room.groups.values()].sort((a, b) => votesOf(b) - votesOf(a))) {
      const votes = votesOf(group);
      parts.push(element("h3", { dir: "auto" }, group.title, votes ? element("span", { class: "hint" }, ` ${fill(words.votes, { n: votes })}`) : ""));
      parts.push(list(notes.filter((note) => note.group === group.id)));
    }
  }
  const alone = notes.filter((note) => !note.group || !room.groups.has(note.group));
  if (room.groups.size && alone.length) parts.push(element("h3", {}, words.alone));
  if (alone.length) parts.push(list(alone.slice(0, shownMax)));
  else if (!notes.length) parts.push(element("p", { class: "empty" }, words.nothing));
  if (alone.length > shownMax) parts.push(element("button", { type: "button", class: "button", onclick: () => { shownMax += 200; draw(); } }, words.older));
  one("[data-notes]").replaceChildren(...parts);
  drawBallot();
  drawOutbox();
  if (before && before.phase !== state.phase) {
    say(`${words[`phase_${state.phase}`]}. ${words[`hint_${state.phase}`]}`);
    if (takesNotes()) keep("outbox", recall("outbox", []).map((entry) => (entry.state === "held" ? { ...entry, state: "waiting" } : entry)));
  }
  if (takesNotes()) send();
}

const line = one("[data-line]");
begin(draw, { onLine: (state) => {
  if (state === "on" && !isOnline) line.textContent = words.back;
  if (state === "on" && isOnline) line.textContent = "";
  if (state === "away") line.textContent = words.away;
  if (state === "gone") line.textContent = words.closed;
  isOnline = state === "on";
  if (isOnline) { waits = 0; send(); sendBallot(); setTimeout(() => { if (isOnline) line.textContent = ""; }, 3000); }
} });

const draft = recall("draft", null);
if (draft?.body && !form.elements.body.value) {
  form.elements.body.value = draft.body;
  if (draft.kind) form.elements.kind.value = draft.kind;
}
one("form.leave")?.addEventListener("submit", forget);
drawOutbox();
send();
sendBallot();
