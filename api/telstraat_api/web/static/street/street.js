// A street's page while somebody looks: live counts as they come, a fresh page whenever a report has been committed.

const street = document.querySelector("[data-live]");
const KINDS = document.body.dataset.classes.split(" ");
const QUARTER_MS = 15 * 60 * 1000;
const SILENT_AFTER_MS = 45_000;

const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: street.dataset.zone,
});
const number = new Intl.NumberFormat(document.documentElement.lang);

// The open quarter stands in the chart when that is one of quarters, both ways together.
let newest = null;
function drawLive() {
  const figure = document.getElementById("counts");
  const rows = figure?.querySelector("tbody");
  const way = new URLSearchParams(location.search).get("ways") ?? "both";
  if (newest && rows?.dataset.n === "15" && way === "both") window.charts.provisional(figure, newest.start, newest.end, newest.counts);
}

function follow() {
  const card = document.getElementById("live");
  const words = JSON.parse(document.getElementById("live-words").textContent);
  const note = document.getElementById("live-note");
  const bySensor = new Map();
  let silence = setTimeout(() => state("silent"), SILENT_AFTER_MS);

  function state(name) {
    card.dataset.state = name;
    if (words[name]) note.textContent = words[name];
  }

  function put(element, text) {
    if (element.textContent === text) return;
    const rose = element.textContent !== "–";
    element.textContent = text;
    if (rose) {
      element.classList.remove("bump");
      void element.offsetWidth; // starts the animation again
      element.classList.add("bump");
    }
  }

  function show(live) {
    const start = new Date(live.period_start);
    const end = new Date(start.getTime() + QUARTER_MS);
    const minutes = number.format(Math.round(live.observed_s / 6) / 10);
    const sees = live.observed_s > 0;
    note.textContent = !sees ? (live.light === "night" ? words.blind : words.unseeing) : words.so_far.replace("{from}", clock.format(start)).replace("{to}", clock.format(end)).replace("{minutes}", minutes);
    card.dataset.state = sees ? "live" : "blind";
    document.getElementById("live-progress").style.width = `${live.observed_s / 9}%`;
    const counts = {};
    for (const kind of KINDS) {
      const { lft, rgt } = live.counts[kind];
      const tile = card.querySelector(`[data-kind="${kind}"]`);
      // Who sees nothing counts nothing, which is no 0.
      for (const [part, n] of [["[data-total]", lft + rgt], ["[data-lft]", lft], ["[data-rgt]", rgt]]) put(tile.querySelector(part), sees ? number.format(n) : "–");
      counts[kind] = lft + rgt;
    }
    newest = sees ? { start, end, counts } : null;
    drawLive();
    clearTimeout(silence);
    silence = setTimeout(() => state("silent"), SILENT_AFTER_MS);
  }

  const source = new EventSource(street.dataset.live);
  source.addEventListener("live", (event) => {
    const live = JSON.parse(event.data);
    bySensor.set(live.sensor_id, live);
    // Of several sensors at one street, the one that has seen most of the newest quarter is shown.
    const best = [...bySensor.values()].sort((a, b) => b.period_start.localeCompare(a.period_start) || b.observed_s - a.observed_s)[0];
    show(best);
  });
  source.addEventListener("report", async (event) => {
    const at = new Date(JSON.parse(event.data).received_at);
    const known = document.getElementById("reported")?.dataset.at;
    if (known && at <= new Date(known)) return;
    await refresh();
    document.getElementById("said").textContent = words.said;
  });
  source.addEventListener("closing", () => state("away"));
  source.addEventListener("error", () => state("away"));
  source.addEventListener("open", () => { if (card.dataset.state === "away") state("waiting"); });
}

let refreshing = null;

function refresh() {
  refreshing ??= window.charts.go(location.href, { remembers: false }).finally(() => { refreshing = null; });
  return refreshing;
}

document.addEventListener("chart:fresh", drawLive);
if (street.dataset.today === "true") follow();
