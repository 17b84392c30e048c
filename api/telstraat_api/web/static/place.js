// What both maps share: no tiles unless the operator has some, a quiet grid instead, and lines for streets.

export function ground(element, { tiles = "", attribution = "", interactive = true } = {}) {
  const map = L.map(element, {
    zoomControl: interactive, dragging: interactive, scrollWheelZoom: interactive, doubleClickZoom: interactive,
    boxZoom: interactive, keyboard: interactive, touchZoom: interactive, attributionControl: Boolean(tiles),
    zoomSnap: 0.25,
  });
  if (tiles) {
    map.attributionControl.setPrefix(false);
    L.tileLayer(tiles, { attribution, maxZoom: 20 }).addTo(map);
  } else {
    const Grid = L.GridLayer.extend({
      createTile() {
        const tile = document.createElement("div");
        tile.className = "grid-tile";
        return tile;
      },
    });
    new Grid({ tileSize: 128 }).addTo(map);
  }
  L.control.scale({ imperial: false }).addTo(map);
  return map;
}

export function points(geometry) {
  return geometry.coordinates.map(([lon, lat]) => [lat, lon]);
}

export function letter(map, at, text) {
  const icon = L.divIcon({ className: "letter", html: "", iconSize: [22, 22] });
  const marker = L.marker(at, { icon, interactive: false, keyboard: false }).addTo(map);
  marker.getElement().textContent = text;
  return marker;
}
