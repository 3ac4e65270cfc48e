"use strict";
// Findings as cards, each with its source lines, its parties, and who waits for whom.

const MOST_PARTIES = 8;
const FIRM_DEADLOCK = new Set(["LP0001", "LP0002", "LP0003", "LP0004", "LP0005"]);

/** How many findings there are of each verdict. */
function verdicts(cards) {
  const count = (verdict) => cards.filter(({ finding }) => finding.verdict === verdict).length;
  const told = ["proved", "suspected", "hazard"].filter(count).map((verdict) => `${count(verdict)} ${verdict}`);
  return told.length ? `${told.join(", ")}; most costly first.` : "None: nothing that was recorded is stuck, leaks or is hot.";
}

function findingCard({ finding, spots }) {
  const who = finding.parties.slice(0, MOST_PARTIES);
  return el(
    "article",
    { class: `card ${finding.verdict}` },
    el("h3", {}, el("span", { class: "badge" }, `${finding.verdict} ${finding.code}`), breakable(finding.message)),
    spots.map(spotLine),
    FIRM_DEADLOCK.has(finding.code) ? waitGraph(who) : null,
    el(
      "ul",
      {},
      finding.notes.map((note) => el("li", {}, breakable(note))),
      finding.blocked_ns > 0
        ? el("li", {}, `cost: ${duration(finding.blocked_ns)} waited, all parties together`)
        : null,
    ),
    el("p", {}, el("strong", {}, "What to change: "), finding.help),
    who.length
      ? el(
          "details",
          {},
          el(
            "summary",
            {},
            plural(finding.parties.length + finding.more_parties, "party").replace("partys", "parties"),
          ),
          el("ul", {}, who.map(partyItem)),
        )
      : null,
  );
}

function spotLine(spot) {
  const at = el("code", {}, breakable(`${spot.file}:${spot.line}`));
  if (spot.source == null) return el("div", { class: "spot" }, at, " ", breakable(spot.label));
  const [before, after] = [spot.source.slice(0, spot.column - 1), spot.source.slice(spot.column - 1)];
  const word = /^[\p{L}\p{N}_]*/u.exec(after)[0] || after.slice(0, 1);
  return el(
    "div",
    { class: "spot" },
    at,
    ` ${spot.label}`,
    el("pre", {}, before, el("mark", {}, word), after.slice(word.length)),
  );
}

function partyItem(party) {
  const name = partyName(party);
  return el(
    "li",
    {},
    `${name}, ${party.role}`,
    party.spawned_at ? `, spawned at ${place(party.spawned_at)}` : "",
    el(
      "ul",
      {},
      party.waits.map((wait) =>
        el(
          "li",
          {},
          `waits ${duration(wait.since_ns)} at ${place(wait.at)}: ${wait.operation} on ${wait.object}${wait.within ? `, in ${wait.within}` : ""}`,
          wait.stack.length
            ? el(
                "details",
                {},
                el("summary", {}, "stack"),
                el(
                  "ol",
                  { class: "mono" },
                  wait.stack.map((frame) => el("li", {}, frame)),
                ),
              )
            : null,
        ),
      ),
      party.holds.map((hold) =>
        el("li", {}, `holds ${hold.object} since ${duration(hold.since_ns)}, taken at ${place(hold.at)}`),
      ),
    ),
  );
}

function partyName(party) {
  return party.name.startsWith(party.kind) ? party.name : `${party.kind} ${party.id} (${party.name})`;
}

