"use strict";
// One sample: the slider, its instruction, its segments, and the same picture in the other proxies.

(() => {
  const { h } = view;
  let shown = "", round = 0;
  view.stage = null;

  view.showDetail = (state) => {
    const dialog = view.byId("detail");
    if (!state.open) {
      if (dialog.open) dialog.close();
      shown = "";
      round += 1;
      view.busy("sample", false);
      view.stage = null;
      return;
    }
    const at = state.open.lastIndexOf("/");
    const place = { proxy: state.proxy, shard: state.open.slice(0, at), key: state.open.slice(at + 1) };
    const name = JSON.stringify(place);
    if (name === shown) return;
    shown = name;
    round += 1;
    if (!dialog.open) dialog.showModal();
    const own = round;
    view.busy("sample", true);
    load(dialog, place, own).catch((why) => dialog.replaceChildren(bar(place), view.problem(why.message))).then(() => {
      if (own === round) view.busy("sample", false);
    });
  };

  view.closeDetail = () => view.go({ open: "" });

  const load = async (dialog, place, own) => {
    const sample = await view.data.sample(place);
    if (own !== round) return;
    const cut = view.stage ? view.stage.cut() : 50;
    view.hideTip();
    const stage = view.makeStage(sample);
    stage.setCut(cut);
    view.stage = stage;
    dialog.replaceChildren(bar(place),
      h("div.detail-body", {}, h("div.looking", {}, h("div.stage-frame", {}, stage.element), strip(sample)), aside(sample, stage)));
    const current = dialog.querySelector(".strip [aria-current]");
    if (current) current.parentNode.scrollLeft = current.offsetLeft - current.parentNode.clientWidth / 2 + current.clientWidth / 2;
    await view.data.pictureBytes(place, "target").then((bytes) => view.readTarget(sample, bytes)).then((reader) => {
      stage.reader = reader;
      stage.element.dataset.ready = "true";
    }, (why) => dialog.querySelector(".facts-of").prepend(view.problem(`The target cannot be read pixel by pixel: ${why.message}`)));
  };

  const bar = (place) => {
    const number = view.items.findIndex((item) => item.key === place.key && item.shard === place.shard);
    return h("header.detail-bar", {},
      h("h2", {}, place.key, h("small", {}, place.proxy)),
      number >= 0 && view.answer && h("span.place", {}, `${view.count(view.answer.page * view.answer.size + number + 1)} of ${view.count(view.answer.matches)}`),
      view.button("‹", () => view.step(-1), { class: "tool", "aria-label": "Previous sample", title: "Previous sample (←)" }),
      view.button("›", () => view.step(1), { class: "tool", "aria-label": "Next sample", title: "Next sample (→)" }),
      view.button("×", view.closeDetail, { class: "tool", "aria-label": "Close", title: "Close (Esc)" }));
  };

  // The gallery may come after the sample, as where a link leads to it.
  view.refreshBar = () => {
    const old = view.byId("detail").querySelector(".detail-bar");
    if (old && shown) old.replaceWith(bar(JSON.parse(shown)));
  };

  // The previous or next sample, on the page or beyond it.
  view.step = async (by) => {
    const state = view.read();
    const number = view.items.findIndex((item) => `${item.shard}/${item.key}` === state.open);
    if (number < 0) return;
    let item = view.items[number + by], page = state.page;
    if (!item) {
      page += by;
      if (page < 0 || page * view.answer.size >= view.answer.matches) return;
      const { items } = await view.data.samples({ ...state, page });
      item = items[by > 0 ? 0 : items.length - 1];
    }
    if (item) view.go({ open: `${item.shard}/${item.key}`, page });
  };

  // The same key with the previous or next proxy that has it.
  view.stepProxy = (by) => {
    const cells = [...view.byId("detail").querySelectorAll(".strip a")];
    const number = cells.findIndex((cell) => cell.getAttribute("aria-current") === "true");
    const next = cells[number + by];
    if (next) location.hash = next.getAttribute("href");
  };

  const strip = (sample) => {
    const holding = sample.holders.filter((holder) => holder.holds);
    const lacking = sample.holders.filter((holder) => !holder.holds && holder.reason && !holder.reason.startsWith("it is not drawn"));
    if (holding.length < 2 && !lacking.length) return null;
    const state = view.read();
    return h("nav.strip", { "aria-label": "The same picture in other proxies" },
      holding.map(({ proxy }) => h("a", { href: view.address({ ...view.kept(state, proxy), open: `${sample.shard}/${sample.key}` }), "aria-current": proxy === sample.proxy ? "true" : null, title: proxy },
        view.picture({ proxy, shard: sample.shard, key: sample.key }, "target"), h("span", {}, proxy))),
      lacking.map(({ proxy, reason }) => h("span.lacking", { title: reason }, h("span.missing", {}, reason), h("span", {}, proxy))));
  };

  // Filters make sense in their own proxy alone.
  view.kept = (state, proxy) => (proxy === state.proxy ? state : { ...state, ...view.noFilters, proxy, page: 0 });

  const aside = (sample, stage) => h("aside.facts-of", {},
    h("blockquote", {}, view.marked(sample.instruction, sample.words)),
    depthScale(sample), distanceScale(sample), legend(sample, stage), about(sample),
    Object.keys(sample.facts).length > 0 && h("details", {}, h("summary", {}, "JSON"), h("pre", {}, JSON.stringify(sample.facts, null, 1))));

  const depthScale = ({ depth }) => {
    if (!depth) return null;
    const text = (inverse) => (depth.metric ? `${view.number(1 / inverse)} m` : view.number(inverse));
    const colours = (depth.colours || [[0, 0, 0], [255, 255, 255]]).map(view.colour);
    const stops = colours.filter((_, place) => place % 15 === 0 || place === colours.length - 1);
    return h("section", {}, h("h3", {}, "Depth"), h("div.ramp", { "--ramp": `linear-gradient(to right, ${stops.join(", ")})` }),
      h("div.ramp-ends", {}, h("span", {}, `far ${text(depth.low)}`), h("span", {}, `near ${text(depth.high)}`)));
  };

  const distanceScale = ({ distance }) => {
    if (!distance) return null;
    const stops = distance.corners.map(view.colour);
    return h("section", {}, h("h3", {}, "Distance"), h("div.ramp", { "--ramp": `linear-gradient(to right, ${stops.join(", ")})` }),
      h("div.ramp-ends", {}, h("span", {}, "0 m"), h("span", {}, "infinitely far")),
      h("p", {}, `nearest ${view.number(distance.near)} m, farthest ${view.number(distance.far)} m`));
  };

  const legend = (sample, stage) => {
    const { segments } = sample;
    if (!segments.length) return null;
    const groups = new Map();
    segments.forEach((segment, index) => groups.set(segment.category, [...(groups.get(segment.category) || []), index + 1]));
    const weight = (numbers) => numbers.reduce((sum, number) => sum + (view.areaOf(sample, segments[number - 1]) || 0), 0);
    const ordered = [...groups].sort((one, other) => weight(other[1]) - weight(one[1]));
    const undrawn = sample.undrawn ? `, ${view.count(sample.undrawn)} not drawn` : "";
    const noun = sample.reading === "boxes" ? "box" : "segment";
    const list = h("ul.legend", {}, ordered.map(([category, numbers]) => h("li", {},
      category && h("div.category", {}, view.button(category, () => { view.go({ ...view.noFilters, category: [category], open: "", page: 0 }); }, { title: `All samples with ${category}` }),
        h("span.n", {}, figures(sample, numbers, weight(numbers)))),
      h("div.chips-of", {}, numbers.slice(0, 400).map((number) => chip(sample, stage, number))))));
    stage.element.addEventListener("marked", (event) => {
      for (const button of list.querySelectorAll(".seg")) button.classList.toggle("on", Number(button.dataset.number) === event.detail);
    });
    return h("section", {}, h("h3", {}, view.plural(segments.length, noun), h("small", {}, undrawn)), list);
  };

  // Boxes overlap, so that their areas do not add up.
  const figures = (sample, numbers, share) => [numbers.length > 1 && view.count(numbers.length),
    (numbers.length === 1 || sample.reading !== "boxes") && view.percent(share)].filter(Boolean).join(" · ");

  const chip = (sample, stage, number) => {
    const segment = sample.segments[number - 1];
    const share = view.areaOf(sample, segment);
    const mark = () => stage.mark(number), unmark = () => stage.mark(0);
    return h("button.seg", { type: "button", "data-number": number, "--colour": segment.color ? view.colour(segment.color) : "transparent",
      "aria-label": `${view.segmentName(segment)}${share === null ? "" : `, ${view.percent(share)} of the picture`}`,
      onmouseenter: (event) => { mark(); view.showTip(event.clientX, event.clientY, view.aboutSegment(sample, number)); },
      onmouseleave: () => { unmark(); view.hideTip(); }, onfocus: mark, onblur: unmark });
  };

  const about = (sample) => {
    const { source } = sample;
    const rows = [["source", source.name], ["member", source.member], ["licence", source.licence],
      ["source size", source.size && source.size.join(" × ")], ["size", sample.size && sample.size.join(" × ")], ...sample.about, ["shard", sample.shard]];
    return h("section", {}, h("h3", {}, "About"), h("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))])));
  };
})();
