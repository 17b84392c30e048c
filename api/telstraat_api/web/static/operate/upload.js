// While a worker reads a file, its page is fetched anew; shows only the fields that fit the kind of file.

const POLL_MS = 1200;

async function renew() {
  const busy = document.querySelector("[data-busy]");
  if (!busy) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (answer?.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector("[data-busy]")) return location.reload();
    busy.replaceWith(document.adoptNode(fresh.querySelector("[data-busy]")));
  }
  setTimeout(renew, POLL_MS);
}

function fit() {
  const kind = document.querySelector("[name=kind]:checked")?.value;
  if (!kind) return;
  for (const part of document.querySelectorAll("[data-kind]")) {
    part.hidden = part.dataset.kind !== kind;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = part.hidden;
  }
}

for (const choice of document.querySelectorAll("[name=kind]")) choice.addEventListener("change", fit);
fit();
setTimeout(renew, POLL_MS);
