// What the three screens of a room share: its state, the stream of its changes, pins on chart and map, the timer.

export const data = JSON.parse(document.getElementById("room-data").textContent);
export const words = data.words;
// Dates as the pages write them: the day before the month.
export const locale = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
export const room = { revision: 0, state: {}, notes: new Map(), groups: new Map(), people: 0, voters: 0, skew: 0 };
const STALE_MS = 40_000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
export const one = (selector, within = document) => within.querySelector(selector);

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// Without https there is no crypto.randomUUID, and a hall's own network has none.
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// Returns false when something between is missing: then it is fetched.
export function apply(changes) {
  if (changes.since > room.revision) return false;
  if (changes.since === 0) {
    room.notes.clear();
    room.groups.clear();
  } else if (changes.revision < room.revision) return true;
  room.revision = changes.revision;
  room.people = changes.people;
  room.voters = changes.voters;
  room.skew = Date.parse(changes.now) - Date.now();
  if (changes.room) room.state = changes.room;
  for (const [things, into] of [[changes.notes, room.notes], [changes.groups, room.groups]]) {
    for (const thing of things ?? []) {
      if (thing.gone) into.delete(thing.id);
      else into.set(thing.id, thing);
    }
  }
  for (const [target, votes] of Object.entries(changes.votes ?? {})) {
    const thing = (target[0] === "n" ? room.notes : room.groups).get(Number(target.slice(1)));
    if (thing) thing.votes = votes;
  }
  return true;
}

export function votesOf(group) {
  let votes = group.votes;
  for (const note of room.notes.values()) if (note.group === group.id) votes += note.votes;
  return votes;
}

// Opens the stream, and again whenever it ends: a phone that slept, a network that was away, a server that was started anew.
export function connect(onChange, { lead = false, onLine = () => {} } = {}) {
  let source = null;
  let heard = Date.now();
  let tries = 0;
  let timer = 0;
  let isGone = false;

  async function missing() {
    try {
      const answer = await fetch(`${data.base}/state?since=${room.revision}${lead ? "&lead=true" : ""}`, { headers: { accept: "application/json" } });
      isGone = answer.status === 404;
      if (isGone) onLine("gone");
      if (answer.ok && apply(await answer.json())) onChange();
    } catch { /* the stream says that the line is away */ }
  }

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(`${data.base}/events?since=${room.revision}${lead ? "&lead=true" : ""}`);
    source.onopen = () => {
      heard = Date.now();
      tries = 0;
      isGone = false;
      onLine("on");
    };
    source.addEventListener("beat", () => { heard = Date.now(); });
    source.addEventListener("changes", (event) => {
      heard = Date.now();
      const before = room.state;
      if (apply(JSON.parse(event.data))) onChange(before);
      else missing();
    });
    source.onerror = () => {
      if (!isGone) onLine("away");
      source.close();
      clearTimeout(timer);
      timer = setTimeout(async () => { await missing(); open(); }, isGone ? 30_000 : RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)] * (0.5 + Math.random()));
    };
  }

  setInterval(() => { if (Date.now() - heard > STALE_MS) { heard = Date.now(); open(); } }, 5000);
  addEventListener("online", open);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - heard > 5000) open(); });
  addEventListener("pagehide", () => source?.close());
  open();
}

// The timer runs by the server's clock: phones' clocks go wrong.
export function tick() {
  const places = document.querySelectorAll("[data-timer]");
  const ends = room.state.timer ? Date.parse(room.state.timer) : null;
  const left = ends === null ? null : Math.ceil((ends - Date.now() - room.skew) / 1000);
  for (const place of places) {
    const text = left === null ? "" : left <= 0 ? words.time_up : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (place.textContent !== text) place.textContent = text;
    place.classList.toggle("is-up", left !== null && left <= 0);
  }
}

export function expects(note) {
  if (!note.expected) return "";
  const { what, change } = note.expected;
  return fill(change === 0 ? words.same : change > 0 ? words.more : words.less, { percent: Math.abs(change), what: words[`what_${what}`] });
}

