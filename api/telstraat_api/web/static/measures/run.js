// Looks how far an evaluation is, and shows the page anew when it has ended; without this script the page loads itself again.

const AGAIN_MS = 1500;
const SLOWER_MS = 10000;

async function look() {
  const part = document.getElementById("run");
  if (!part || !["waiting", "running"].includes(part.dataset.state)) return;
  let wait = document.hidden ? SLOWER_MS : AGAIN_MS;
  try {
    const answer = await fetch(part.dataset.again, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("run");
      if (fresh && !["waiting", "running"].includes(fresh.dataset.state)) {
        location.replace(location.pathname);
        return;
      }
      // A button that somebody is about to press stays where it is.
      if (fresh && !part.contains(document.activeElement)) part.replaceWith(fresh);
    }
  } catch {
    wait = SLOWER_MS;
  }
  setTimeout(look, wait);
}

setTimeout(look, AGAIN_MS);
