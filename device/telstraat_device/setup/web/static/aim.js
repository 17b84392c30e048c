// The picture as it comes, what is tracked in it, and the line and masks that a finger draws. All places are shares of the picture.
const words = document.getElementById("words").dataset;
const canvas = document.getElementById("picture");
const paint = canvas.getContext("2d");
const byId = (id) => document.getElementById(id);
const token = document.querySelector("#aiming input[name=token]").value;
const view = JSON.parse(words.view);
const GRIP = 30; // pixels of the screen around an end that a finger takes
let tool = "line";
let end = 0;
let drag = null;
let frame = null;
let boxes = [];
let running = false;
let asking = new AbortController();

view.line ??= [0.5, 0.9, 0.5, 0.25];
const copy = (value) => JSON.parse(JSON.stringify(value));
const past = [];
const remember = () => { past.push(copy(view)); if (past.length > 50) past.shift(); };
const clamp = (value) => Math.min(1, Math.max(0, value));
const round = (value) => Math.round(value * 10000) / 10000;

function draw() {
  const { width, height } = canvas;
  paint.clearRect(0, 0, width, height);
  if (frame) paint.drawImage(frame, 0, 0, width, height);
  const unit = width / canvas.clientWidth || 1;
  paint.lineWidth = 2 * unit;
  paint.strokeStyle = "#7fe0ff";
  for (const [x, y, w, h] of boxes) paint.strokeRect((x - w / 2) * width, (y - h / 2) * height, w * width, h * height);
  paint.fillStyle = "rgb(20 26 33 / 92%)";
  paint.strokeStyle = "#ffffff";
  for (const mask of view.masks) {
    paint.beginPath();
    for (const [x, y] of mask) paint.lineTo(x * width, y * height);
    paint.closePath();
    paint.fill();
    paint.stroke();
  }
  drawLine(unit);
}

function drawLine(unit) {
  const { width, height } = canvas;
  const [x1, y1, x2, y2] = [view.line[0] * width, view.line[1] * height, view.line[2] * width, view.line[3] * height];
  paint.lineCap = "round";
  for (const [colour, wide] of [["rgb(0 0 0 / 60%)", 8], ["#f2b705", 4]]) {
    paint.strokeStyle = colour;
    paint.lineWidth = wide * unit;
    paint.beginPath();
    paint.moveTo(x1, y1);
    paint.lineTo(x2, y2);
    paint.stroke();
  }
  [[x1, y1], [x2, y2]].forEach(([x, y], at) => {
    paint.beginPath();
    paint.arc(x, y, 13 * unit, 0, 2 * Math.PI);
    paint.fillStyle = at === end && document.activeElement === canvas ? "#ffffff" : "#f2b705";
    paint.fill();
    paint.lineWidth = 3 * unit;
    paint.strokeStyle = "#1c242d";
    paint.stroke();
  });
}

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
};

function nearestEnd([x, y]) {
  const box = canvas.getBoundingClientRect();
  const away = [0, 1].map((at) => Math.hypot((view.line[2 * at] - x) * box.width, (view.line[2 * at + 1] - y) * box.height));
  const at = away[0] <= away[1] ? 0 : 1;
  return { at, away: away[at] };
}

canvas.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  remember();
  const from = place(event);
  if (tool === "mask") {
    view.masks.push([from, from, from, from]);
    drag = { from };
  } else {
    const near = nearestEnd(from);
    if (near.away > GRIP) { view.line = [...from, ...from]; end = 1; } else { end = near.at; }
    drag = { from };
  }
  draw();
});

canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [x, y] = place(event).map(round);
  if (tool === "mask") {
    const [x0, y0] = drag.from.map(round);
    view.masks[view.masks.length - 1] = [[x0, y0], [x, y0], [x, y], [x0, y]];
  } else {
    view.line[2 * end] = x;
    view.line[2 * end + 1] = y;
  }
  draw();
});

