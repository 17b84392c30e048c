// Whoever leads: forms are sent without leaving the page, notes are dragged into groups, everything is drawn as it changes.

import { begin, data, element, fill, noteCard, one, room, uuid, votesOf, words } from "./room.js";

const line = one("[data-line]");
const board = one("[data-board]");
const SHOWN_FIRST = 150;
let dragged = null;

async function doing(fields) {
  try {
    const answer = await fetch(`${data.base}/lead`, { method: "POST", body: new URLSearchParams(fields), headers: { accept: "application/json" } });
    if (!answer.ok) {
      const { errors } = answer.status === 422 ? await answer.json() : { errors: {} };
      line.textContent = Object.keys(errors ?? {}).length ? `${words.failed} ${Object.values(errors).join(" ")}` : words.failed;
      return false;
    }
    line.textContent = words.saved;
    return true;
  } catch {
    line.textContent = words.failed;
    return false;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-quiet]");
  if (!form) return;
  event.preventDefault();
  const fields = new FormData(form, event.submitter);
  fields.set("client_id", (form.dataset.once ??= uuid()));
  const what = fields.get("do");
  if (!(await doing(fields))) return;
  delete form.dataset.once;
  if (what === "add-group" || what === "agree") form.querySelectorAll("input[type=text], textarea").forEach((field) => { field.value = ""; });
  if (what === "reopen" || what === "renew" || what === "extend") location.reload();
  if (what === "block") people();
});

async function people() {
  if (one("[data-people-table]").contains(document.activeElement)) return; // nothing moves under the fingers
  try {
    const answer = await fetch(`${data.base}/people`);
    if (answer.ok) one("[data-people-table]").innerHTML = await answer.text(); // of our own server, which escapes every text
  } catch { /* next time */ }
}

function hidden(name, value) {
  return element("input", { type: "hidden", name, value });
}
function small(what, label, values, kind = "") {
  return element("form", { method: "post", action: `${data.base}/lead`, "data-quiet": true }, hidden("do", what), ...Object.entries(values).map(([name, value]) => hidden(name, value)), element("button", { type: "submit", class: `button ${kind}` }, label));
}

function tools(note) {
  // With sixty groups and hundreds of notes the choices are made when somebody chooses.
  const options = (groups) => [element("option", { value: "" }, words.alone), ...groups.map((group) => element("option", { value: group.id, ...(group.id === note.group ? { selected: true } : {}) }, group.title))];
  const own = room.groups.get(note.group);
  const choice = element("select", { name: "group", "aria-label": words.move_to }, ...options(own ? [own] : []));
  const complete = () => { if (choice.options.length !== room.groups.size + 1) choice.replaceChildren(...options([...room.groups.values()])); };
  for (const event of ["focus", "pointerdown", "pointerover"]) choice.addEventListener(event, complete);
  const move = element("form", { method: "post", action: `${data.base}/lead`, "data-quiet": true, class: "row" }, hidden("do", "move"), hidden("note", note.id), choice, element("button", { type: "submit", class: "button" }, words.move));
  return element("div", { class: "note-tools" }, move,
    small("hide", note.hidden ? words.unhide : words.hide, { note: note.id, hidden: note.hidden ? "no" : "yes" }),
    small("delete", words.delete, { note: note.id }, "is-danger"));
}

function card(note) {
  const item = noteCard(note, [tools(note)]);
  item.draggable = true;
  item.classList.toggle("is-hidden", Boolean(note.hidden));
  if (note.hidden) one(".kind", item).append(` · ${words.hidden}`);
  return item;
}

