"use strict";
// A flame graph that hangs from its root: click or Enter zooms, words are searched, frames of libraries can be left out.

const NARROW = 0.002; // Of the width: narrower frames are not drawn until they are zoomed into.

/** The tree of the frames in the order of a walk; hidden frames leave their children to who is below them. */
function flameTree({ names, library, frames }, ownOnly) {
  const root = { name: "all", weight: 0, children: new Map(), parent: null };
  const path = [{ depth: -1, node: root }];
  for (const [depth, name, weight] of frames) {
    while (path[path.length - 1].depth >= depth) path.pop();
    const parent = path[path.length - 1].node;
    if (depth === 0) root.weight += weight;
    let node = parent;
    if (!(ownOnly && library[name])) {
      node = parent.children.get(name) || { name: names[name], weight: 0, children: new Map(), parent };
      node.weight += weight;
      parent.children.set(name, node);
    }
    path.push({ depth, node });
  }
  return root;
}

function flameGraph({ title, unit, empty, file, tree }) {
  const head = el("h3", {}, title);
  if (!tree.frames.length) return el("div", { class: "graph" }, head, el("p", {}, empty));
  let root = flameTree(tree, true),
    top = root;
  const box = el("div", {
    class: "flame",
    role: "group",
    "aria-label": `${title}. Arrow keys move, Enter zooms, Escape zooms out.`,
  });
  const status = el("p", { class: "soft", role: "status" });
  const search = el("input", {
    type: "search",
    placeholder: "Search (regular expression)",
    "aria-label": `Search: ${title}`,
    input: () => draw(),
  });
  const own = el("input", {
    type: "checkbox",
    checked: "",
    change: () => {
      root = top = flameTree(tree, own.checked);
      draw();
    },
  });
  const hue = (name) => ([...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % 45) + 15;
  const amount = (weight) =>
    unit.startsWith("µs")
      ? duration(weight * 1e3) + unit.slice(2)
      : `${Math.round(weight).toLocaleString("en")} ${unit}`;
  const about = (node) =>
    `${node.name}: ${amount(node.weight)}, ${((node.weight / root.weight) * 100).toFixed(1)} %`;

  function draw(focus = top) {
    let words = null,
      deepest = 0,
      found = 0;
    try {
      words = search.value ? new RegExp(search.value, "i") : null;
    } catch {
      /* Not whole yet. */
    }
    const frames = [];
    const place = (node, left, depth, isFound) => {
      const width = Math.min(node.weight / top.weight, 1);
      if (width < NARROW) return;
      const hit = words && node !== root && words.test(node.name);
      if (hit && !isFound) found += node.weight;
      deepest = Math.max(deepest, depth);
      frames.push(frame(node, left, width, depth, hit));
      let at = left;
      const children = [...node.children.values()].sort((one, other) => other.weight - one.weight);
      for (const child of children) {
        place(child, at, depth + 1, isFound || hit);
        at += child.weight / top.weight;
      }
    };
    const below = [];
    for (let node = top.parent; node; node = node.parent) below.unshift(node);
    below.forEach((node, depth) => frames.push(frame(node, 0, 1, depth, false)));
    place(top, 0, below.length, false);
    box.replaceChildren(...frames);
    box.style.height = `${(deepest + 1) * 1.2}rem`;
    status.textContent = words ? `${((found / top.weight) * 100).toFixed(1)} % found` : about(top);
    return frames.find((of) => of.node === focus);
  }

  function frame(node, left, width, depth, hit) {
    const button = el(
      "button",
      {
        type: "button",
        class: hit ? "found" : null,
        title: about(node),
        tabindex: node === top ? 0 : -1,
        style: `left:${left * 100}%;width:${width * 100}%;top:${depth * 1.2}rem;background:hsl(${hue(node.name)} 75% 72%)`,
        click: () => {
          top = node;
          draw().focus();
        },
        focus: () => {
          if (!search.value) status.textContent = about(node);
        },
      },
      node.name,
    );
    button.node = node;
    return button;
  }

  const near = (node, by) => {
    const row = [...box.children].filter((of) => of.style.top === node.style.top);
    return row.sort((one, other) => parseFloat(one.style.left) - parseFloat(other.style.left))[row.indexOf(node) + by];
  };
  const button = (node) => [...box.children].find((of) => of.node === node);
  const child = (node) => [...box.children].find((of) => of.node.parent === node);
  box.addEventListener("keydown", (event) => {
    const at = event.target;
    const to = {
      ArrowDown: () => child(at.node),
      ArrowUp: () => button(at.node.parent),
      ArrowLeft: () => near(at, -1),
      ArrowRight: () => near(at, 1),
      Escape: () => {
        top = root;
        return draw(at.node);
      },
    }[event.key];
    if (!to) return;
    event.preventDefault();
    to()?.focus();
  });
  draw();
  return el(
    "div",
    { class: "graph" },
    head,
    el(
      "div",
      { class: "tools" },
      search,
      el("label", {}, own, " the program's own frames alone"),
      el(
        "button",
        {
          type: "button",
          click: () => {
            top = root;
            draw().focus();
          },
        },
        "all",
      ),
      el("span", { class: "soft" }, "The same alone: ", el("a", { href: file }, file)),
    ),
    box,
    status,
  );
}
