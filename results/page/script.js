"use strict";
// Values are told where the pointer is nearest to a mark, and where the arrow keys lead: left and right along a series, up and down
// from one to the next. Without this script the page lacks nothing but that: the figures stand below each drawing.
(() => {
  const tip = document.getElementById("tip");
  const reach = 40; // pixels from which on nothing is near
  let chosen = null;

  function clear() {
    if (chosen) chosen.classList.remove("on");
    chosen = null;
    tip.hidden = true;
  }

  function centre(mark) {
    const r = mark.getBoundingClientRect();
    return { x: r.left + r.width / 2, y: r.top + r.height / 2, r };
  }

  function choose(mark) {
    if (mark === chosen) return;
    clear();
    chosen = mark;
    mark.classList.add("on");
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const at = centre(mark), box = tip.getBoundingClientRect();
    const above = at.r.top - box.height - 8;
    tip.style.left = Math.max(4, Math.min(at.x - box.width / 2, document.documentElement.clientWidth - box.width - 4)) + "px";
    tip.style.top = (above > 4 ? above : at.r.bottom + 8) + "px";
  }

  function nearest(marks, x, y) {
    let best = null, least = Infinity;
    for (const mark of marks) {
      const at = centre(mark);
      const inside = x >= at.r.left && x <= at.r.right && y >= at.r.top && y <= at.r.bottom;
      const d = inside ? Math.hypot(at.x - x, at.y - y) / 1e6 : Math.hypot(at.x - x, at.y - y);
      if (d < least) [best, least] = [mark, d];
    }
    return least <= reach ? best : null;
  }

  function walk(marks, key) {
    if (!chosen || !marks.includes(chosen)) return marks[0];
    const series = [...new Set(marks.map((m) => m.dataset.series))];
    const same = marks.filter((m) => m.dataset.series === chosen.dataset.series);
    const i = same.indexOf(chosen), s = series.indexOf(chosen.dataset.series);
    switch (key) {
      case "ArrowRight": return same[Math.min(i + 1, same.length - 1)];
      case "ArrowLeft": return same[Math.max(i - 1, 0)];
      case "Home": return same[0];
      case "End": return same[same.length - 1];
    }
    const next = series[(s + (key === "ArrowDown" ? 1 : series.length - 1)) % series.length];
    const others = marks.filter((m) => m.dataset.series === next);
    if (others.length === same.length) return others[i]; // the same percentile, trial or moment
    const x = centre(chosen).x;
    return others.reduce((a, b) => (Math.abs(centre(b).x - x) < Math.abs(centre(a).x - x) ? b : a));
  }

  for (const chart of document.querySelectorAll("svg.chart")) {
    const marks = [...chart.querySelectorAll("[data-tip]")];
    if (marks.length === 0) continue;
    const point = (e) => {
      const mark = nearest(marks, e.clientX, e.clientY);
      if (mark) choose(mark); else clear();
    };
    chart.addEventListener("pointermove", point);
    chart.addEventListener("pointerdown", point);
    chart.addEventListener("pointerleave", clear);
    chart.addEventListener("blur", clear);
    chart.addEventListener("keydown", (e) => {
      if (e.key === "Escape") return clear();
      if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(e.key)) return;
      e.preventDefault();
      choose(walk(marks, e.key));
    });
  }
  addEventListener("scroll", clear, { passive: true });
})();
