"use strict";
// Sorting by a column's button, and search over rows or pictures. Without this script everything is shown.
function said(tools) {
  return tools.querySelector("[role=status]");
}

function count(n) {
  return n.toLocaleString("en");
}

for (const tools of document.querySelectorAll(".tools[data-for]")) {
  const target = document.getElementById(tools.dataset.for);
  const items = [...target.querySelectorAll(target.matches("table") ? "tbody tr" : "li[data-kind]")];
  const texts = new Map(items.map(item => [item, item.textContent.toLowerCase()]));
  const fields = [...tools.querySelectorAll("input, select")];

  tools.addEventListener("input", () => {
    let shown = 0;
    for (const item of items) {
      item.hidden = !fields.every(field => field.dataset.field
        ? !field.value || item.dataset[field.dataset.field] === field.value
        : field.value.toLowerCase().split(/\s+/).every(word => texts.get(item).includes(word)));
      shown += !item.hidden;
    }
    if (fields.some(field => field.value)) {
      for (const more of target.querySelectorAll("details.more")) more.open = true;
    }
    said(tools).textContent = `${count(shown)} of ${count(items.length)} ${tools.dataset.noun} shown`;
  });
}

function figure(cell) {
  if (cell.dataset.v === undefined) return cell.textContent.trim();
  return cell.dataset.v === "" ? null : Number(cell.dataset.v);
}

function compared(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (button) button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows].map(row => [figure(row.cells[column]), row]);
      rows.sort((one, two) => compared(one[0], two[0], up ? 1 : -1));
      table.tBodies[0].append(...rows.map(pair => pair[1]));
      const tools = document.querySelector(`.tools[data-for="${table.id}"]`);
      if (tools) said(tools).textContent = `sorted by ${button.textContent}, ${up ? "ascending" : "descending"}`;
    });
  });
}
