// The open quarter of one's own sensor while its page is open; on the page of the first crossing, the first that is seen.

const card = document.querySelector("[data-own-live]");
const SILENT_AFTER_MS = 45_000;

function follow(address) {
  const numbers = card.querySelector("[data-numbers]");
  const note = card.querySelector("[data-note]");
  const first = card.querySelector("[data-first]");
  const format = new Intl.NumberFormat(document.documentElement.lang);
  let before = null;
  let isSeen = false;
  let silence = setTimeout(() => state("silent"), SILENT_AFTER_MS);

  function state(name) {
    card.dataset.state = name;
    const words = (first ?? note)?.dataset[name];
    if (words && !isSeen) (first ?? note).textContent = words;
  }

  function seen(live) {
    if (!first || isSeen) return;
    const names = first.dataset.names.split("|");
    const kinds = document.body.dataset.classes.split(" ");
    for (const [place, kind] of kinds.entries()) {
      for (const way of ["lft", "rgt"]) {
        const had = before?.period_start === live.period_start ? before.counts[kind][way] : 0;
        if (before && live.counts[kind][way] > had) {
          isSeen = true;
          first.textContent = `✓ ${names[place]}: ${way === "lft" ? first.dataset.toB : first.dataset.toA}`;
          first.classList.add("is-seen");
          return;
        }
      }
    }
    first.textContent = first.dataset.ready;
  }

  const source = new EventSource(address);
  source.addEventListener("live", (event) => {
    const live = JSON.parse(event.data);
    card.dataset.state = "live";
    numbers.hidden = false;
    for (const tile of numbers.querySelectorAll("[data-kind]")) {
      const { lft, rgt } = live.counts[tile.dataset.kind];
      tile.querySelector("[data-total]").textContent = format.format(lft + rgt);
      tile.querySelector("[data-lft]").textContent = format.format(lft);
      tile.querySelector("[data-rgt]").textContent = format.format(rgt);
    }
    if (note) note.textContent = note.dataset.soFar.replace("{minutes}", format.format(Math.round(live.observed_s / 6) / 10));
    seen(live);
    before = live;
    clearTimeout(silence);
    silence = setTimeout(() => state("silent"), SILENT_AFTER_MS);
  });
  source.addEventListener("lost", () => {
    source.close();
    isSeen = false;
    state("lost");
  });
}

if (card) follow(card.dataset.ownLive);
