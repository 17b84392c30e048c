// Shows only the fields that fit the kind of file.

function fit() {
  const kind = document.querySelector("[name=kind]:checked")?.value;
  if (!kind) return;
  for (const part of document.querySelectorAll("[data-kind]")) {
    part.hidden = part.dataset.kind !== kind;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = part.hidden;
  }
}

for (const choice of document.querySelectorAll("[name=kind]")) choice.addEventListener("change", fit);
fit();
