// What crosses the line appears, counted by the core that counts later; no picture travels.
const words = document.getElementById("words").dataset;
const stage = document.getElementById("stage");
if (stage) {
  const total = document.getElementById("total");
  const state = document.getElementById("state");
  const latest = document.getElementById("latest");
  const trouble = document.getElementById("trouble");
  const token = document.getElementById("token").value;
  let begun = 0;
  let timer = 0;
  const asking = new AbortController();

  const say = (text) => { trouble.textContent = text; trouble.hidden = !text; };

  const show = (now) => {
    total.textContent = String(now.total);
    stage.classList.toggle("is-good", now.total > 0);
    const warm = Date.now() - begun > 4000;
    state.textContent = now.total ? words.first : warm ? words.ready : words.wait;
    latest.replaceChildren(...now.latest.slice(0, 6).map((crossing) => {
      const item = document.createElement("li");
      item.className = `is-${crossing.class}`;
      const to = crossing.to ? ` ${words.to.replace("{place}", crossing.to)}` : "";
      const speed = crossing.speed ? `, ${crossing.speed} km/h` : "";
      item.textContent = `${crossing.what}${to}${speed}`;
      return item;
    }));
    say(now.trouble);
  };

  const look = async () => {
    try {
      const answer = await fetch("/test/crossings", { signal: asking.signal });
      const now = await answer.json();
      if (!answer.ok) { say(now.trouble); return; }
      show(now);
    } catch { if (asking.signal.aborted) return; say(words.away); }
    timer = setTimeout(look, 700);
  };

  const open = async () => {
    clearTimeout(timer);
    say("");
    state.textContent = words.wait;
    const answer = await fetch("/test/open", { method: "POST", body: new URLSearchParams({ token }) });
    if (!answer.ok) { say((await answer.json()).trouble); return; }
    begun = Date.now();
    look();
  };

  document.getElementById("open").addEventListener("click", open);
  document.getElementById("finish").form.addEventListener("submit", () => { clearTimeout(timer); asking.abort(); });
  open().catch(() => say(words.away));
}
