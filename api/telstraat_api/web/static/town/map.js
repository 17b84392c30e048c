// The map of all streets: lines as thick as their traffic, each leading to its page.

import { addGround } from "../ground.js";
import { ground, points } from "../place.js";

const element = document.getElementById("map");
const totals = JSON.parse(document.getElementById("totals").textContent);
const words = JSON.parse(document.getElementById("map-words").textContent);
const { tiles, attribution } = element.dataset;

function passed(id) {
  const counts = totals[id];
  return counts ? counts.n : null;
}

async function everySegment(address) {
  const found = [];
  for (let next = address; next;) {
    const answer = await (await fetch(next)).json();
    found.push(...answer.features);
    next = answer.next;
  }
  return found;
}

// Names that find no free place are left out: the list beside the map has all.
function label(map, names) {
  (map.ground ?? addGround(map, { isBare: true })).label(names.sort((a, b) => b.weight - a.weight));
}

function told({ properties }) {
  const box = document.createElement("div");
  const name = document.createElement("strong");
  name.textContent = properties.name;
  const n = passed(properties.segment_id);
  const line = document.createElement("span");
  line.textContent = n === null ? words[totals[properties.segment_id]?.state ?? "missing"] : `${Math.round(n).toLocaleString(document.documentElement.lang)} ${words.day}`;
  box.append(name, line);
  return box;
}

async function fill() {
  const map = ground(element, { tiles, attribution });
  map.zoomControl.setPosition("topright");
  const found = await everySegment(element.dataset.segments);
  const most = Math.max(1, ...found.map((one) => passed(one.properties.segment_id) ?? 0));
  if (found.length) map.fitBounds(L.latLngBounds(found.flatMap((one) => points(one.geometry))), { padding: [40, 40], maxZoom: 17 });
  else map.setView([50.88, 4.7], 13);
  const names = [];
  for (const one of found) {
    const { segment_id: id, online, links } = one.properties;
    const weight = 4 + 10 * Math.sqrt((passed(id) ?? 0) / most);
    const path = points(one.geometry);
    const casing = L.polyline(path, { weight: weight + 4, className: "street-casing", interactive: false });
    const line = L.polyline(path, { weight, className: `street-line${online ? "" : " is-silent"}${passed(id) === null ? " is-uncounted" : ""}`, dashArray: online ? null : "2 9" });
    line.bindTooltip(told(one), { sticky: true, className: "street-tip" });
    line.on("click", () => { location.href = links.page; });
    const row = document.querySelector(`[data-street="${id}"]`);
    const lit = (on) => () => {
      line.getElement()?.classList.toggle("is-lit", on);
      row?.classList.toggle("is-lit", on);
    };
    line.on("mouseover", lit(true)).on("mouseout", lit(false));
    for (const event of ["mouseenter", "focus"]) row?.addEventListener(event, lit(true));
    for (const event of ["mouseleave", "blur"]) row?.addEventListener(event, lit(false));
    casing.addTo(map);
    line.addTo(map);
    names.push({ text: one.properties.name, line: path, weight });
  }
  label(map, names);
}

fill();
