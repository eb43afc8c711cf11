// Sorts a table by the column whose heading is pressed. The page is whole without it.
"use strict";

function value(row, column) {
  const { v, none } = row.cells[column].dataset;
  return none !== undefined ? null : v === undefined ? row.cells[column].textContent.trim() : Number(v);
}

function wireHeading(table, heading) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const compare = (one, other) => {
      const [a, b] = [value(one, heading.cellIndex), value(other, heading.cellIndex)];
      if (a === null || b === null) return (a === null) - (b === null);
      return (up ? 1 : -1) * (typeof a === "number" ? a - b : a.localeCompare(b));
    };
    body.append(...[...body.rows].sort(compare));
  });
}

document.querySelectorAll("table.sortable").forEach((table) => {
  table.querySelectorAll("thead th").forEach((heading) => wireHeading(table, heading));
});