export function whereOf(note) {
  const parts = [];
  const { pin } = note;
  if (pin?.segment_id && data.names[pin.segment_id]) parts.push(data.names[pin.segment_id]);
  if (pin?.from) {
    const long = Date.parse(pin.until) - Date.parse(pin.from) > 6 * 3600_000;
    const zone = one("figure[data-chart]")?.dataset.zone;
    const how = { day: "numeric", month: "short", ...(long ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }), ...(zone ? { timeZone: zone } : {}) };
    parts.push(new Intl.DateTimeFormat(locale, how).format(new Date(pin.from)));
  }
  if (pin?.lat !== undefined) parts.push(words.picked_place);
  return parts.join(", ");
}

export function noteCard(note, more = []) {
  const kind = element("p", { class: "kind" }, words[`kind_${note.kind}`]);
  if (note.by) kind.append(" · ", element("span", { dir: "auto" }, note.by));
  const about = element("p", { class: "about" }, [whereOf(note), expects(note)].filter(Boolean).join(" · "));
  if (note.votes) about.append(" ", element("b", {}, fill(words.votes, { n: note.votes })));
  return element("li", { class: `room-note is-${note.kind}`, "data-note": note.id, id: `note-${note.id}` }, kind, element("p", { class: "body", dir: "auto" }, note.body), about, ...more);
}

// The ground beneath: water, green and streets as the town's import brought them, drawn once and quietly.
export async function ground() {
  const map = one(".room-map");
  if (!map) return;
  const [west, north, lonStep, latStep] = [map.dataset.west, map.dataset.north, map.dataset.lonStep, map.dataset.latStep].map(Number);
  const box = [west, north - 640 * latStep, west + 1000 * lonStep, north].map((side) => side.toFixed(6)).join(",");
  try {
    const answer = await fetch(`/api/v1/ground?bbox=${box}`);
    if (!answer.ok) return;
    const { features, credit } = await answer.json();
    const layer = shape("g", { class: "room-ground", "aria-hidden": "true" });
    const path = (line, closed) => `M${line.map(([lon, lat]) => `${((lon - west) / lonStep).toFixed(1)} ${((north - lat) / latStep).toFixed(1)}`).join("L")}${closed ? "z" : ""}`;
    for (const { geometry, properties } of features) {
      const isArea = geometry.type.endsWith("Polygon");
      const lines = { LineString: [geometry.coordinates], Polygon: geometry.coordinates, MultiLineString: geometry.coordinates, MultiPolygon: geometry.coordinates.flat?.(1) }[geometry.type] ?? [];
      layer.append(shape("path", { class: `ground-${properties.kind}${isArea ? " is-area" : ""}`, d: lines.map((line) => path(line, isArea)).join("") }));
    }
    map.prepend(layer);
    if (credit.length) map.after(element("p", { class: "hint" }, credit.join(", ")));
  } catch { /* a map without ground is a map, too */ }
}

