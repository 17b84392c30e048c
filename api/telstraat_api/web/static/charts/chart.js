// Brings charts alive that came as pictures: reading by pointer, touch and keys, selecting, switching, fresh ones in place.
// All numbers come from a chart's own table, so what is said is what stands there.
"use strict";
window.charts = (() => {
  const WIDTH = 4000;
  const HEIGHT = 1000;
  const SVG = "http://www.w3.org/2000/svg";
  const states = new WeakMap();
  const canvasOf = (node) => node?.closest?.("figure[data-chart] .canvas");
  const stateOf = (figure) => {
    if (!states.has(figure)) states.set(figure, { row: -1, anchor: null, stretch: null });
    return states.get(figure);
  };
  const rowsOf = (figure) => [...figure.querySelectorAll("[data-rows] tbody tr[data-at]")];
  const startOf = (row) => Number(row.dataset.at);
  const endOf = (row) => startOf(row) + Number(row.dataset.n ?? row.parentElement.dataset.n);
  const ends = (figure) => [Number(figure.dataset.from), Number(figure.dataset.until)];
  const placeOf = (figure, at) => {
    const [from, until] = ends(figure);
    return Math.min(1, Math.max(0, (at - from) / (until - from)));
  };
  const isTime = (figure) => figure.dataset.chart === "time";
  const stamp = (minutes) => new Date(minutes * 60_000).toISOString().replace(".000", "");
  const outward = (figure, at) => (isTime(figure) ? stamp(at) : at);

  function spell(figure, at, isEnd) {
    if (!isTime(figure)) return rowsOf(figure).find((row) => startOf(row) <= at && at < endOf(row))?.cells[0].textContent ?? String(at);
    const [from, until] = ends(figure);
    const day = until - from > 25 * 60 ? { day: "numeric", month: "short" } : {};
    if (isEnd && until - from > 40 * 24 * 60) at -= 1; // the last day, not the one after it
    const clock = until - from > 40 * 24 * 60 ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return new Intl.DateTimeFormat(document.documentElement.lang, { ...day, ...clock, timeZone: figure.dataset.zone }).format(new Date(at * 60_000));
  }

  // A rectangle over the whole height; made once per chart and kind.
  function overlay(figure, kind) {
    const plot = figure.querySelector(".plot");
    let box = plot.querySelector(`.${kind}`);
    if (!box) {
      box = document.createElementNS(SVG, "rect");
      box.setAttribute("class", kind);
      box.setAttribute("height", "100%");
      plot.append(box);
    }
    return box;
  }

  function cover(figure, kind, from, until) {
    const box = overlay(figure, kind);
    const left = placeOf(figure, from);
    box.setAttribute("x", `${left * 100}%`);
    box.setAttribute("width", `${(placeOf(figure, until) - left) * 100}%`);
  }

  function at(figure, clientX) {
    const box = figure.querySelector(".plot").getBoundingClientRect();
    const [from, until] = ends(figure);
    return from + Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * (until - from);
  }

  function rowAt(figure, moment) {
    const rows = rowsOf(figure);
    const index = rows.findIndex((row) => moment < endOf(row));
    return index < 0 ? rows.length - 1 : index;
  }

  function say(figure, text) {
    let line = figure.querySelector(".aloud");
    if (!line) {
      line = document.createElement("p");
      line.className = "unseen aloud";
      line.setAttribute("aria-live", "polite");
      figure.append(line);
    }
    line.textContent = text;
  }

  function element(name, text, kind) {
    const node = document.createElement(name);
    if (text) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }

  function show(figure, index, aloud) {
    const row = rowsOf(figure)[index];
    if (!row) return;
    stateOf(figure).row = index;
    cover(figure, "cursor", startOf(row), endOf(row));
    const canvas = figure.querySelector(".canvas");
    let box = canvas.querySelector(".says");
    if (!box) canvas.append((box = element("div", "", "says")));
    const heads = row.closest("table").tHead.rows[0].cells;
    const [name, ...cells] = row.cells;
    box.replaceChildren(element("b", name.textContent));
    const texts = [];
    cells.forEach((cell, n) => {
      const line = element("span");
      const head = heads[n + 1];
      if (cell.colSpan > 1 || cell.classList.contains("state")) line.textContent = cell.textContent;
      else {
        if (head.dataset.key) line.append(element("i", "", [...head.classList].find((kind) => kind.startsWith("is-"))));
        line.append(element("em", head.textContent), document.createTextNode(cell.textContent));
      }
      texts.push(cell.colSpan > 1 ? cell.textContent : `${head.textContent} ${cell.textContent}`);
      box.append(line);
    });
    const room = canvas.getBoundingClientRect();
    const plot = figure.querySelector(".plot").getBoundingClientRect();
    const left = plot.left - room.left + placeOf(figure, (startOf(row) + endOf(row)) / 2) * plot.width;
    const width = box.offsetWidth;
    const beside = left + 14 + width > room.width ? left - width - 14 : left + 14;
    box.style.left = `${Math.max(0, Math.min(room.width - width, beside))}px`;
    if (aloud) say(figure, `${name.textContent}: ${texts.join(", ")}`);
  }

  function hide(figure) {
    figure.querySelector(".says")?.remove();
    figure.querySelector(".plot .cursor")?.remove();
  }

  // Words of the page with what stands for their names.
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  function choose(figure, from, until, isDone) {
    const state = stateOf(figure);
    state.stretch = from === null ? null : [Math.min(from, until), Math.max(from, until)];
    figure.querySelector(".chosen")?.remove();
    if (!state.stretch) {
      figure.querySelector(".plot .picked").setAttribute("width", 0);
      return;
    }
    [from, until] = state.stretch;
    cover(figure, "picked", from, until);
    if (!isDone) return;
    const words = JSON.parse(figure.dataset.words);
    const values = { from: spell(figure, from), until: spell(figure, isTime(figure) ? until : until - 1, true) };
    const line = element("p", "", "chosen");
    const text = element(figure.dataset.zoom ? "a" : "span", fill(figure.dataset.zoom ? words.zoom : words.selected, values));
    if (figure.dataset.zoom) {
      text.className = "button";
      text.href = fill(figure.dataset.zoom, { from: outward(figure, from), until: outward(figure, until) });
    }
    line.append(text);
    figure.querySelector(".canvas").after(line);
    say(figure, text.textContent);
    figure.dispatchEvent(new CustomEvent("chart:select", { bubbles: true, detail: { from: outward(figure, from), until: outward(figure, until) } }));
  }

  function pick(figure, index) {
    const row = rowsOf(figure)[index];
    if (!row) return;
    figure.dispatchEvent(new CustomEvent("chart:pick", { bubbles: true, detail: { at: outward(figure, startOf(row)), until: outward(figure, endOf(row)) } }));
  }

  let drag = null;
  // A stretch has whole slots: the edge of the row on its side.
  const edge = (figure, moment, isEnd) => {
    const row = rowsOf(figure)[rowAt(figure, moment)];
    if (!row) return moment;
    if (endOf(row) - startOf(row) > (ends(figure)[1] - ends(figure)[0]) / 12) return Math.round(moment / 15) * 15;
    return isEnd ? endOf(row) : startOf(row);
  };

  addEventListener("pointerdown", (event) => {
    const canvas = canvasOf(event.target);
    if (!canvas || event.button || event.target.closest("a")) return;
    const figure = canvas.closest("figure");
    drag = { figure, from: at(figure, event.clientX), x: event.clientX, moved: false };
    if (event.pointerType === "mouse") event.preventDefault(); // no text is selected
    canvas.focus({ preventScroll: true });
    show(figure, rowAt(figure, drag.from));
  });
  addEventListener("pointermove", (event) => {
    const canvas = drag ? drag.figure.querySelector(".canvas") : canvasOf(event.target);
    if (!canvas) return;
    const figure = canvas.closest("figure");
    const moment = at(figure, event.clientX);
    show(figure, rowAt(figure, moment));
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) < 6)) return;
    drag.moved = true;
    const [low, high] = [Math.min(drag.from, moment), Math.max(drag.from, moment)];
    choose(figure, edge(figure, low), edge(figure, high, true));
  });
  addEventListener("pointerup", () => {
    if (!drag) return;
    const { figure, moved, from } = drag;
    drag = null;
    const stretch = stateOf(figure).stretch;
    if (moved && stretch) choose(figure, ...stretch, true);
    else if (!moved) {
      choose(figure, null);
      pick(figure, rowAt(figure, from));
    }
  });
  addEventListener("pointercancel", () => {
    if (drag?.moved) choose(drag.figure, null);
    drag = null;
  });
  document.addEventListener("pointerout", (event) => {
    const canvas = canvasOf(event.target);
    if (canvas && !drag && !canvas.contains(event.relatedTarget) && document.activeElement !== canvas) hide(canvas.closest("figure"));
  });
  document.addEventListener("focusout", (event) => {
    const canvas = canvasOf(event.target);
    if (canvas && !canvas.contains(event.relatedTarget)) hide(canvas.closest("figure"));
  });

  const STEPS = { ArrowRight: 1, ArrowLeft: -1, PageDown: 12, PageUp: -12 };
  document.addEventListener("keydown", (event) => {
    const canvas = event.target.matches?.("figure[data-chart] .canvas") && event.target;
    if (!canvas || event.ctrlKey || event.metaKey || event.altKey) return;
    const figure = canvas.closest("figure");
    const state = stateOf(figure);
    const rows = rowsOf(figure);
    if (!rows.length) return;
    if (event.key === "Escape") {
      choose(figure, null);
      hide(figure);
      state.anchor = null;
      return;
    }
    if (event.key === "Enter" && state.row >= 0) {
      pick(figure, state.row);
      return;
    }
    const next = { Home: 0, End: rows.length - 1 }[event.key] ?? (state.row < 0 ? (event.key === "ArrowLeft" ? rows.length - 1 : 0) : state.row + STEPS[event.key]);
    if (!(event.key in STEPS || event.key === "Home" || event.key === "End") || Number.isNaN(next)) return;
    event.preventDefault();
    const index = Math.min(rows.length - 1, Math.max(0, next));
    if (event.shiftKey) {
      state.anchor ??= Math.max(0, state.row);
      const [low, high] = [Math.min(state.anchor, index), Math.max(state.anchor, index)];
      choose(figure, startOf(rows[low]), endOf(rows[high]), false);
    } else state.anchor = null;
    show(figure, index, true);
  });
  document.addEventListener("keyup", (event) => {
    const canvas = event.key === "Shift" && canvasOf(event.target);
    const figure = canvas && canvas.closest("figure");
    if (figure && stateOf(figure).anchor !== null && stateOf(figure).stretch) {
      choose(figure, ...stateOf(figure).stretch, true);
      stateOf(figure).anchor = null;
    }
  });

  // Bars of what is switched on, stacked anew upon each other; the scale at the side stays.
  const BAR = /M(\d+) (-?\d+)v(-?\d+)h(\d+)v-?\d+z/g;
  function restack(figure) {
    const [low, high] = [Number(figure.dataset.low), Number(figure.dataset.high)];
    const ground = Math.round((high / (high - low)) * HEIGHT);
    const tops = new Map();
    for (const path of figure.querySelectorAll(".shapes .bars")) {
      path.dataset.whole ??= path.getAttribute("d");
      if (path.hasAttribute("hidden")) continue;
      path.setAttribute("d", path.dataset.whole.replace(BAR, (_, x, y, v, h) => {
        const key = `${x} ${v > 0}`;
        const base = tops.get(key) ?? ground;
        tops.set(key, base + Number(v));
        return `M${x} ${base}v${v}h${h}v${-v}z`;
      }));
    }
  }

  function flip(figure, key, isOff) {
    for (const shape of figure.querySelectorAll(".plot [data-series]")) if (shape.dataset.series === key) shape.toggleAttribute("hidden", isOff);
    for (const entry of figure.querySelectorAll(".legend [data-key]")) {
      if (entry.dataset.key !== key) continue;
      entry.classList.toggle("is-off", isOff);
      entry.querySelector("button")?.setAttribute("aria-pressed", String(!isOff));
    }
    restack(figure);
  }

  // What is switched off is remembered in the address: ?off=chart.key
  const offs = () => new URLSearchParams(location.search).getAll("off");
  function remember(figure, key, isOff) {
    const address = new URL(location.href);
    const left = address.searchParams.getAll("off").filter((entry) => entry !== `${figure.id}.${key}`);
    address.searchParams.delete("off");
    for (const entry of isOff ? [...left, `${figure.id}.${key}`] : left) address.searchParams.append("off", entry);
    history.replaceState(history.state, "", address);
  }

  function enliven(root) {
    const figures = root.matches?.("figure[data-chart]") ? [root] : [...root.querySelectorAll("figure[data-chart]")];
    for (const figure of figures) {
      const canvas = figure.querySelector(".canvas");
      const plot = canvas.querySelector(".plot");
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "application");
      canvas.setAttribute("aria-label", `${plot.getAttribute("aria-label")} ${JSON.parse(figure.dataset.words).keys}`);
      plot.setAttribute("aria-hidden", "true");
      // Pins lead to the notes below, which are read there: the Tab key goes past what is not read out.
      for (const link of plot.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
      for (const entry of figure.querySelectorAll(".legend [data-key]")) {
        if (entry.querySelector("a, button") || !figure.querySelector(`.plot [data-series="${CSS.escape(entry.dataset.key)}"]`)) continue;
        const button = element("button");
        button.type = "button";
        button.setAttribute("aria-pressed", "true");
        button.append(...entry.childNodes);
        entry.append(button);
        button.addEventListener("click", () => {
          const isOff = !entry.classList.contains("is-off");
          flip(figure, entry.dataset.key, isOff);
          remember(figure, entry.dataset.key, isOff);
        });
      }
      for (const entry of offs()) if (entry.startsWith(`${figure.id}.`)) flip(figure, entry.slice(figure.id.length + 1), true);
    }
  }

  // What a reader has done to a figure, to be done again to the one that takes its place.
  function hold(figure) {
    const state = stateOf(figure);
    const row = figure.querySelector(".says") && rowsOf(figure)[state.row];
    const before = { from: figure.dataset.from, until: figure.dataset.until, stretch: state.stretch, line: figure.querySelector(".chosen") };
    return (young) => {
      enliven(young);
      if (before.stretch && young.dataset.from === before.from && young.dataset.until === before.until) {
        stateOf(young).stretch = before.stretch;
        cover(young, "picked", ...before.stretch);
        if (before.line) young.querySelector(".canvas").after(before.line);
      }
      if (row) show(young, rowAt(young, startOf(row)));
    };
  }

  // Which element of a part has the focus, as something that the part's successor has, too.
  function holdFocus(part) {
    const active = part.contains(document.activeElement) && document.activeElement;
    if (!active) return () => {};
    const alike = (node) => node.tagName === active.tagName && node.className === active.className && node.textContent.trim() === active.textContent.trim();
    const figure = active.closest("figure[data-chart]")?.id;
    const key = active.closest("[data-key]")?.dataset.key;
    return (young) => {
      const scope = (figure && young.ownerDocument.getElementById(figure)) || young;
      const next = active.classList.contains("canvas") ? scope.querySelector(".canvas")
        : key ? scope.querySelector(`.legend [data-key="${CSS.escape(key)}"] :is(a, button)`)
        : (active.id && document.getElementById(active.id)) || [...scope.querySelectorAll(active.tagName)].find(alike);
      next?.focus({ preventScroll: true });
    };
  }

  const parse = (html) => new DOMParser().parseFromString(html, "text/html");
  const figuresOf = (part) => (part.matches("figure[data-chart]") ? [part] : [...part.querySelectorAll("figure[data-chart]")]);

  // Puts a fresh part of a page, or a figure, in the place of the one that stands there, and nothing jumps.
  function replace(part, fresh) {
    const young = typeof fresh === "string" ? parse(fresh).querySelector("figure[data-chart]") : fresh;
    if (!part || !young || (drag && part.contains(drag.figure))) return part;
    const again = new Map(figuresOf(part).map((figure) => [figure.id, hold(figure)]));
    const focus = holdFocus(part);
    for (const details of part.querySelectorAll("details[open][id]")) young.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
    const adopted = document.adoptNode(young);
    part.replaceWith(adopted);
    for (const figure of figuresOf(adopted)) (again.get(figure.id) ?? enliven)(figure);
    focus(adopted);
    return adopted;
  }

  // Shows what another address shows in the parts of the page that change: `data-fresh` with an id, and figures outside of them.
  let newest = 0;
  async function go(address, { remembers = true } = {}) {
    const turn = ++newest;
    let fresh = null;
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" } });
      if (answer.ok) fresh = parse(await answer.text());
    } catch { /* said below */ }
    if (turn !== newest) return; // somebody has gone on meanwhile
    if (!fresh) {
      if (remembers) location.assign(address);
      return;
    }
    if (remembers && address !== location.href) history.pushState(null, "", address);
    document.title = fresh.title;
    for (const part of document.querySelectorAll("[data-fresh], figure[data-chart]")) {
      if (!part.isConnected || part.parentElement.closest("[data-fresh]")) continue;
      replace(part, fresh.getElementById(part.id));
    }
    document.dispatchEvent(new CustomEvent("chart:fresh"));
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-chart-link]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href);
  });
  addEventListener("popstate", () => { if (document.querySelector("a[data-chart-link]")) go(location.href, { remembers: false }); });

  // What is being counted and not stored yet: bars upon each other in a slot, from UTC to UTC, by the key of their series.
  function provisional(figure, from, until, counts) {
    const shapes = figure.querySelector(".shapes");
    for (const old of shapes.querySelectorAll(".live")) old.remove();
    const [low, high] = [Number(figure.dataset.low), Number(figure.dataset.high)];
    const [left, right] = [from, until].map((time) => Math.round(placeOf(figure, new Date(time).getTime() / 60_000) * WIDTH));
    if (right <= left) return;
    let base = 0;
    for (const [key, n] of Object.entries(counts)) {
      const entry = figure.querySelector(`.legend [data-key="${CSS.escape(key)}"]`);
      if (!n || !entry || entry.classList.contains("is-off")) continue;
      const y = (value) => Math.round((Math.max(0, high - value) / (high - low)) * HEIGHT);
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", `bars live ${entry.classList[0]}`);
      path.setAttribute("d", `M${left + 2} ${y(base)}H${right - 2}V${y(base + n)}H${left + 2}z`);
      base += n;
      shapes.append(path);
    }
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => enliven(document));
  else enliven(document);
  return { enliven, replace, go, provisional };
})();
