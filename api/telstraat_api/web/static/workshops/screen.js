// The wall: what everybody looks at, large, with the notes as they come; later the groups, the votes, what is agreed.

import { begin, element, fill, noteCard, one, room, votesOf, words } from "./room.js";

const LATEST = 3;

function bars(entries) {
  const most = Math.max(1, ...entries.map(([, votes]) => votes));
  return element("ul", { class: "wall-bars" }, ...entries.slice(0, 8).map(([text, votes]) => element("li", {},
    element("span", { class: "what", dir: "auto" }, text), element("progress", { max: most, value: votes, "aria-hidden": "true" }), element("b", {}, String(votes)))));
}

function draw() {
  const notes = [...room.notes.values()].sort((a, b) => b.id - a.id);
  const groups = [...room.groups.values()];
  const place = one("[data-notes]");
  const { phase } = room.state;
  if (phase === "agree") {
    const agreed = notes.filter((note) => note.kind === "agreement").reverse();
    place.replaceChildren(element("h2", {}, words.kind_agreement), element("ol", { class: "agreed" }, ...agreed.map((note) => element("li", { dir: "auto" }, note.body))));
    if (agreed.length) return;
  }
  if (phase === "vote" || phase === "agree") {
    const alone = notes.filter((note) => !note.group && note.kind !== "agreement").map((note) => [note.body, note.votes]);
    const entries = [...groups.map((group) => [group.title, votesOf(group)]), ...alone].sort((a, b) => b[1] - a[1]);
    place.replaceChildren(element("p", { class: "wall-figure" }, fill(words.voters, { n: room.voters })), bars(entries));
    return;
  }
  if (phase === "group" && groups.length) {
    const entries = groups.map((group) => [group.title, notes.filter((note) => note.group === group.id).length]);
    place.replaceChildren(bars(entries));
    return;
  }
  place.replaceChildren(element("ul", { class: "room-notes" }, ...notes.slice(0, LATEST).map((note) => noteCard(note))));
}

begin(draw);
