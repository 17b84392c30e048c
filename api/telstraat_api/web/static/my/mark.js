// A stretch that is dragged over the chart becomes the times of the form.

const form = document.querySelector("[data-mark]");
const figure = document.getElementById("own-day");

function local(moment, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(new Date(moment));
  const of = Object.fromEntries(parts.map((part) => [part.type, part.value]));
  return `${of.year}-${of.month}-${of.day}T${of.hour}:${of.minute}`;
}

if (form && figure) {
  document.querySelector("[data-drag]").hidden = false;
  figure.addEventListener("chart:select", (event) => {
    form.elements.from.value = local(event.detail.from, form.dataset.zone);
    form.elements.until.value = local(event.detail.until, form.dataset.zone);
  });
}
