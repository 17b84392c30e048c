// The ground beneath a map: water, green, rails and streets of the imported extract, quiet, with names that do not collide.
//
//   import { addGround } from "./ground.js";
//   const ground = addGround(map);                        // draws beneath everything else, again after each move
//   ground.label([{ text: "Kerkstraat", line: [[50.9, 4.7], [50.91, 4.7]], weight: 8 }]);   // own names, first and bolder
//
// Colours are the variables --map-... of telstraat.css. The map fires "ground" with `isEmpty` after each answer, and
// `ground.isEmpty` resolves to the first. `isBare` draws own names alone, for a map with tiles.

const KINDS = {
  // metres wide, least and most pixels, from which zoom on it is drawn and named
  motorway: { metres: 14, least: 1.6, most: 22, from: 8, named: 14 },
  road: { metres: 10, least: 1.2, most: 18, from: 10, named: 14.75 },
  street: { metres: 7, least: 0.7, most: 14, from: 12.25, named: 15.75 },
  path: { metres: 2, least: 0.6, most: 3, from: 14.75, named: 16.75 },
  rail: { metres: 3, least: 0.8, most: 3, from: 10, named: 99 },
  stream: { metres: 4, least: 0.8, most: 6, from: 10, named: 14 },
};
const AREAS = ["green", "wood", "school", "square", "water"];
const LINES = ["path", "street", "road", "motorway"];
const WIDEST_DEGREES = 12;
const FULL_CIRCLE_M = 40075016.7;
const PLACES = [0.5, 0.36, 0.64, 0.22, 0.78];
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufefc]/;
const TURN_MOST = 0.5;
const LEVEL_FROM = 13.5;  // a small map of a town has no room beside its lines

export function addGround(map, { isBare = false } = {}) {
  return new Ground(map, isBare);
}

class Ground {
  constructor(map, isBare) {
    this.map = map;
    this.features = [];
    this.own = [];
    this.box = null;
    this.isEmpty = new Promise((resolve) => { this.tell = resolve; });
    this.below = painter(map, "ground", 150, (context) => paintGround(context, map, this.features));
    this.above = painter(map, "ground-names", 450, (context, canvas) => {
      canvas.dataset.names = paintNames(context, map, this.own, this.features).join("|");
    });
    addEventListener("themechange", () => this.paint());
    if (isBare) return;
    map.on("moveend", () => this.load());
    map.whenReady(() => this.load());
  }

  label(own) {
    this.own = own.map(({ text, line, weight = 6 }) => ({ text, weight, lines: [world(line.map(([lat, lon]) => [lon, lat]))] }));
    this.paint();
  }

  paint() {
    this.below.repaint();
    this.above.repaint();
  }

  async load() {
    const seen = this.map.getBounds();
    if (this.box?.contains(seen) && across(this.box) < 2.6 * across(seen)) return;
    const box = snapped(seen);
    if (box === null) return;
    this.box = box;
    this.request?.abort();
    this.request = new AbortController();
    try {
      const answer = await fetch(`/api/v1/ground?bbox=${address(box)}`, { signal: this.request.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const { features, credit } = await answer.json();
      this.features = features.map(prepared);
      this.name(credit);
      this.say(features.length === 0);
      this.paint();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.box = null;
      this.say(this.features.length === 0);
    }
  }

  say(isEmpty) {
    this.tell(isEmpty);
    this.map.fire("ground", { isEmpty });
  }

  name(credit) {
    if (!credit.length) return;
    this.credit ??= this.map.attributionControl ?? L.control.attribution({ prefix: false }).addTo(this.map);
    for (const text of credit) {
      const span = document.createElement("span");
      span.textContent = text;
      this.credit.addAttribution(span.innerHTML);
    }
  }
}

// A canvas in a pane of its own that moves with the map and is painted anew when it has moved.
function painter(map, pane, height, paint) {
  if (!map.getPane(pane)) {
    map.createPane(pane);
    map.getPane(pane).style.zIndex = height;
    map.getPane(pane).style.pointerEvents = "none";
  }
  const Painter = L.Renderer.extend({
    options: { padding: 0.25, pane },
    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.setAttribute("aria-hidden", "true");
    },
    _destroyContainer() { this._container.remove(); },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      this.repaint();
    },
    repaint() {
      if (!this._map || !this._bounds) return;
      const { min } = this._bounds;
      const size = this._bounds.getSize();
      const sharp = Math.min(2, devicePixelRatio || 1);
      L.DomUtil.setPosition(this._container, min);
      this._container.width = size.x * sharp;
      this._container.height = size.y * sharp;
      this._container.style.width = `${size.x}px`;
      this._container.style.height = `${size.y}px`;
      const context = this._container.getContext("2d");
      context.scale(sharp, sharp);
      context.translate(-min.x, -min.y);
      context.lineCap = context.lineJoin = "round";
      paint(context, this._container);
    },
  });
  return new Painter().addTo(map);
}

