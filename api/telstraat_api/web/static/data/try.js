// The API's addresses to try out: fields into an address, the answer below it. Nothing leaves for elsewhere, no key is stored.

const SHOWN_MAX = 20000;
const keyForm = document.querySelector("[data-key]");
keyForm.hidden = false;
keyForm.addEventListener("submit", (event) => event.preventDefault());

for (const form of document.querySelectorAll("[data-try]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}

function addressOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[data-in]")) {
    const value = field.value.trim();
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (field.dataset.in === "query" && value !== "") query.append(field.name, value);
  }
  return query.size ? `${path}?${query}` : path;
}

function line(text, tag = "p") {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

async function ask(form) {
  const out = form.querySelector("[data-answer]");
  const { method } = form.dataset;
  const address = addressOf(form);
  const key = document.getElementById("key").value.trim();
  const body = form.querySelector("[data-body]")?.value;
  const headers = { Accept: "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  const command = ["curl", method === "GET" ? "" : `-X ${method}`, `'${location.origin}${address}'`, key ? "-H 'Authorization: Bearer tst_...'" : "", body ? `-H 'Content-Type: application/json' -d '${body.replaceAll("'", "'\\''")}'` : ""];
  out.replaceChildren(line(command.filter(Boolean).join(" "), "pre"), line("…"));
  const began = performance.now();
  try {
    // A change is made with a key that was typed, never with the session of whoever reads the page.
    const answer = await fetch(address, { method, headers, body: method === "GET" ? undefined : body, credentials: method === "GET" ? "same-origin" : "omit" });
    const kind = answer.headers.get("content-type") ?? "";
    const text = /json|csv|text/.test(kind) ? await answer.text() : "";
    const took = Math.round(performance.now() - began);
    out.lastChild.remove();
    out.append(line(`${answer.status} ${answer.statusText} · ${kind} · ${took} ms`));
    const shown = line(pretty(kind, text).slice(0, SHOWN_MAX) + (text.length > SHOWN_MAX ? "\n…" : ""), "pre");
    shown.tabIndex = 0;
    if (text) out.append(shown);
  } catch (error) {
    out.lastChild.remove();
    out.append(line(String(error.message)));
  }
}

function pretty(kind, text) {
  try {
    return kind.includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
  } catch {
    return text;
  }
}
