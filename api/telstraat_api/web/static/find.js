// Offers the names of streets while one types: the same for every field that names a street.

const WAIT_MS = 150;

for (const field of document.querySelectorAll("input[data-find]")) {
  const offered = field.list;
  const withNumber = field.dataset.find === "number";
  let waiting;
  let asked = "";

  async function offer() {
    const text = field.value.trim();
    if (text === asked || [...offered.options].some((option) => option.value === field.value)) return;
    asked = text;
    const answer = await fetch(`/streets/named?q=${encodeURIComponent(text)}`);
    if (!answer.ok || asked !== text) return;
    const { streets } = await answer.json();
    offered.replaceChildren(...streets.map(({ id, name }) => {
      const option = document.createElement("option");
      option.value = withNumber ? `${name} (${id})` : name;
      return option;
    }));
  }

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(offer, WAIT_MS);
  });
  // The cross in a field of its own empties it, which is to find everything again.
  field.addEventListener("search", () => { if (field.value === "" && field.type === "search" && new URLSearchParams(location.search).get("q")) field.form.requestSubmit(); });
}