// The box that is asked for: wider than what is seen, on a grid, so that small moves and other readers ask the same.
function snapped(bounds) {
  const wide = bounds.pad(0.25);
  if (!(across(wide) > 0 && across(wide) < WIDEST_DEGREES)) return null;
  const step = 2 ** Math.ceil(Math.log2(across(wide) / 10));
  const down = (value) => Math.floor(value / step) * step;
  const up = (value) => Math.ceil(value / step) * step;
  return L.latLngBounds([Math.max(-85, down(wide.getSouth())), down(wide.getWest())], [Math.min(85, up(wide.getNorth())), up(wide.getEast())]);
}

function across(box) {
  return box.getEast() - box.getWest();
}

function address(box) {
  const round = (longitude) => ((((longitude + 180) % 360) + 360) % 360) - 180;
  return [round(box.getWest()), box.getSouth(), round(box.getEast()) || 0, box.getNorth()].map((n) => Number(n.toFixed(6))).join(",");
}

// Points as places on a world 256 wide; at zoom z they lie 2^z times as far.
function world(line) {
  return line.map(([longitude, latitude]) => {
    const sine = Math.sin((Math.max(-85, Math.min(85, latitude)) * Math.PI) / 180);
    return [((longitude + 180) / 360) * 256, (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 256];
  });
}

function prepared({ geometry: { type, coordinates }, properties: { kind, name = "" } }) {
  const rings = type === "LineString" ? [coordinates] : type === "MultiPolygon" ? coordinates.flat() : coordinates;
  return { kind, text: name, lines: rings.map(world) };
}

// From places of the world to pixels of the map's panes, on whichever side of 180 degrees the map is.
function projection(map) {
  const scale = 2 ** map.getZoom();
  const origin = map.getPixelOrigin();
  const middle = ((map.getCenter().lng + 180) / 360) * 256;
  return ([x, y]) => [(x + 256 * Math.round((middle - x) / 256)) * scale - origin.x, y * scale - origin.y];
}

function width(kind, map) {
  const { metres, least, most } = KINDS[kind];
  const metresAPixel = (FULL_CIRCLE_M * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom());
  return Math.max(least, Math.min(most, metres / metresAPixel));
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--map-${name}`).trim();
}

function trace(context, lines, place) {
  for (const line of lines) {
    line.forEach((point, at) => (at ? context.lineTo(...place(point)) : context.moveTo(...place(point))));
  }
}

function paintGround(context, map, features) {
  const place = projection(map);
  const colour = colours();
  const zoom = map.getZoom();
  const of = Object.groupBy ? Object.groupBy(features, ({ kind }) => kind) : grouped(features);
  for (const kind of AREAS) {
    context.fillStyle = colour(kind);
    for (const { lines } of of[kind] ?? []) {
      context.beginPath();
      trace(context, lines, place);
      context.fill("evenodd");
    }
  }
  const stroke = (kind, name, wide, dash = []) => {
    if (!of[kind] || zoom < KINDS[kind].from) return;
    context.beginPath();
    for (const { lines } of of[kind]) trace(context, lines, place);
    context.strokeStyle = colour(name);
    context.lineWidth = wide;
    context.setLineDash(dash);
    context.stroke();
    context.setLineDash([]);
  };
  stroke("stream", "water", width("stream", map));
  const rail = width("rail", map);
  stroke("rail", "rail", rail);
  if (rail > 1.4) stroke("rail", "land", rail * 0.55, [5, 6]);
  stroke("path", "path", width("path", map), zoom > 15.5 ? [3, 3.5] : []);
  for (const kind of LINES.slice(1)) if (width(kind, map) > 2.6) stroke(kind, "edge", width(kind, map) + 1.6);
  for (const kind of LINES.slice(1)) stroke(kind, width(kind, map) > 2.6 ? kind : "thin", width(kind, map));
}

function grouped(features) {
  const of = {};
  for (const feature of features) (of[feature.kind] ??= []).push(feature);
  return of;
}

// Own names first, then those of the ground, the larger things first; a name that finds no free place is left out.
function paintNames(context, map, own, features) {
  const place = projection(map);
  const colour = colours();
  const zoom = map.getZoom();
  const family = getComputedStyle(map.getContainer()).fontFamily;
  const view = L.bounds(map.containerPointToLayerPoint([6, 6]), map.containerPointToLayerPoint(map.getSize().subtract([6, 6])));
  const taken = new Taken();
  const drawn = new Set();
  const mine = new Set(own.map(({ text }) => text));
  const put = (text, spot, ink) => {
    write(context, spot, ink, colour("halo"));
    drawn.add(text);
    return true;
  };
  const along = ({ text, lines, weight = 0 }, font, ink) => {
    context.font = font;
    const lift = weight ? weight / 2 + 8 : 0;
    return lines.some((line) => {
      const seen = visible(line.map(place), view);
      // Beside its line a name stands below, or else above; it reads from left to right either way.
      return (lift ? [lift, -lift] : [0]).some((side) => {
        const spot = spotOn(beside(seen, side), text, context, taken, false) ?? spotOn(beside(seen, -side), text, context, taken, true);
        return spot && put(text, spot, ink);
      });
    });
  };
  const level = ({ text, lines, weight }, font, ink) => {
    context.font = font;
    return lines.some((line) => {
      const spot = spotNear(visible(line.map(place), view), text, context, taken, view, weight / 2 + 9);
      return spot && put(text, spot, ink);
    });
  };
  for (const name of own) {
    const ink = colour("own-name");
    const [usual, small] = [`650 12.5px ${family}`, `650 11px ${family}`];
    if (!along(name, usual, ink) && !along(name, small, ink) && zoom >= LEVEL_FROM) level(name, small, ink);
  }
  for (const feature of features) {
    const { kind, text } = feature;
    if (!text || drawn.has(text) || mine.has(text)) continue;
    if (KINDS[kind]) {
      if (zoom < KINDS[kind].named) continue;
      const style = kind === "stream" ? `italic 500 11.5px ${family}` : `500 ${kind === "path" ? 10.5 : 11.5}px ${family}`;
      along(feature, style, colour(kind === "stream" ? "water-name" : "name"));
    } else if (zoom >= 14 && within(context, feature, text, place, view, taken, `italic 500 11.5px ${family}`)) {
      context.textAlign = "center";
      context.textBaseline = "middle";
      halo(context, text, ...feature.middle, colour(kind === "water" ? "water-name" : "green-name"), colour("halo"));
      drawn.add(text);
    }
  }
  return [...drawn];
}

// The longest stretch of a line that can be seen.
function visible(line, view) {
  let best = [];
  let run = [];
  const close = () => {
    if (reach(run) > reach(best)) best = run;
    run = [];
  };
  for (const [x, y] of line) {
    if (view.contains([x, y])) run.push([x, y]);
    else close();
  }
  close();
  return best;
}

function reach(line) {
  let total = 0;
  for (let at = 1; at < line.length; at += 1) total += Math.hypot(line[at][0] - line[at - 1][0], line[at][1] - line[at - 1][1]);
  return total;
}

// A line so many pixels to the right of another, as one looks along it.
function beside(line, away) {
  if (!away) return line;
  return line.map(([x, y], at) => {
    const [ax, ay] = line[Math.max(0, at - 1)];
    const [bx, by] = line[Math.min(line.length - 1, at + 1)];
    const long = Math.hypot(bx - ax, by - ay) || 1;
    return [x - ((by - ay) / long) * away, y + ((bx - ax) / long) * away];
  });
}

// Where along a line a name is free of others and does not turn too sharply: its letters, each with place and angle.
function spotOn(line, text, context, taken, isBackwards) {
  const letters = RIGHT_TO_LEFT.test(text) ? [text] : [...text];
  const widths = letters.map((letter) => context.measureText(letter).width);
  const wide = widths.reduce((sum, one) => sum + one, 0);
  const total = reach(line);
  if (total < wide + 12) return null;
  for (const share of PLACES) {
    const from = Math.max(4, Math.min(total - wide - 4, share * total - wide / 2));
    if (pointAt(line, from + wide).x < pointAt(line, from).x !== isBackwards) continue;
    const spot = [];
    let at = from;
    const order = letters.map((_, n) => (isBackwards ? letters.length - 1 - n : n));
    for (const n of order) {
      const { x, y, angle } = pointAt(line, at + widths[n] / 2);
      spot.push({ letter: letters[n], x, y, angle: isBackwards ? angle + Math.PI : angle, wide: widths[n] });
      at += widths[n];
    }
    if (bends(spot)) continue;
    const discs = spot.flatMap(({ x, y, angle, wide: one }) => {
      const many = Math.max(1, Math.ceil(one / 10));
      return Array.from({ length: many }, (_, n) => {
        const away = one * ((n + 0.5) / many - 0.5);
        return [x + away * Math.cos(angle), y + away * Math.sin(angle)];
      });
    });
    if (taken.isFree(discs)) {
      taken.take(discs);
      return spot;
    }
  }
  return null;
}

// Where a name stands level near the middle of a line that is too short or too crooked for it.
function spotNear(line, text, context, taken, view, away) {
  const total = reach(line);
  const wide = context.measureText(text).width;
  if (total < wide / 2) return null;
  const { x, y } = pointAt(line, total / 2);
  for (const [right, down] of [[0, 1], [0, -1], [1, 0], [-1, 0]]) {
    const middle = [x + right * (away + wide / 2), y + down * away];
    const discs = row(...middle, wide);
    if (discs.every((disc) => view.contains(disc)) && taken.isFree(discs)) {
      taken.take(discs);
      return [{ letter: text, x: middle[0], y: middle[1], angle: 0, wide }];
    }
  }
  return null;
}

// The discs of a name that stands level.
function row(x, y, wide) {
  const many = Math.ceil(wide / 10);
  return Array.from({ length: many + 1 }, (_, n) => [x - wide / 2 + (n * wide) / many, y]);
}

function bends(spot) {
  for (let at = 1; at < spot.length; at += 1) {
    const turn = Math.abs(spot[at].angle - spot[at - 1].angle) % (2 * Math.PI);
    if (Math.min(turn, 2 * Math.PI - turn) > TURN_MOST) return true;
  }
  return false;
}

function pointAt(line, distance) {
  let left = distance;
  for (let at = 1; at < line.length; at += 1) {
    const [ax, ay] = line[at - 1];
    const [bx, by] = line[at];
    const step = Math.hypot(bx - ax, by - ay);
    if (left <= step || at === line.length - 1) {
      const share = step ? left / step : 0;
      return { x: ax + share * (bx - ax), y: ay + share * (by - ay), angle: Math.atan2(by - ay, bx - ax) };
    }
    left -= step;
  }
  return { x: 0, y: 0, angle: 0 };
}

// Whether the name of an area fits in it; its place is then `feature.middle`.
function within(context, feature, text, place, view, taken, font) {
  context.font = font;
  const wide = context.measureText(text).width;
  const ring = feature.lines[0].map(place);
  const xs = ring.map(([x]) => x);
  if (Math.max(...xs) - Math.min(...xs) < wide * 0.85) return false;
  let [area, x, y] = [0, 0, 0];
  for (let at = 1; at < ring.length; at += 1) {
    const cross = (ring[at - 1][0] - ring[0][0]) * (ring[at][1] - ring[0][1]) - (ring[at][0] - ring[0][0]) * (ring[at - 1][1] - ring[0][1]);
    area += cross;
    x += cross * (ring[at - 1][0] + ring[at][0] + ring[0][0]);
    y += cross * (ring[at - 1][1] + ring[at][1] + ring[0][1]);
  }
  if (!area || Math.sqrt(Math.abs(area) / 2) < wide * 0.45) return false;
  feature.middle = [x / area / 3, y / area / 3];
  const discs = row(...feature.middle, wide);
  if (!discs.every((disc) => view.contains(disc)) || !taken.isFree(discs)) return false;
  taken.take(discs);
  return true;
}

function write(context, spot, ink, behind) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const isHalo of [true, false]) {
    for (const { letter, x, y, angle } of spot) {
      context.save();
      context.translate(x, y);
      context.rotate(angle);
      if (isHalo) outline(context, letter, 0, 0, behind);
      else {
        context.fillStyle = ink;
        context.fillText(letter, 0, 0);
      }
      context.restore();
    }
  }
}

function outline(context, text, x, y, behind) {
  context.strokeStyle = behind;
  context.lineWidth = 3.5;
  context.strokeText(text, x, y);
}

function halo(context, text, x, y, ink, behind) {
  outline(context, text, x, y, behind);
  context.fillStyle = ink;
  context.fillText(text, x, y);
}

// What of the map names have taken, as discs.
class Taken {
  constructor() {
    this.cells = new Map();
  }

  isFree(discs) {
    return discs.every(([x, y]) => {
      for (let column = -1; column <= 1; column += 1) {
        for (let row = -1; row <= 1; row += 1) {
          for (const [otherX, otherY] of this.cells.get(this.key(x + 24 * column, y + 24 * row)) ?? []) {
            if (Math.hypot(otherX - x, otherY - y) < 15) return false;
          }
        }
      }
      return true;
    });
  }

  take(discs) {
    for (const [x, y] of discs) {
      const key = this.key(x, y);
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push([x, y]);
    }
  }

  key(x, y) {
    return `${Math.floor(x / 24)},${Math.floor(y / 24)}`;
  }
}
