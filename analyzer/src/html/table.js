"use strict";
// A table that is sorted by its headings and filtered by words.

/** Columns: name, value of a row to sort by, how it is shown (default: as it is), and whether it is a number. */
function table(caption, columns, rows, search) {
  const body = el("tbody");
  let by = null,
    down = true;
  const cell = (row) => (column) => {
    const shown = column.show ? column.show(row) : column.value(row);
    return el("td", { class: column.number ? "number" : null }, shown instanceof Node ? shown : String(shown));
  };
  const draw = () => {
    const words = search ? filter.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    const kept = rows.filter((row) => words.every((word) => search(row).toLowerCase().includes(word)));
    if (by) {
      const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
      kept.sort((one, other) => order(by.value(one), by.value(other)) * (down ? -1 : 1));
    }
    body.replaceChildren(...kept.map((row) => el("tr", {}, columns.map(cell(row)))));
    heads.forEach((head, place) =>
      head.setAttribute("aria-sort", columns[place] !== by ? "none" : down ? "descending" : "ascending"),
    );
    count.textContent = kept.length === rows.length ? "" : `${kept.length} of ${rows.length}`;
  };
  const sort = (column) => () => {
    down = by === column ? !down : Boolean(column.number);
    by = column;
    draw();
  };
  const count = el("span", { class: "soft", role: "status" });
  const filter = el("input", {
    type: "search",
    placeholder: "Filter by words",
    "aria-label": `Filter: ${caption}`,
    input: draw,
  });
  const heads = columns.map((column) =>
    el(
      "th",
      { scope: "col", class: column.number ? "number" : null },
      el("button", { type: "button", click: sort(column) }, column.name),
    ),
  );
  draw();
  return [
    search ? el("div", { class: "tools" }, filter, count) : null,
    el(
      "div",
      { class: "wide", tabindex: 0, role: "group", "aria-label": caption },
      el("table", {}, el("thead", {}, el("tr", {}, heads)), body),
    ),
  ];
}

function contention(classes) {
  const time = (name, value) => ({
    name,
    value,
    number: true,
    show: (row) => (value(row) ? duration(value(row)) : "–"),
  });
  const sites = (row) => [...row.waiting_sites, ...row.holding_sites];
  const about = (row) => `${row.kind}${row.name ? ` ${row.name}` : ""}`;
  const site = (of) =>
    el(
      "li",
      {},
      `${of.operation} at `,
      shortPlace(of.at),
      `: ${duration(of.ns)}`,
      of.operation === "held"
        ? `${of.still ? ", still" : ""}, others waited ${duration(of.caused_ns)} meanwhile`
        : `, ${plural(of.count, "time")}, longest ${duration(of.max_ns)}`,
    );
  const object = (row) =>
    el(
      "div",
      {},
      `${row.instances > 1 ? `${row.instances} × ` : ""}${about(row)}`,
      el("br"),
      shortPlace(row.created_at),
      sites(row).length ? el("details", {}, el("summary", {}, "lines"), el("ul", {}, sites(row).map(site))) : null,
    );
  const columns = [
    { name: "object", value: about, show: object },
    {
      name: "used",
      value: (row) => row.acquisitions,
      number: true,
      show: (row) => row.acquisitions.toLocaleString("en"),
    },
    { name: "waits", value: (row) => row.contended, number: true, show: (row) => row.contended.toLocaleString("en") },
    {
      name: "of wall time",
      value: (row) => row.wait_share,
      number: true,
      show: (row) => `${(row.wait_share * 100).toFixed(1)} %`,
    },
    time("wait", (row) => row.wait_ns.total),
    time("wait p50", (row) => row.wait_ns.p50),
    time("wait p99", (row) => row.wait_ns.p99),
    time("hold", (row) => row.hold_ns.total),
    time("hold p50", (row) => row.hold_ns.p50),
    time("hold p99", (row) => row.hold_ns.p99),
    time("hold max", (row) => row.hold_ns.max),
  ];
  const words = (row) => [about(row), row.created_at, ...sites(row).map((of) => of.at)].join(" ");
  return table("Objects by where they were created", columns, classes, words);
}

function populations(rows) {
  const count = (name) => ({ name, value: (row) => row[name], number: true });
  const at = (row) => (row.spawned_at ? place(row.spawned_at) : "not through lockprof");
  const columns = [
    {
      name: "spawned at",
      value: at,
      show: (row) => el("div", {}, `${row.kind} `, row.spawned_at ? shortPlace(row.spawned_at) : at(row)),
    },
    ..."spawned live peak blocked finished panicked cancelled dropped".split(" ").map(count),
  ];
  return table("Tasks and threads by spawn line", columns, rows, (row) => `${row.kind} ${at(row)}`);
}

function watchers(rows) {
  const count = (name) => ({ name, value: (row) => row[name], number: true });
  const at = (row) => place(row.created_at);
  const columns = [
    { name: "registered at", value: at, show: (row) => shortPlace(row.created_at) },
    ..."live released delivered".split(" ").map(count),
  ];
  return table("Watchers by the line that registers them", columns, rows);
}

function spans(rows) {
  const time = (name, value) => ({ name, value, number: true, show: (row) => (value(row) ? duration(value(row)) : "–") });
  const columns = [
    {
      name: "span",
      value: (row) => row.name,
      show: (row) => el("div", {}, row.name, el("br"), row.at ? shortPlace(row.at) : ""),
    },
    time("wait", (row) => row.stood_ns),
    time("max", (row) => row.max_ns),
    { name: "longest in trace", value: (row) => row.longest },
    time("hold", (row) => row.hold_ns),
    ...onCpu(rows),
    { name: "tasks", value: (row) => row.tasks, number: true },
  ];
  return table("Waiting by span", columns, rows, (row) => `${row.name} ${row.at} ${row.longest}`);
}

/// The column of time on a core, where that was sampled.
function onCpu(rows) {
  const show = (row) => (row.cpu_ns ? duration(row.cpu_ns) : "–");
  return rows.some((row) => row.cpu_ns) ? [{ name: "on CPU", value: (row) => row.cpu_ns, number: true, show }] : [];
}

function requests(rows) {
  const time = (name, value) => ({ name, value, number: true, show: (row) => duration(value(row)) });
  const columns = [
    { name: "trace id", value: (row) => row.trace_id },
    { name: "span", value: (row) => row.name },
    time("wait", (row) => row.stood_ns),
    time("max", (row) => row.max_ns),
    ...onCpu(rows),
    {
      name: "longest",
      value: (row) => `${row.operation} ${row.object}`,
      show: (row) => el("div", {}, `${row.operation} ${row.object}`, el("br"), row.at ? shortPlace(row.at) : ""),
    },
  ];
  return table("Requests that waited longest", columns, rows);
}