function column(group, notes) {
  const known = board.querySelector(`[data-group="${group.id}"]`);
  const section = known ?? element("section", { class: "column", "data-group": group.id }, element("h3", { dir: "auto" }), element("ul", { class: "room-notes" }));
  const votes = group.id ? votesOf(group) : 0;
  one("h3", section).replaceChildren(group.title, votes ? element("span", { class: "hint" }, ` ${fill(words.votes, { n: votes })}`) : "");
  if (group.id && !one(".group-tools", section)) {
    const rename = element("form", { method: "post", action: `${data.base}/lead`, "data-quiet": true, class: "row" }, hidden("do", "rename-group"), hidden("group", group.id), element("input", { name: "title", type: "text", maxlength: 80, value: group.title, required: true, "aria-label": words.group_name }), element("button", { type: "submit", class: "button" }, words.rename));
    one("h3", section).after(element("details", { class: "group-tools" }, element("summary", {}, words.change_group), rename, small("delete-group", words.take_apart, { group: group.id }, "is-danger")));
  }
  const list = one("ul", section);
  const most = Number(section.dataset.most ?? SHOWN_FIRST);
  list.replaceChildren(...notes.slice(0, most).map(card));
  if (notes.length > most) list.append(element("li", {}, element("button", { type: "button", class: "button", onclick: () => { section.dataset.most = most + SHOWN_FIRST; drawBoard(); } }, words.older)));
  return section;
}

// Nothing is drawn anew under the fingers: while somebody drags or chooses, the board waits.
let waiting = false;
function draw() {
  const busy = dragged || board.contains(document.activeElement) && document.activeElement.matches("select, input");
  if (busy) { waiting = true; } else drawBoard();
  one("[data-agreed]").replaceChildren(...[...room.notes.values()].filter((note) => note.kind === "agreement").map((note) => element("li", { dir: "auto" }, note.body)));
  for (const button of document.querySelectorAll('.phases button[name="phase"]')) button.setAttribute("aria-pressed", String(button.value === room.state.phase));
  for (const part of document.querySelectorAll("[data-if]")) part.hidden = (part.dataset.if === "collecting") !== room.state.collecting;
  document.querySelectorAll(".lead-bar, .lead-more").forEach((bar) => { bar.hidden = !room.state.open; });
}

function drawBoard() {
  waiting = false;
  const notes = [...room.notes.values()].filter((note) => note.kind !== "agreement").sort((a, b) => b.votes - a.votes || b.id - a.id);
  const groups = [{ id: "", title: words.alone, votes: 0 }, ...[...room.groups.values()].sort((a, b) => votesOf(b) - votesOf(a))];
  const focus = document.activeElement?.closest("[data-note]")?.dataset.note;
  board.replaceChildren(...groups.map((group) => column(group, notes.filter((note) => (group.id ? note.group === group.id : !note.group || !room.groups.has(note.group))))));
  if (focus) one(`[data-note="${focus}"] button`, board)?.focus();
}
board.addEventListener("focusout", () => setTimeout(() => { if (waiting && !dragged && !document.activeElement?.matches("[data-board] select, [data-board] input")) drawBoard(); }, 200));

board.addEventListener("dragstart", (event) => {
  const item = event.target.closest("[data-note]");
  if (!item) return;
  dragged = item.dataset.note;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged);
});
board.addEventListener("dragover", (event) => {
  const target = event.target.closest("[data-group]");
  if (!dragged || !target) return;
  event.preventDefault();
  board.querySelectorAll(".is-over-it").forEach((other) => other.classList.remove("is-over-it"));
  target.classList.add("is-over-it");
});
board.addEventListener("drop", (event) => {
  const target = event.target.closest("[data-group]");
  if (!dragged || !target) return;
  event.preventDefault();
  doing({ do: "move", note: dragged, group: target.dataset.group });
});
board.addEventListener("dragend", () => {
  dragged = null;
  board.querySelectorAll(".is-over-it").forEach((other) => other.classList.remove("is-over-it"));
  if (waiting) drawBoard();
});

let knownPeople = "";
let peopleTimer = 0;
begin(() => {
  draw();
  const now = `${room.people} ${room.notes.size}`;
  if (now !== knownPeople && knownPeople && !peopleTimer) peopleTimer = setTimeout(() => { peopleTimer = 0; people(); }, 2000);
  knownPeople = now;
}, { lead: true, onLine: (state) => { if (state !== "on") line.textContent = words.away; else if (line.textContent === words.away) line.textContent = words.back; } });
