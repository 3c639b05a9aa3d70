(() => {
  "use strict";
  for (const fold of document.querySelectorAll("details[data-fold]")) fold.open = false;
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });

  const scale = { ms: 1e-3, s: 1, "/s": 1, "%": 1, MB: 1 };
  const valueOf = (cell) => {
    const text = cell.firstChild ? cell.firstChild.textContent.trim() : "";
    const found = /^(?:≥ )?([−-]?[\d,]*\.?\d+) ?(ms|s|\/s|%|MB)?$/.exec(text);
    return found ? Number(found[1].replace("−", "-").replaceAll(",", "")) * (scale[found[2]] ?? 1) : text;
  };
  const compare = (a, b) => {
    const numbers = typeof a === "number" && typeof b === "number";
    if (numbers) return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b);
  };
  for (const table of document.querySelectorAll("table[data-sort]")) {
    const body = table.tBodies[0], written = [...body.rows];
    if (written.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort ?? "none"];
        for (const other of table.tHead.rows[0].cells) other.ariaSort = "none";
        head.ariaSort = next;
        const sign = next === "descending" ? -1 : 1;
        const key = (row) => valueOf(row.cells[column]);
        const rows = next === "none" ? written : [...written].sort((a, b) => sign * compare(key(a), key(b)));
        body.append(...rows);
      });
    });
  }

  for (const chart of document.querySelectorAll("figure[data-points]")) {
    const svg = chart.querySelector("svg"), out = chart.querySelector(".readout");
    const origin = /translate\(([\d.]+),([\d.]+)\)/.exec(svg?.querySelector("g[transform]")?.getAttribute("transform") ?? "");
    if (!origin || !out) continue;
    const { last, width, height, t, lines, unit = "s" } = JSON.parse(chart.dataset.points);
    const left = Number(origin[1]), top = Number(origin[2]);
    const rule = document.createElementNS("http://www.w3.org/2000/svg", "line");
    rule.setAttribute("class", "pointer");
    const leave = () => { rule.remove(); out.textContent = ""; };
    const shown = (value) => value === null ? "none" : value.toLocaleString("en", { maximumSignificantDigits: 3 });
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const second = (at.x - left) / width * last;
      if (second < 0 || second > last) return leave();
      const nearest = t.reduce((best, one, i) => Math.abs(one - second) < Math.abs(t[best] - second) ? i : best, 0);
      const x = left + t[nearest] / last * width;
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: top, y2: top + height })) rule.setAttribute(name, value);
      svg.append(rule);
      const values = Object.entries(lines).map(([name, line]) => `${name} ${shown(line[nearest])}`);
      out.textContent = `at ${t[nearest].toFixed(1)} ${unit}: ${values.join(", ")}`;
    });
    svg.addEventListener("pointerleave", leave);
  }
})();
