"use strict";
// Search, sorting and charts. Filters are CSS, and all else can be read without this.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (name) => document.getElementById(name);
const search = one("search");
document.documentElement.classList.add("scripts");

function narrow() {
  const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const part of all("[data-find]")) {
    const text = part.textContent.toLowerCase();
    part.classList.toggle("missed", !terms.every((term) => text.includes(term)));
  }
  for (const tile of all(".tile")) {
    tile.classList.toggle("missed", one(tile.hash.slice(1)).matches(".missed"));
  }
  const seen = (part) => part.offsetParent !== null;
  for (const group of all(".place, .group, section.table")) {
    group.classList.remove("missed");
    group.classList.toggle("missed", !all(".claim, tbody tr", group).some(seen));
  }
  const cards = all(".card");
  one("found").value = `${cards.filter(seen).length} of ${cards.length} claims`;
}
search.addEventListener("input", narrow);
one("filters").addEventListener("change", narrow);
one("filters").addEventListener("reset", () => setTimeout(narrow));
one("filters").addEventListener("submit", (event) => event.preventDefault());

function reveal() {
  const target = one(decodeURIComponent(location.hash.slice(1)));
  target?.closest("details")?.setAttribute("open", "");
  if (target && target.offsetParent === null) one("filters").reset();
  setTimeout(() => target?.scrollIntoView());
}
addEventListener("hashchange", reveal);

const plain = (cell) => cell.textContent.replaceAll("−", "-").replace(/,(?=\d{3})/g, "");
const { compare } = new Intl.Collator("en", { numeric: true });
function sort(head) {
  const rising = head.ariaSort !== "ascending", body = head.closest("table").tBodies[0];
  const key = (row) => plain(row.cells[head.cellIndex]);
  const order = (a, b) => parseFloat(a) - parseFloat(b) || compare(a, b);
  for (const other of all("th", head.parentNode)) other.ariaSort = null;
  head.ariaSort = rising ? "ascending" : "descending";
  body.append(...all("tr", body).sort((a, b) => (rising ? 1 : -1) * order(key(a), key(b))));
}
for (const head of all("th")) {
  const button = document.createElement("button");
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(head));
  head.append(button);
}

const [pictures, specs] = ["pictures", "specs"].map((name) => JSON.parse(one(name).textContent));
const sight = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    const spec = specs[target.dataset.chart];
    for (const row of Object.values(spec.datasets).flat()) row.image ??= pictures[row.key];
    vegaEmbed(target, spec, { actions: false, renderer: "svg", ast: true });
    sight.unobserve(target);
  }
}, { rootMargin: "300px" });
for (const chart of all(".chart")) sight.observe(chart);
narrow();
reveal();
