// What makes the pages of Godwit live. Without it every page still works; it just stands still until it is loaded again.

// The colours of the grid are those of its legend, whatever the theme.
const colour = (kind) => getComputedStyle(document.querySelector(`.legend .${kind}`)).color;

// The stream of a page: the server sends the HTML of what changed. The browser connects again by itself when the server was away.
function follow(page) {
  const stream = new EventSource(page.dataset.live);
  const trouble = document.getElementById("trouble");
  const tell = (text) => { trouble.hidden = !text; trouble.textContent = text; };
  stream.onmessage = (event) => {
    const { regions, data } = JSON.parse(event.data);
    if (data.trouble !== undefined) tell(data.trouble);
    for (const [name, html] of Object.entries(regions)) show(page.querySelector(`[data-region="${name}"]`), html);
    if (data.cells !== undefined) draw(page.querySelector("[data-grid]"), data.cells);
    if (data.steps !== undefined) mark(page, data.steps);
    if (data.title !== undefined) document.title = data.title;
    tell(data.trouble || "");
  };
  stream.onerror = () => {
    tell("The server does not answer. This page goes on by itself when it is back.");
    // A refusal is not tried again by the browser: the session may have ended, which a reload shows.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  };
  addEventListener("pagehide", () => stream.close());
}

// A press counts when the button goes down and up on the same element, so nothing is replaced between the two.
const late = new Map();
let pressed = false;
addEventListener("pointerdown", (event) => { pressed = event.button === 0; });
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => setTimeout(() => {
    pressed = false;
    late.forEach((html, region) => show(region, html));
    late.clear();
  }));
}