const drop = () => {
  if (!drag) return;
  drag = null;
  const [x1, y1, x2, y2] = view.line;
  if (Math.hypot(x2 - x1, y2 - y1) < 0.05) view.line = past.pop().line; // a tap is no line
  const last = view.masks.at(-1);
  if (tool === "mask" && last && (Math.abs(last[0][0] - last[2][0]) < 0.02 || Math.abs(last[0][1] - last[2][1]) < 0.02)) view.masks.pop();
  turned();
  draw();
};
canvas.addEventListener("pointerup", drop);
canvas.addEventListener("pointercancel", drop);

canvas.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] }[event.key];
  if (event.key === " ") { end = 1 - end; event.preventDefault(); }
  if (step) {
    event.preventDefault();
    remember();
    view.line[2 * end] = round(clamp(view.line[2 * end] + step[0]));
    view.line[2 * end + 1] = round(clamp(view.line[2 * end + 1] + step[1]));
  }
  draw();
});

let told = 0;
function turned() { // the counting core of the sensor follows what was drawn, a moment later
  clearTimeout(told);
  told = setTimeout(() => {
    fetch("/aim/turn", { method: "POST", signal: asking.signal, body: new URLSearchParams({ token, view: JSON.stringify(view) }) }).catch(() => {});
  }, 300);
}

function choose(name) {
  tool = name;
  for (const each of ["line", "mask"]) byId(`tool-${each}`).setAttribute("aria-pressed", String(each === name));
  byId("hint").textContent = name === "line" ? words.hintLine : words.hintMask;
}
byId("tool-line").addEventListener("click", () => choose("line"));
byId("tool-mask").addEventListener("click", () => choose("mask"));
byId("undo").addEventListener("click", () => {
  if (past.length) { Object.assign(view, past.pop()); turned(); draw(); }
});
byId("turn").addEventListener("click", () => { // line and masks turn with the picture, clockwise
  remember();
  const turn = ([x, y]) => [round(1 - y), round(x)];
  const [x1, y1, x2, y2] = view.line;
  view.line = [...turn([x1, y1]), ...turn([x2, y2])];
  view.masks = view.masks.map((mask) => mask.map(turn));
  view.rotation = (view.rotation + 90) % 360;
  turned();
  draw();
});
byId("keep").form.addEventListener("submit", () => {
  running = false;
  clearTimeout(told);
  asking.abort(); // what is under way would come too late
  byId("view").value = JSON.stringify(view);
});

const complain = (text) => { byId("trouble").textContent = text; byId("trouble").hidden = !text; };

async function next() {
  const answer = await fetch("/aim/picture", { cache: "no-store", signal: asking.signal });
  if (answer.status === 410 || answer.status === 403) { stop((await answer.json()).trouble ?? words.over); return; }
  if (answer.status !== 200) {
    complain((await answer.json()).trouble || words.wait);
    setTimeout(look, 700);
    return;
  }
  boxes = JSON.parse(answer.headers.get("telstraat-tracked"));
  const left = Number(answer.headers.get("telstraat-left"));
  byId("left").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  frame?.close?.();
  frame = await createImageBitmap(await answer.blob());
  if (canvas.width !== frame.width || canvas.height !== frame.height) [canvas.width, canvas.height] = [frame.width, frame.height];
  complain("");
  if (!drag) draw();
  setTimeout(look, 120);
}

function look() {
  if (!running) return;
  if (document.hidden) { setTimeout(look, 500); return; }
  next().catch(() => { if (!running) return; complain(words.away); setTimeout(look, 1500); });
}

function stop(text) {
  running = false;
  frame = null;
  byId("aiming").hidden = true;
  byId("closed").hidden = false;
  byId("closed").querySelector("p").textContent = text;
}

byId("open").addEventListener("click", async () => {
  const answer = await fetch("/aim/open", { method: "POST", body: new URLSearchParams({ token }) });
  if (!answer.ok) return;
  const was = running;
  asking = new AbortController();
  running = true;
  byId("closed").hidden = true;
  byId("aiming").hidden = false;
  complain(words.wait);
  choose("line");
  turned();
  draw();
  if (!was) look();
});
