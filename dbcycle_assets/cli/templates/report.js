const field = document.querySelector("#find");
const picks = [...document.querySelectorAll("[data-pick]")];
const tables = [...document.querySelectorAll("details.table")];
const before = new Map(tables.map((table) => [table, table.open]));
let pick = "";
function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = !words.length && !pick;
  let shown = 0;
  for (const table of tables) {
    let any = false;
    for (const row of table.querySelectorAll("tbody tr")) {
      const text = row.dataset.words;
      const fits = words.every((word) => text.includes(word)) && (!pick || row.dataset.marks.includes(pick));
      row.hidden = !fits;
      any = any || fits;
      shown += fits;
    }
    table.hidden = !any && !all;
    table.open = all ? before.get(table) : any;
  }
  document.querySelector("#shown").textContent = all ? "" : shown + (shown === 1 ? " column" : " columns");
}
field.addEventListener("input", show);
for (const button of picks) {
  button.addEventListener("click", () => {
    pick = button.dataset.pick;
    for (const other of picks) other.setAttribute("aria-pressed", other === button);
    show();
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
