// Draws the page's charts: the specs come with the page, the colours from its style sheet.

const KINDS = document.body.dataset.classes.split(" ");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function theme() {
  const ink = colour("ink-soft");
  const line = colour("line");
  const axis = { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    padding: { left: 2, right: 6, top: 6, bottom: 2 },
    view: { stroke: null },
    axis: { ...axis, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8 },
    legend: { labelColor: ink, titleColor: ink, ...(innerWidth < 480 ? { columns: 1 } : {}) },
    range: { category: KINDS.map((kind) => colour(kind)) },
    bar: { color: colour("car") },
    rule: { color: colour("ink") },
    text: { color: colour("ink"), fontSize: 12 },
  };
}

// Numbers on axes, as the page's language writes them.
function numberLocale() {
  const parts = new Intl.NumberFormat(document.documentElement.lang).formatToParts(1234567.8);
  const mark = (type) => parts.find((part) => part.type === type)?.value ?? "";
  return { decimal: mark("decimal"), thousands: mark("group"), grouping: [3], currency: ["", ""] };
}

const views = new Map();

export function view(id) {
  return views.get(id);
}

export async function draw(scope) {
  const places = [...scope.querySelectorAll("[data-chart]")];
  await Promise.all(places.map(async (place) => {
    const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    views.get(place.dataset.chart)?.finalize();
    const { view } = await window.vegaEmbed(place, spec, {
      actions: false, ast: true, config: theme(), defaultStyle: false, formatLocale: numberLocale(), renderer: "svg",
      tooltip: { disableDefaultStyle: true },
    });
    // The chart's own elements would repeat its label to a screen reader, row by row.
    place.querySelector("svg")?.setAttribute("aria-hidden", "true");
    views.set(place.dataset.chart, view);
  }));
}