const SVG = "http://www.w3.org/2000/svg";
function shape(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function pin(note, number, x, y, size, known) {
  const group = shape("g", { class: `pin room-pin is-${note.kind}${known.has(String(note.id)) ? "" : " is-new"}`, "data-note": note.id });
  group.append(shape("title", {}, note.body), shape("circle", { cx: x, cy: y, r: size }), shape("text", { x, y, dy: ".35em", "text-anchor": "middle" }, number));
  return group;
}

// Pins of the notes on whatever everybody looks at: on the chart at their time, on the map at their place or street.
export function drawPins() {
  const known = new Set([...document.querySelectorAll(".room-pin")].map((old) => old.dataset.note));
  document.querySelectorAll(".room-pin, .room-pins").forEach((old) => old.remove());
  const notes = [...room.notes.values()].filter((note) => note.pin && !note.hidden);
  const figure = one("[data-chart-place] figure[data-chart]");
  if (figure && room.state.looked_at?.view === "street") {
    const [from, until] = [Number(figure.dataset.from), Number(figure.dataset.until)];
    const taken = []; // a pin that would lie on another stands below it
    for (const note of notes) {
      if (!note.pin.from || (note.pin.segment_id && note.pin.segment_id !== room.state.looked_at.segment_id)) continue;
      const at = (Date.parse(note.pin.from) + Date.parse(note.pin.until)) / 120_000;
      if (at < from || at > until) continue;
      const place = (at - from) / (until - from);
      const level = Array.from({ length: 10 }, (_, n) => n).find((n) => !taken.some((other) => other.level === n && Math.abs(other.place - place) < 0.045)) ?? 9;
      taken.push({ level, place });
      one(".plot", figure)?.append(pin(note, numberOf(note), `${(place * 100).toFixed(2)}%`, `${4 + 9 * level}%`, 10, known));
    }
  }
  const map = one(".room-map");
  if (!map) return;
  const layer = shape("g", { class: "room-pins" });
  const perStreet = new Map();
  for (const note of notes) {
    let x, y;
    if (note.pin.lat !== undefined) {
      x = (note.pin.lon - Number(map.dataset.west)) / Number(map.dataset.lonStep);
      y = (Number(map.dataset.north) - note.pin.lat) / Number(map.dataset.latStep);
    } else {
      const name = one(`[data-name="${note.pin.segment_id}"]`, map);
      if (!name) continue;
      const number = perStreet.get(note.pin.segment_id) ?? 0;
      perStreet.set(note.pin.segment_id, number + 1);
      x = Number(name.getAttribute("x")) + (number % 6) * 30;
      y = Number(name.getAttribute("y")) + 18 + Math.floor(number / 6) * 30;
    }
    if (x >= 0 && x <= 1000 && y >= 0 && y <= 640) layer.append(pin(note, numberOf(note), x.toFixed(0), y.toFixed(0), 15, known));
  }
  map.append(layer);
}

let numbers = new Map();
export function renumber() {
  numbers = new Map([...room.notes.keys()].sort((a, b) => a - b).map((id, index) => [id, index + 1]));
}
export const numberOf = (note) => numbers.get(note.id) ?? "";

// What everybody looks at has changed: the figure is fetched, the map is here already.
export async function look(before) {
  const now = room.state.looked_at;
  if (before && JSON.stringify(before.looked_at) === JSON.stringify(now)) return;
  const isMap = now?.view === "map";
  const chart = one("[data-chart-place]");
  const map = one("[data-map-place]");
  if (!isMap && before) {
    try {
      const answer = await fetch(`${data.base}/figure`);
      if (answer.ok) {
        chart.innerHTML = await answer.text(); // a figure of our own server, which escapes every text
        const figure = one("figure[data-chart]", chart);
        if (figure) window.charts?.enliven?.(figure);
      }
    } catch { /* the next change brings it */ }
  }
  chart.hidden = isMap;
  map.hidden = !isMap;
  for (const street of document.querySelectorAll(".room-map [data-street]")) street.classList.toggle("is-lit", Number(street.dataset.street) === now?.segment_id);
}

export function say(text) {
  const place = one("[data-aloud]");
  if (place) place.textContent = text;
}

export function phase() {
  const now = room.state;
  document.body.dataset.phase = now.phase;
  for (const place of document.querySelectorAll("[data-phase-name]")) place.textContent = words[`phase_${now.phase}`];
  for (const place of document.querySelectorAll("[data-hint]")) place.textContent = now.open ? words[`hint_${now.phase}`] : words.closed;
  for (const place of document.querySelectorAll("[data-people]")) place.textContent = fill(words.people, { n: room.people });
  for (const place of document.querySelectorAll("[data-voters]")) place.textContent = fill(words.voters, { n: room.voters });
}

export function begin(draw, options) {
  apply({ ...data.state, since: 0 });
  const all = async (before) => {
    renumber();
    phase();
    draw(before);
    tick();
    await look(before);
    drawPins();
  };
  all();
  ground();
  setInterval(tick, 500);
  connect(all, options);
}
