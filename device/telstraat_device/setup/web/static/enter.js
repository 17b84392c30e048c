// The QR of the card carries the code behind the #, which no request does: it is typed in and taken out of the address.
function enter() {
  const code = decodeURIComponent(location.hash.slice(1));
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  document.getElementById("code").value = code;
  document.getElementById("enter").requestSubmit();
}
addEventListener("hashchange", enter);
enter();
