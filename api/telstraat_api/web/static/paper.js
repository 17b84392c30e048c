// Waits for what is being set, then opens it in this page's place; a browser that keeps it as a file finds the link to it.

const part = document.querySelector("[data-paper]");
try {
  const answer = await fetch(location.href, { headers: { Accept: "application/pdf" } });
  await answer.body?.cancel();
} finally {
  part.removeAttribute("aria-busy");
  part.querySelector("[data-busy]").hidden = true;
  part.querySelector("[data-done]").hidden = false;
  location.replace(location.href);
}
