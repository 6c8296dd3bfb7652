"use strict";
// Elements and texts of the page. Texts of a corpus are only ever set as text, never as HTML.

const view = { left: [] };

// Called when another view is shown: what a view was waiting for has no place any more.
view.onLeave = (act) => view.left.push(act);

view.h = (name, properties, ...children) => {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  view.set(element, properties || {});
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

view.set = (element, properties) => {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
};

view.svg = (tag, properties, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties || {})) element.setAttribute(name, String(value));
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
};

// While anything that was asked for is not shown, `main` says that it is busy.
const works = new Set();
view.busy = (work, on) => {
  if (on) works.add(work);
  else works.delete(work);
  document.getElementById("main").setAttribute("aria-busy", String(works.size > 0));
};

view.byId = (id) => document.getElementById(id);

view.button = (label, act, properties) =>
  view.h("button", { type: "button", onclick: act, ...(properties || {}) }, label);

const wholeNumbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

view.count = (value) => wholeNumbers.format(value);

view.plural = (value, noun) => {
  const many = noun.endsWith("x") ? `${noun}es` : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${view.count(value)} ${value === 1 ? noun : many}`;
};

view.number = (value) => {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
};

view.percent = (share) => {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value >= 0.01 ? value.toFixed(2) : "< 0.01"} %`;
};

view.bytes = (value) => {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000) return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
};

view.colour = (rgb) => `#${rgb.map((level) => Math.round(level).toString(16).padStart(2, "0")).join("")}`;

// A text with the words that were filled into it marked.
view.marked = (text, words) => {
  const parts = [];
  let rest = text;
  for (;;) {
    const places = words
      .filter(Boolean)
      .map((word) => [rest.toLowerCase().indexOf(word.toLowerCase()), word.length])
      .filter(([at]) => at >= 0)
      .sort((one, other) => one[0] - other[0]);
    if (!places.length) break;
    const [at, length] = places[0];
    parts.push(rest.slice(0, at), view.h("mark", {}, rest.slice(at, at + length)));
    rest = rest.slice(at + length);
  }
  return [...parts, rest];
};

view.problem = (text) => view.h("p.problem", { role: "alert" }, text);

// The tooltip beside the pointer.
const tip = document.getElementById("tip");

view.showTip = (x, y, lines) => {
  tip.replaceChildren(...lines);
  tip.hidden = false;
  const host = view.byId("detail").open ? view.byId("detail") : document.body;
  if (tip.parentNode !== host) host.append(tip);
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - box.width - 12 : x + 16;
  const top = y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18;
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
};

view.hideTip = () => {
  tip.hidden = true;
};
