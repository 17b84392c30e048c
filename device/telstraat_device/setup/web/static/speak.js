// The language changes when it is chosen; without scripts a button does it.
const speak = document.querySelector(".speak");
speak.classList.add("is-live");
speak.querySelector("select").addEventListener("change", () => speak.submit());
