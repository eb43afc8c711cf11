// Asks the server for a newer page and puts its content in place of the old; the reader's place stays.
const EVERY_MS = 2000;
let tag = null;

function keepPlace() {
  const slider = document.getElementById("epoch");
  const boxes = [...document.querySelectorAll("#page .scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  const open = [...document.querySelectorAll("#page details[open]")].map((one) => one.id);
  const epoch = slider && slider.value !== slider.max ? slider.value : null; // at its end it follows the run
  const focus = document.activeElement?.id;
  return () => {
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    const fresh = document.getElementById("epoch");
    if (fresh && epoch !== null) fresh.value = epoch;
    document.querySelectorAll("#page .scroll").forEach((box, i) => {
      if (boxes[i]) [box.scrollLeft, box.scrollTop] = boxes[i];
    });
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  };
}

async function refresh() {
  const live = document.getElementById("live");
  try {
    const answer = await fetch("/", { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(await answer.text());
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    tag = answer.headers.get("ETag");
    const putBack = keepPlace();
    document.getElementById("page").replaceWith(fresh.getElementById("page"));
    document.title = fresh.title;
    putBack();
    wireSlider();
    live.textContent = `Live: news of ${new Date().toLocaleTimeString()}.`;
  } catch (error) {
    live.textContent = `No news: ${error.message}`;
  } finally {
    setTimeout(refresh, EVERY_MS);
  }
}

setTimeout(refresh, EVERY_MS);
