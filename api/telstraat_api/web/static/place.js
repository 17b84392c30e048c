// What all maps share: tiles if the operator has some, else the imported ground, else a quiet grid; and lines for streets.

import { addGround } from "./ground.js";

export function ground(element, { tiles = "", attribution = "" } = {}) {
  const map = L.map(element, {
    attributionControl: Boolean(tiles), zoomSnap: 0.25, minZoom: 3, maxZoom: 19,
  });
  if (tiles) {
    map.attributionControl.setPrefix(false);
    const to = Number(new URL(tiles, location.origin).searchParams.get("to"));  // a file of tiles ends at some zoom
    L.tileLayer(tiles, { attribution, maxZoom: 20, ...(to ? { maxNativeZoom: to } : {}) }).addTo(map);
  } else {
    map.ground = addGround(map);
    const lines = grid();
    map.on("ground", ({ isEmpty }) => (isEmpty ? lines.addTo(map) : lines.remove()));
  }
  L.control.scale({ imperial: false }).addTo(map);
  return map;
}

function grid() {
  const Grid = L.GridLayer.extend({
    createTile() {
      const tile = document.createElement("div");
      tile.className = "grid-tile";
      return tile;
    },
  });
  return new Grid({ tileSize: 128 });
}

export function points(geometry) {
  return geometry.coordinates.map(([lon, lat]) => [lat, lon]);
}