/** Parties and objects on a circle: an arrow from who waits to what for, and from that to who holds it. */
function waitGraph(parties) {
  const nodes = new Map(),
    edges = [];
  const node = (key, text, kind, inside) => (nodes.has(key) ? key : (nodes.set(key, { text, kind, inside }), key));
  const partyKey = (party) => `${party.kind} ${party.id}`;
  const partyNode = (party) => node(partyKey(party), partyName(party), "party", party.kind);
  const isEndOf = (what, party) =>
    what === `the end of ${partyKey(party)}` || what.startsWith(`the end of ${partyKey(party)} (`);
  const holders = new Map();
  for (const party of parties)
    for (const hold of party.holds) holders.set(hold.object_id, [...(holders.get(hold.object_id) || []), party]);
  // In the order of waiting, so that a cycle stands around the circle.
  const queue = [...parties],
    seen = new Set();
  while (queue.length) {
    const party = queue.shift();
    if (seen.has(party)) continue;
    seen.add(party);
    const from = partyNode(party);
    for (const wait of party.waits) {
      const ended = wait.object_id === 0 && parties.find((other) => isEndOf(wait.object, other));
      if (ended) {
        edges.push([from, partyNode(ended), "", wait.operation]);
        queue.unshift(ended);
        continue;
      }
      const object = node(
        `object ${wait.object_id}`,
        wait.object,
        "object",
        wait.object.split(" ")[0].split("::").pop(),
      );
      edges.push([from, object, "", wait.operation]);
      for (const holder of holders.get(wait.object_id) || []) {
        edges.push([object, partyNode(holder), "held", "held by"]);
        queue.unshift(holder);
      }
    }
  }
  return edges.length
    ? drawGraph(nodes, [...new Map(edges.map((edge) => [edge.join("\u0000"), edge])).values()])
    : null;
}

function drawGraph(nodes, edges) {
  const [width, height, radius] = [640, 400, 140];
  const at = new Map(
    [...nodes.keys()].map((key, number) => {
      const angle = (number / nodes.size) * 2 * Math.PI - Math.PI / 2;
      return [key, [width / 2 + 1.6 * radius * Math.cos(angle), height / 2 + radius * Math.sin(angle)]];
    }),
  );
  const id = `arrow${(drawGraph.count = (drawGraph.count || 0) + 1)}`;
  const text = [...nodes.values()].map((of) => of.text).join(", ");
  const line = ([from, to, sort]) => {
    const [[x1, y1], [x2, y2]] = [at.get(from), at.get(to)];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
    // Bent a little, so that there and back are two lines.
    const [mx, my] = [(x1 + x2) / 2 - dy * 20, (y1 + y2) / 2 + dx * 20];
    return svg("path", {
      class: `edge ${sort}`,
      "marker-end": `url(#${id})`,
      d: `M${x1 + dx * 30},${y1 + dy * 22} Q${mx},${my} ${x2 - dx * 34},${y2 - dy * 26}`,
    });
  };
  const label = ([from, to, , name]) => {
    const [[x1, y1], [x2, y2]] = [at.get(from), at.get(to)];
    return svg("text", { class: "soft", x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 4 }, name);
  };
  const box = ([key, { text, kind, inside }]) => {
    const [x, y] = at.get(key);
    const name = shortPlaces(text.replace(/^.* (?:created|first used) at /, ""));
    const shown = name.length > 34 ? `…${name.slice(-33)}` : name;
    const shape =
      kind === "party"
        ? svg("ellipse", { class: kind, cx: x, cy: y, rx: 30, ry: 20 })
        : svg("rect", { class: kind, x: x - 28, y: y - 18, width: 56, height: 36, rx: 4 });
    return svg(
      "g",
      {},
      svg("title", {}, text),
      shape,
      svg("text", { class: "inside", x, y: y + 4 }, inside.slice(0, 9)),
      svg("text", { x, y: y + 36 }, shown),
    );
  };
  const drawing = svg(
    "svg",
    { class: "waits", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Who waits for whom: ${text}` },
    svg(
      "defs",
      {},
      svg(
        "marker",
        { id, viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto" },
        svg("path", { d: "M0,0 L10,5 L0,10 z", fill: "context-stroke" }),
      ),
    ),
    edges.map(line),
    [...nodes].map(box),
    edges.map(label),
  );
  return el("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Who waits for whom" }, drawing);
}