// Replaces a region, and leaves alone what a person is using in it.
function show(region, html) {
  if (pressed) { late.set(region, html); return; }
  if (!region || region.contains(document.activeElement) && region.querySelector("details[open], :focus")?.matches("input, details")) return;
  const open = [...region.querySelectorAll("details")].map((d) => d.open);
  const focused = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  region.innerHTML = html;
  region.querySelectorAll("details").forEach((d, i) => { d.open = open[i] ?? false; });
  if (focused) region.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

// The grid: a square a cell, as large as fits, drawn at once however many there are.
function draw(canvas, letters) {
  if (!canvas) return;
  canvas.letters = letters;
  const width = canvas.parentElement.clientWidth - parseFloat(getComputedStyle(canvas.parentElement).paddingLeft) * 2;
  const size = Math.max(6, Math.min(26, Math.floor(Math.sqrt((width * 220) / letters.length))));
  const columns = Math.max(1, Math.floor(width / size));
  const rows = Math.ceil(letters.length / columns);
  const scale = devicePixelRatio || 1;
  Object.assign(canvas, { size, columns, width: width * scale, height: rows * size * scale });
  canvas.style.height = `${rows * size}px`;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const wait = colour("waiting");
  const part = colour("copying");
  const colours = { c: colour("copied"), v: colour("verified"), f: colour("failed") };
  const gap = size > 9 ? 2 : 1;
  for (let i = 0; i < letters.length; i++) {
    const [x, y] = [(i % columns) * size, Math.floor(i / columns) * size];
    const letter = letters[i];
    const tenths = letter >= "0" && letter <= "9" ? Number(letter) : -1;
    pen.fillStyle = colours[letter] ?? wait;
    pen.fillRect(x, y, size - gap, size - gap);
    if (tenths >= 0) {
      pen.fillStyle = part;
      const full = ((size - gap) * Math.max(1, tenths)) / 10;
      pen.fillRect(x, y + size - gap - full, size - gap, full);
    }
  }
}

// What a cell stands for is fetched when somebody first points at one.
async function point(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const index = Math.floor((event.clientY - box.top) / canvas.size) * canvas.columns + Math.floor((event.clientX - box.left) / canvas.size);
  canvas.names ??= fetch(canvas.dataset.names).then((answer) => answer.json());
  const cell = (await canvas.names)[index];
  document.getElementById("cell").textContent = cell ? `Step ${cell.step + 1}: ${cell.name}` : "";
}

const words = { p: ["pending", "quiet"], r: ["running", "busy"], d: ["done", "good"], f: ["failed", "bad"], u: ["undone", "warn"] };

// The states of the steps that are on the page.
function mark(page, letters) {
  for (const row of page.querySelectorAll("tr[data-step]")) {
    const [word, kind] = words[letters[row.dataset.step]] ?? [];
    const badge = row.querySelector(".badge");
    if (word && badge.textContent !== word) { badge.textContent = word; badge.className = `badge ${kind}`; }
  }
}

// A long list has only the stretches that are near what is seen; the others are gaps of the same height.
function lengthen(list) {
  const first = list.querySelector("tbody");
  const size = first.rows.length;
  const total = Number(list.dataset.total);
  if (total <= size) return;
  const height = first.offsetHeight / size;
  const url = list.dataset.more + (list.dataset.more.includes("?") ? "&" : "?");
  const gap = (body) => { body.innerHTML = `<tr><td colspan="99" style="height:${Math.min(size, total - body.from) * height}px"></td></tr>`; };
  const watch = new IntersectionObserver((changes) => changes.forEach(({ target, isIntersecting }) => (isIntersecting ? fill(target) : empty(target))), { root: list, rootMargin: "1200px 0px" });
  async function fill(body) {
    body.wanted = true;
    if (body.full) return;
    const answer = await fetch(`${url}after=${body.from}`);
    if (!answer.ok || !body.wanted) return;
    body.innerHTML = await answer.text();
    body.full = true;
  }
  function empty(body) {
    body.wanted = false;
    if (!body.full) return;
    gap(body);
    body.full = false;
  }
  for (let from = 0; from < total; from += size) {
    const body = from === 0 ? first : document.createElement("tbody");
    Object.assign(body, { from, full: from === 0, wanted: from === 0 });
    if (from > 0) { gap(body); first.parentNode.append(body); }
    watch.observe(body);
  }
}

// A question is a page of its own; here it opens above the one that is looked at.
async function ask(link) {
  const dialog = document.getElementById("ask");
  const answer = await fetch(link.href, { headers: { accept: "text/html" } });
  const card = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-dialog]");
  if (!card) { location.href = link.href; return; }
  dialog.replaceChildren(card);
  dialog.showModal();
  card.querySelector("[autofocus], button")?.focus();
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("a[data-ask], a[data-close]");
  if (!link) return;
  const dialog = document.getElementById("ask");
  if (link.matches("[data-ask]")) { event.preventDefault(); ask(link).catch(() => { location.href = link.href; }); }
  else if (dialog.open) { event.preventDefault(); dialog.close(); }
});

// A part of a page that takes its time to find out.
async function load(place) {
  const answer = await fetch(place.dataset.load);
  if (answer.ok) place.innerHTML = await answer.text();
  else place.textContent = (await answer.json().catch(() => ({}))).detail ?? "This could not be found out. Load the page again.";
}

// A button says that it has been heard; some answers take a while.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button) return;
  setTimeout(() => { button.disabled = true; if (button.dataset.busy) button.lastChild.textContent = ` ${button.dataset.busy}`; });
});
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

document.querySelectorAll("[data-load]").forEach(load);
document.querySelectorAll("[data-select]").forEach((field) => { field.select(); field.addEventListener("focus", () => field.select()); });
document.querySelectorAll("[data-live]").forEach(follow);
document.querySelectorAll("[data-more]").forEach(lengthen);
for (const canvas of document.querySelectorAll("[data-grid]")) {
  draw(canvas, canvas.dataset.grid);
  canvas.addEventListener("mousemove", (event) => point(canvas, event));
  for (const change of [window, matchMedia("(prefers-color-scheme: dark)")]) {
    change.addEventListener(change === window ? "resize" : "change", () => draw(canvas, canvas.letters));
  }
}
