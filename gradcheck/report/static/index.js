"use strict";
// Filter and sort. Everything here is extra: the page reads well without it.
(() => {
  const table = document.getElementById("rows");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const [search, verdict, sort, shown] = ["search", "verdict", "sort", "shown"].map((id) => document.getElementById(id));

  const key = (row, column) => {
    const text = row.cells[column].dataset.key;
    return column === 0 ? text : text === "nan" ? -Infinity : text === "inf" ? Infinity : Number(text);
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a < b ? -1 : a > b ? 1 : 0);

  const order = (choice) => {
    const [column, direction] = choice ? [Number(choice.split(" ")[0]), choice.split(" ")[1]] : [];
    const sorted = choice ? [...rows].sort((a, b) => compare(key(a, column), key(b, column)) * (direction === "ascending" ? 1 : -1)) : rows;
    body.append(...sorted);
    heads.forEach((head, i) => head.setAttribute("aria-sort", choice && i === column ? direction : "none"));
    sort.value = choice;
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let amount = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && (!verdict.value || row.dataset.verdict === verdict.value));
      amount += !row.hidden;
    }
    shown.textContent = `${amount} of ${rows.length} shown`;
  };

  heads.forEach((head, i) => {
    const name = head.textContent;
    const first = i === 0 || i === 1 ? "ascending" : "descending";
    const second = first === "ascending" ? "descending" : "ascending";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => order(`${i} ${head.getAttribute("aria-sort") === first ? second : first}`));
    head.replaceChildren(button);
    for (const direction of [first, second]) {
      const way = i === 0 ? (direction === "ascending" ? "A to Z" : "Z to A") : i === 1 ? (direction === "ascending" ? "worst first" : "best first") : direction === "ascending" ? "smallest first" : "largest first";
      sort.append(new Option(`${name}, ${way}`, `${i} ${direction}`));
    }
  });
  search.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  sort.addEventListener("change", () => order(sort.value));
  const tools = document.getElementById("tools");
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("reset", () => setTimeout(filter));
  tools.hidden = false;
  order("");
  filter();
})();
