// The town comes alive: the drawn map becomes one that moves, rows and lines light each other, choices apply at once.

import { addGround } from "../ground.js";
import { ground } from "../place.js";

const LIVE_MS = 60000;
const holder = document.getElementById("map");
const form = document.querySelector("[data-town-form]");
document.documentElement.classList.add("is-alive");

for (const choice of form.querySelectorAll("select")) choice.addEventListener("change", () => form.requestSubmit());
form.addEventListener("submit", () => {
  // An address says only what is chosen.
  for (const field of form.elements) if (field.value === "" || (field.tagName === "SELECT" && field.selectedIndex === 0)) field.disabled = true;
});
addEventListener("pageshow", () => { for (const field of form.elements) if (!field.matches("#period:has(option:only-child)")) field.disabled = false; });

const row = (id) => document.querySelector(`tr[data-street="${id}"]`);

if (holder) start();

function start() {
  const data = JSON.parse(document.getElementById("town-data").textContent);
  const words = JSON.parse(document.getElementById("map-words").textContent);
  const { tiles, attribution, period } = holder.dataset;
  const [west, south, east, north] = data.box;
  const label = holder.querySelector("svg").getAttribute("aria-label");
  const element = document.createElement("div");
  element.className = "map";
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", label);
  holder.prepend(element); // what the server drew stays for paper
  const map = ground(element, { tiles, attribution });
  map.zoomControl.setPosition("topright");
  map.scrollWheelZoom.disable();
  map.on("focus click", () => map.scrollWheelZoom.enable());
  map.fitBounds([[south, west], [north, east]], { padding: matchMedia("(max-width: 560px)").matches ? [8, 8] : [30, 30], maxZoom: 17 });
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") map.closePopup(); });
  const drawn = L.layerGroup().addTo(map);
  const named = map.ground ?? addGround(map, { isBare: true });  // above tiles there are only the streets' names
  const lines = new Map();

  function light(id, on) {
    lines.get(id)?.getElement()?.classList.toggle("is-lit", on);
    row(id)?.classList.toggle("is-lit", on);
  }

  function part(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  }

  // A small card: the street, its figure, what that is a figure of, and what is the matter with its sensor.
  function tip({ name, text, note, css }) {
    const box = part("div", "street-card", "");
    box.append(part("strong", "street-card-name", name));
    const isNumber = !css.startsWith("none");
    box.append(part("span", isNumber ? "street-card-value" : "street-card-why", text));
    if (isNumber) box.append(part("span", "street-card-unit", words.unit));
    if (note) box.append(part("span", "badge", note));
    return box;
  }

  function choose(street, at) {
    for (const chosen of document.querySelectorAll("tr.is-chosen")) chosen.classList.remove("is-chosen");
    row(street.id)?.classList.add("is-chosen");
    const box = tip(street);
    const link = part("a", "button is-main", words.open);
    link.href = `/street/${street.id}`;
    box.append(link);
    const popup = L.popup({ className: "street-popup", minWidth: 190, maxWidth: 260 }).setLatLng(at).setContent(box);
    popup.on("remove", () => row(street.id)?.classList.remove("is-chosen"));
    popup.openOn(map);
    popup.getElement()?.querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", words.close);
  }

  function draw({ streets, clusters }) {
    drawn.clearLayers();
    lines.clear();
    const names = [];
    for (const street of streets) {
      L.polyline(street.line, { className: "casing", interactive: false }).addTo(drawn);
      const line = L.polyline(street.line, { className: `street ${street.css}` }).addTo(drawn);
      line.bindTooltip(() => tip(street), { sticky: true, className: "street-tip" });
      line.on("click", ({ latlng }) => {
        line.closeTooltip();
        choose(street, latlng);
      });
      line.on("mouseover", () => light(street.id, true)).on("mouseout", () => light(street.id, false));
      lines.set(street.id, line);
      names.push({ text: street.name, line: street.line, weight: 8 });
    }
    for (const { at, n, box } of clusters) {
      const size = Math.round(28 + 14 * Math.log10(n));
      const icon = L.divIcon({ className: "cluster-mark", html: String(n), iconSize: [size, size] });
      const title = words.closer.replace("{n}", n);
      L.marker(at, { icon, title, alt: title }).addTo(drawn)
        .on("click", () => map.fitBounds([[box[1], box[0]], [box[3], box[2]]], { maxZoom: 17 }));
    }
    named.label(names);
  }

  async function look(inView) {
    const address = new URLSearchParams(data.address);
    if (inView) {
      const seen = map.getBounds();
      const box = [Math.max(-180, seen.getWest()), Math.max(-90, seen.getSouth()), Math.min(180, seen.getEast()), Math.min(90, seen.getNorth())];
      address.set("box", box.map((side) => side.toFixed(6)).join(","));
    }
    const answer = await fetch(`/town/streets?${address}`);
    if (answer.ok) draw(await answer.json());
  }

  draw(data);
  if (data.clusters.length) map.on("moveend", () => look(true));
  for (const each of document.querySelectorAll("tr[data-street]")) {
    const id = Number(each.dataset.street);
    for (const event of ["mouseenter", "focusin"]) each.addEventListener(event, () => light(id, true));
    for (const event of ["mouseleave", "focusout"]) each.addEventListener(event, () => light(id, false));
  }
  if (period === "live" || period === "typical") {
    setInterval(async () => {
      if (document.hidden) return;
      await look(data.clusters.length > 0);
      const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      for (const fresh of page.querySelectorAll("tr[data-street]")) {
        const shows = row(fresh.dataset.street);
        const isOpen = shows?.querySelector("details")?.open ?? false;
        shows?.replaceChildren(...fresh.children);
        if (isOpen) shows.querySelector("details").open = true;
      }
    }, LIVE_MS);
  }
}
