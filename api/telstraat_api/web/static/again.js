// Looks again and again at what a worker is doing (`data-again` says where), and shows the page anew when it has ended.

const AGAIN_MS = 1500;
const SLOWER_MS = 10000;

async function look() {
  const part = document.querySelector("[data-again]");
  if (!part) return;
  let wait = document.hidden ? SLOWER_MS : AGAIN_MS;
  try {
    const answer = await fetch(part.dataset.again, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-again]");
      if (!fresh) {
        location.replace(location.pathname);
        return;
      }
      // A button that somebody is about to press stays where it is.
      if (!part.contains(document.activeElement)) part.replaceWith(fresh);
    }
  } catch {
    wait = SLOWER_MS;
  }
  setTimeout(look, wait);
}

setTimeout(look, AGAIN_MS);
