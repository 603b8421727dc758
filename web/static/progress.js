// Looks again while something is at work, so that nobody has to. Without it, the page has a link that does the same.
const PAUSE_MS = 2000;

async function lookAgain() {
  const shown = document.getElementById("progress");
  if (!shown || !shown.hasAttribute("data-at-work")) return;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("progress");
    if (!fresh) return location.reload();
    if (fresh.innerHTML !== shown.innerHTML) shown.innerHTML = fresh.innerHTML;
    shown.toggleAttribute("data-at-work", fresh.hasAttribute("data-at-work"));
  } catch (error) {
    // The network is away: the next look may find it.
  }
  setTimeout(lookAgain, PAUSE_MS);
}

setTimeout(lookAgain, PAUSE_MS);
