// Fresh numbers every ten seconds while somebody looks.
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch("/status", { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("fresh");
    if (fresh) document.getElementById("fresh").replaceWith(fresh);
  } catch { /* the sensor starts again; the next look tries anew */ }
}, 10000);
