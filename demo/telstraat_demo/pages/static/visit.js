// The line that says how full the town is, kept up to date until it is.
const line = document.querySelector("[data-demo-progress]");

async function look() {
  let wait = 1500;
  try {
    const answer = await fetch(line.dataset.demoProgress, { cache: "no-store" });
    const now = await answer.json();
    let text = line.dataset.filling.replace("{percent}", now.percent);
    if (now.full) text = line.dataset.evaluating;
    if (now.stories) text = line.dataset.ready;
    if (line.textContent.trim() !== text) line.textContent = text;
    if (now.stories) {
      line.setAttribute("role", "status");
      line.classList.add("is-ready");
      return;
    }
  } catch {
    wait = 4000;
  }
  setTimeout(look, wait);
}

if (line) look();
