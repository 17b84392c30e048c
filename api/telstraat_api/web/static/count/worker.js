// Keeps the pages for counting and what they load, so that they open without network. Nothing else is kept.

const KEPT = "telstraat-count-1";
const PAGE = /^\/count\/\d+$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function fresh(request) {
  const cache = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const known = await cache.match(request, { ignoreVary: true, ignoreSearch: PAGE.test(new URL(request.url).pathname) });
    if (known) return known;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (PAGE.test(pathname) || pathname.startsWith("/static/")) event.respondWith(fresh(event.request));
});
