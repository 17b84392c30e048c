// Picks the streets of a measure on a map; the lists beside it are the form, so that the map is only another hand on them.

import { ground, points } from "../place.js";

const pick = document.getElementById("pick");
const form = document.getElementById("measure-form");
const chosen = document.getElementById("chosen");
const listed = document.getElementById("listed");
const none = document.getElementById("none-chosen");
const search = document.getElementById("q");
const template = document.getElementById("street-row");
const nothing = document.getElementById("none-found");
const WAIT_MS = 150;
const LISTED_MAX = 12;
const DRAWN_MAX = 1500;
const lines = new Map();

function box(id) {
  return form.querySelector(`select[name="street-${id}"]`);
}

function made(id, name) {
  const row = template.content.firstElementChild.cloneNode(true);
  const select = row.querySelector("select");
  const link = row.querySelector("a");
  row.dataset.row = id;
  select.name = `street-${id}`;
  select.setAttribute("aria-label", select.getAttribute("aria-label").trim() + ` ${name}`);
  link.href = `/street/${id}`;
  link.textContent = name;
  return row;
}

function coloured(id) {
  const line = lines.get(String(id))?.getElement();
  const role = box(id)?.value ?? "";
  for (const name of ["treated", "boundary", "controls"]) line?.classList.toggle(`is-${name}`, role === name);
  line?.setAttribute("stroke-width", role ? 8 : 5);
}

function settle(id) {
  const row = box(id).closest("tr");
  if (box(id).value && row.parentElement !== chosen) chosen.append(row);
  none.hidden = chosen.children.length > 0;
  coloured(id);
}

function give(id, name, role) {
  if (!box(id)) chosen.append(made(id, name));
  const select = box(id);
  select.value = select.value === role ? "" : role;
  settle(id);
}

form.addEventListener("change", ({ target }) => {
  if (target.name?.startsWith("street-")) settle(target.name.slice(7));
});

// What is typed finds streets at once, as the server finds them on every page; without this script the button does.
let waiting;
async function find() {
  clearTimeout(waiting);
  const text = search.value.trim();
  const answer = await fetch(`/streets/named?q=${encodeURIComponent(text)}`);
  if (!answer.ok || text !== search.value.trim()) return;
  const hits = (await answer.json()).streets.filter(({ id }) => !box(id)?.value);
  listed.replaceChildren(...hits.slice(0, LISTED_MAX).map(({ id, name }) => made(id, name)));
  nothing.hidden = hits.length > 0;
}
search.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(find, WAIT_MS);
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  find();
});

async function everySegment(address) {
  const all = [];
  for (let next = address; next;) {
    const answer = await (await fetch(next)).json();
    all.push(...answer.features);
    next = answer.next;
  }
  return all;
}

// A large town has more streets than a map can hold: those in view are drawn, and the chosen ones always.
function drawn(map, all) {
  const view = map.getBounds().pad(0.2);
  const inView = all.filter((street) => view.intersects(street.bounds));
  const kept = new Set((inView.length > DRAWN_MAX ? [] : inView).map((street) => street.id));
  for (const street of all) {
    const id = String(street.id);
    const wanted = kept.has(street.id) || Boolean(box(street.id)?.value);
    if (wanted && !lines.has(id)) {
      const line = L.polyline(street.path, { weight: 5, className: "pick-line" });
      const tip = document.createElement("strong");
      tip.textContent = street.name;
      line.bindTooltip(tip, { sticky: true, className: "street-tip" });
      line.on("click", () => give(street.id, street.name, document.querySelector("input[name=pen]:checked").value));
      lines.set(id, line.addTo(map));
      coloured(street.id);
    } else if (!wanted && lines.has(id)) {
      lines.get(id).remove();
      lines.delete(id);
    }
  }
}

async function fill() {
  const { tiles, attribution, segments } = pick.dataset;
  const all = (await everySegment(segments)).map(({ geometry, properties }) => {
    const path = points(geometry);
    return { id: properties.segment_id, name: properties.name, path, bounds: L.latLngBounds(path) };
  });
  pick.hidden = false;
  const map = ground(document.getElementById("pick-map"), { tiles, attribution });
  const chosenStreets = all.filter(({ id }) => box(id)?.value);
  const near = chosenStreets.length ? chosenStreets : all;
  if (near.length) map.fitBounds(L.latLngBounds(near.flatMap((street) => street.path)), { padding: matchMedia("(max-width: 560px)").matches ? [14, 14] : [50, 50], maxZoom: 16 });
  else map.setView([50.88, 4.7], 13);
  drawn(map, all);
  map.on("moveend", () => drawn(map, all));
}

fill();
