"use strict";
// The page, put together.

(() => {
  const { report, cards, drawn, graphs, notes } = data;
  const into = (id, ...children) =>
    document.getElementById(id).append(...children.flat().filter((child) => child != null));
  const name = report.exe.split("/").pop() || "a program";
  document.title = document.querySelector("h1").textContent = `lockprof: ${name}`;

  const lost = Object.entries(report.lost)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count.toLocaleString("en")} ${what}`);
  into(
    "recorded",
    report.processes.map((process) =>
      el(
        "p",
        {},
        `${duration(process.duration_ns)} of ${process.exe} (process ${process.pid}), mode ${process.mode}, ${process.ended}` +
          `${process.reason ? `: ${process.reason}` : ""}, begun ${new Date(process.began_unix_ns / 1e6).toISOString()}`,
      ),
    ),
    lost.length
      ? el("p", { class: "lost" }, `Lost: ${lost.join(", ")}. Numbers are too small by these.`)
      : report.broken
        ? null
        : el("p", {}, "Lost: nothing."),
    report.broken
      ? el("p", { class: "lost" }, "A trace is damaged or cut off, and what it lacks is not below.")
      : null,
    [...report.notes, ...notes].map((note) => el("p", { class: "soft" }, note)),
  );

  into("findings", el("p", {}, verdicts(cards)), cards.map(findingCard));
  into(
    "contention",
    report.classes.length ? contention(report.classes) : el("p", {}, "No lock, map or channel was used."),
  );
  into(
    "timeline",
    drawn.lanes.length ? timeline(drawn) : el("p", {}, "Nobody waited or held for long enough to be noticed."),
  );
  into("levels", drawn.levels.length ? levels(drawn.levels) : el("p", {}, "No task or thread was seen."));
  const parties = [...report.tasks, ...report.threads];
  into("populations", parties.length ? populations(parties) : el("p", {}, "No task or thread was seen."));
  if (report.watchers.length) into("populations", el("h3", {}, "Watchers"), watchers(report.watchers));
  if (report.spans.length) into("populations", el("h3", {}, "Waiting by span"), spans(report.spans));
  if (report.requests.length) {
    into("populations", el("h3", {}, "Requests that waited longest"), requests(report.requests));
  }

  into("graphs", graphs.map(flameGraph));
})();
