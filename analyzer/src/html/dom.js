"use strict";
// What all parts use. Texts reach the page as text nodes and attributes alone, never as markup: names may be anything.

const data = JSON.parse(document.getElementById("data").textContent);

/** An element: its attributes (functions are listeners), and children (texts or elements; null is left out). */
function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same of a drawing. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** A length of time for people. */
function duration(ns) {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  if (ns < 12e10) return `${(ns / 1e9).toFixed(2)} s`;
  if (ns < 72e11) return `${(ns / 6e10).toFixed(1)} min`;
  return `${(ns / 3.6e12).toFixed(1)} h`;
}

/** "file:line" of "file:line:column". */
function place(at) {
  return at.replace(/:\d+$/, "") || "?";
}

function plural(count, what) {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

/** The same as code, without the folders in front where they are many; the whole is its title. */
function shortPlace(at) {
  const whole = place(at),
    parts = whole.split("/");
  return el("code", { title: whole }, parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : whole);
}

/** A sentence with its places shortened in the same way. */
function shortPlaces(text) {
  return text.replace(/\S+\/(\S+\/\S+:\d+)/g, "…/$1");
}

/** A text whose paths are broken behind a slash, where a line is too short for them. */
function breakable(text) {
  return text.split("/").flatMap((part, place) => (place ? ["/", el("wbr"), part] : [part]));
}
