"use strict";
// The timeline: a lane for each thread and task, waits above and holds below, drawn on a canvas as large as what is seen.

const LANE = 26,
  NAMES = 170,
  AXIS = 22;
const [BEGIN, LENGTH, BUSY, COUNT, WHAT, AT, HOLDER, SORT] = [0, 1, 2, 3, 4, 5, 6, 7];

function timeline({ length_ns: length, texts, lanes: all }) {
  const canvas = el("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label":
      "Timeline. Arrow keys move, plus and minus zoom, 0 shows all, n and p step through the bars of the lane, j and k through the lanes.",
  });
  const status = el("p", { class: "status soft", role: "status" }, "Point at a bar, or press n.");
  const spacer = el("div");
  const scroll = el("div", { class: "lanes", style: `height: ${AXIS + all.length * LANE + 2}px` }, canvas, spacer);
  const view = { from: 0, to: Math.max(length, 1), lanes: all, chosen: null };
  let queued = false;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const names = () => (canvas.clientWidth < 600 ? 90 : NAMES);
  const scale = () => (canvas.clientWidth - names()) / (view.to - view.from);
  const x = (ns) => names() + (ns - view.from) * scale();
  const y = (lane) => AXIS + lane * LANE - scroll.scrollTop;
  const redraw = () => {
    if (!queued) {
      queued = true;
      requestAnimationFrame(draw);
    }
  };

  function look(from, to) {
    const least = 1e3,
      width = Math.min(Math.max(to - from, Math.min(least, length)), length);
    const begin = Math.min(Math.max(from, 0), length - width);
    [view.from, view.to] = [begin, begin + width];
    redraw();
  }
  function zoom(factor, at = (view.from + view.to) / 2) {
    look(at - (at - view.from) * factor, at + (view.to - at) * factor);
  }

  function draw() {
    queued = false;
    const [width, height, dense] = [scroll.clientWidth, scroll.clientHeight, window.devicePixelRatio || 1];
    if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
      [canvas.width, canvas.height, canvas.style.height] = [width * dense, height * dense, `${height}px`];
    }
    // The canvas takes its own height of what is scrolled.
    spacer.style.height = `${Math.max(view.lanes.length * LANE + AXIS - height, 0)}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const sorts = ["--hold", "--wait", "--idle", "--stuck"].map(colour);
    const [text, line, back] = ["--text", "--line", "--back"].map(colour);
    // Asked for once: each answer costs a layout.
    const [left, per] = [names(), scale()];
    const first = Math.max(Math.floor(scroll.scrollTop / LANE), 0);
    const last = Math.min(Math.ceil((scroll.scrollTop + height) / LANE), view.lanes.length);
    for (let number = first; number < last; number++) {
      const lane = view.lanes[number],
        top = y(number);
      pen.fillStyle = line;
      pen.fillRect(0, top + LANE - 1, width, 1);
      bars(pen, lane.holds, top + 14, 8, sorts, left, per, width);
      bars(pen, lane.waits, top + 2, 10, sorts, left, per, width);
      pen.fillStyle = back;
      pen.fillRect(0, top, left - 4, LANE - 1);
      pen.fillStyle = text;
      pen.fillText(cut(pen, lane.name, left - 12), 4, top + LANE / 2);
    }
    axis(pen, width, text, line);
    if (view.chosen) mark(pen, text);
  }

  /** A name, or as much of its begin as there is room for. */
  function cut(pen, name, room) {
    if (pen.measureText(name).width <= room) return name;
    let letters = name.length - 1;
    while (letters > 0 && pen.measureText(`${name.slice(0, letters)}…`).width > room) letters -= 1;
    return `${name.slice(0, letters)}…`;
  }

  function bars(pen, list, top, thick, sorts, left, per, width) {
    // What falls on the same column of pixels in the same colour is drawn once.
    let drawn = -1,
      sort = -1;
    for (const bar of list) {
      if (bar[BEGIN] > view.to) break;
      const end = Math.min(left + (bar[BEGIN] + bar[LENGTH] - view.from) * per, width);
      if (end < left || (end <= drawn && bar[SORT] === sort)) continue;
      const begin = Math.max(left + (bar[BEGIN] - view.from) * per, left);
      if (bar[SORT] !== sort) pen.fillStyle = sorts[bar[SORT]];
      // A bar that stands for many is as strong as it is busy.
      pen.globalAlpha = bar[COUNT] > 1 ? Math.max(0.35, Math.min(bar[BUSY] / Math.max(bar[LENGTH], 1), 1)) : 1;
      pen.fillRect(begin, top, Math.max(end - begin, 1), thick);
      [drawn, sort] = [Math.max(end, begin + 1), bar[SORT]];
    }
    pen.globalAlpha = 1;
  }

  function axis(pen, width, text, line) {
    pen.fillStyle = colour("--card");
    pen.fillRect(0, 0, width, AXIS);
    const rough = (view.to - view.from) / Math.max((width - names()) / 110, 1),
      power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((of) => of * power).find((of) => of >= rough);
    for (let ns = Math.ceil(view.from / step) * step; ns <= view.to; ns += step) {
      pen.fillStyle = line;
      pen.fillRect(x(ns), 0, 1, AXIS);
      pen.fillStyle = text;
      const [name, left] = [ns ? duration(ns) : "0", x(ns) + 4];
      if (left + pen.measureText(name).width <= width) pen.fillText(name, left, AXIS / 2);
    }
  }

  /** A frame around the chosen bar, and an arrow to its holder's lane. */
  function mark(pen, text) {
    const { lane, bar } = view.chosen,
      top = y(lane) + (bar[SORT] === 0 ? 14 : 2);
    const begin = Math.max(x(bar[BEGIN]), names()),
      wide = Math.max(x(bar[BEGIN] + bar[LENGTH]) - begin, 2);
    pen.strokeStyle = text;
    pen.lineWidth = 2;
    pen.strokeRect(begin - 1, top - 1, wide + 2, bar[SORT] === 0 ? 10 : 12);
    const holder = view.lanes.indexOf(all[bar[HOLDER] - 1]);
    if (holder < 0 || holder === lane) return;
    const [from, to] = [top + 6, y(holder) + LANE / 2],
      side = to > from ? -1 : 1;
    pen.strokeStyle = pen.fillStyle = colour("--arrow");
    pen.beginPath();
    pen.moveTo(begin + 1, from);
    pen.lineTo(begin + 1, to);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(begin + 1, to);
    pen.lineTo(begin - 4, to + side * 8);
    pen.lineTo(begin + 6, to + side * 8);
    pen.fill();
  }

  function choose(lane, bar) {
    view.chosen = bar && { lane, bar };
    if (bar) {
      const many =
        bar[COUNT] > 1
          ? `${plural(bar[COUNT], bar[SORT] ? "wait" : "hold")}, ${duration(bar[BUSY])} together; the longest: `
          : "";
      const holder = all[bar[HOLDER] - 1],
        of = view.lanes[lane];
      status.textContent =
        `${of.name}${of.spawned_at ? ` (spawned at ${place(of.spawned_at)})` : ""}, ${duration(bar[LENGTH])} from ${duration(bar[BEGIN])} on: ` +
        `${many}${texts[bar[WHAT]]}, at ${texts[bar[AT]]}${holder ? `; held by ${holder.name}` : ""}`;
    }
    redraw();
  }

  function under(event) {
    const box = canvas.getBoundingClientRect(),
      [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const lane = Math.floor((py - AXIS + scroll.scrollTop) / LANE),
      of = view.lanes[lane];
    if (!of || px < names() || py < AXIS) return choose(0, null);
    const list = py - y(lane) < 13 ? of.waits : of.holds,
      near = 2 / scale(),
      at = view.from + (px - names()) / scale();
    const hits = list.filter((bar) => bar[BEGIN] - near <= at && at <= bar[BEGIN] + bar[LENGTH] + near);
    choose(lane, hits.sort((one, other) => one[LENGTH] - other[LENGTH])[0]);
  }

  /** Chooses the next bar of a lane, and brings it into view. */
  function step(lane, by) {
    if (!view.lanes.length) return;
    lane = Math.min(Math.max(lane, 0), view.lanes.length - 1);
    const of = view.lanes[lane],
      list = [...of.waits, ...of.holds].sort((one, other) => one[BEGIN] - other[BEGIN]);
    const known = view.chosen ? list.indexOf(view.chosen.bar) : -1;
    const bar = list[known < 0 ? 0 : Math.min(Math.max(known + by, 0), list.length - 1)];
    if (!bar) return choose(lane, null);
    if (bar[BEGIN] < view.from || bar[BEGIN] > view.to)
      look(bar[BEGIN] - (view.to - view.from) / 2, bar[BEGIN] + (view.to - view.from) / 2);
    const top = lane * LANE;
    if (top < scroll.scrollTop || top + LANE + AXIS > scroll.scrollTop + scroll.clientHeight)
      scroll.scrollTop = top - LANE;
    choose(lane, bar);
  }

  const keys = {
    ArrowLeft: () => look(view.from - (view.to - view.from) / 8, view.to - (view.to - view.from) / 8),
    ArrowRight: () => look(view.from + (view.to - view.from) / 8, view.to + (view.to - view.from) / 8),
    ArrowUp: () => {
      scroll.scrollTop -= LANE;
    },
    ArrowDown: () => {
      scroll.scrollTop += LANE;
    },
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    0: () => look(0, length),
    n: () => step(view.chosen?.lane ?? 0, 1),
    p: () => step(view.chosen?.lane ?? 0, -1),
    j: () => step((view.chosen?.lane ?? -1) + 1, 1),
    k: () => step((view.chosen?.lane ?? 1) - 1, 1),
  };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY))
        return;
      event.preventDefault();
      const by = event.deltaX || event.deltaY;
      if (event.ctrlKey || event.metaKey) {
        zoom(1.0015 ** event.deltaY, view.from + (event.offsetX - names()) / scale());
      } else look(view.from + by / scale(), view.to + by / scale());
    },
    { passive: false },
  );
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, from: view.from, to: view.to };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return under(event);
    const by = (event.clientX - drag.x) / scale();
    look(drag.from - by, drag.to - by);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && Math.abs(event.clientX - drag.x) < 3) under(event);
    drag = null;
  });
  canvas.addEventListener("dblclick", (event) => zoom(0.25, view.from + (event.offsetX - names()) / scale()));
  scroll.addEventListener("scroll", redraw);
  new ResizeObserver(redraw).observe(scroll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  const filter = el("input", {
    type: "search",
    placeholder: "Filter lanes by words",
    "aria-label": "Filter lanes",
    input: () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      view.lanes = all.filter((lane) =>
        words.every((word) => `${lane.name} ${lane.spawned_at}`.toLowerCase().includes(word)),
      );
      scroll.scrollTop = 0;
      choose(0, null);
    },
  });
  const button = (name, label, click) => el("button", { type: "button", "aria-label": label, click }, name);
  const key = (name, of) => el("span", { class: "key", style: `--of: var(${of})` }, name);
  redraw();
  return [
    el(
      "div",
      { class: "tools" },
      filter,
      button("+", "Zoom in", keys["+"]),
      button("−", "Zoom out", keys["-"]),
      button("←", "Earlier", keys.ArrowLeft),
      button("→", "Later", keys.ArrowRight),
      button("all", "Show all", keys[0]),
    ),
    el(
      "div",
      { class: "tools soft" },
      key("wait", "--wait"),
      key("never ended", "--stuck"),
      key("idle receiver", "--idle"),
      key("hold", "--hold"),
      "drag moves, Ctrl and wheel zoom",
    ),
    scroll,
    status,
  ];
}

/** Live counts over time, one small drawing each. */
function levels(list) {
  return list.map(({ name, peak, points }) => {
    const most = Math.max(peak, ...points, 1);
    const line = points
      .map((live, at) => `${(at / Math.max(points.length - 1, 1)) * 200},${38 - (live / most) * 36}`)
      .join(" ");
    return el(
      "div",
      { class: "level" },
      el("span", { title: name }, shortPlaces(name)),
      el("span", { class: "soft" }, `peak ${peak.toLocaleString("en")}`),
      svg(
        "svg",
        {
          viewBox: "0 0 200 40",
          preserveAspectRatio: "none",
          role: "img",
          "aria-label": `${name}: ${points[0]} at the begin, at most ${peak}, ${points[points.length - 1]} in the end`,
        },
        svg("polyline", { points: line }),
      ),
    );
  });
}
