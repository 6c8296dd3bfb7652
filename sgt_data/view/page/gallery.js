"use strict";
// The gallery: cards of samples, page by page, while what has to be read is being read.

(() => {
  const { h } = view;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  let asked = "", round = 0;

  view.onLeave(() => { round += 1; asked = ""; });
  view.items = [];
  view.answer = null;

  view.showGallery = (main, state) => {
    const frame = view.address({ ...state, open: "", page: 0, text: "" });
    if (main.dataset.frame !== frame) {
      main.dataset.frame = frame;
      const hadFocus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.id : "";
      main.replaceChildren(h("div.gallery", {}, view.filterColumn(state),
        h("section.results", { "aria-label": "Samples" },
          h("div.status", {}, view.button("Filters", () => document.body.classList.toggle("filters-open"), { class: "filter-toggle", "aria-controls": "filters" }),
            h("p", { id: "status", role: "status" })),
          h("div", { id: "chips" }), h("div", { id: "problems" }), h("div.cards", { id: "cards" }), h("nav.pager", { id: "pager", "aria-label": "Pages" }))));
      if (hadFocus) (main.querySelector(`[data-id="${CSS.escape(hadFocus)}"]`) || { focus: () => {} }).focus();
      asked = "";
    }
    const field = view.byId("search");
    if (field && field !== document.activeElement) field.value = state.text;
    const query = view.filterFields(state).toString();
    if (query === asked) return;
    asked = query;
    round += 1;
    view.byId("chips").replaceChildren(view.chips(state) || "");
    view.byId("cards").classList.add("loading");
    const own = round;
    view.busy("view", true);
    Promise.all([load(state, own), count(state, own)]).catch((why) => failed(why, own)).then(() => {
      if (own === round) view.busy("view", false);
    });
  };

  const failed = (why, own) => {
    if (own === round) view.byId("problems").replaceChildren(view.problem(why.message));
  };

  const load = async (state, own) => {
    for (let shown = ""; ;) {
      const answer = await view.data.samples(state);
      if (own !== round) return;
      view.answer = answer;
      const keys = JSON.stringify(answer.items.map((item) => [item.shard, item.key]));
      if (keys !== shown || answer.final) show(state, answer, keys !== shown);
      shown = keys;
      status(state, answer);
      if (answer.final) return;
      await pause(150);
    }
  };

  const count = async (state, own) => {
    for (;;) {
      const counts = await view.data.counts(state);
      if (own !== round) return;
      view.lastCounts = counts;
      view.showFacets(state, counts);
      if (counts.complete) return;
      await pause(250);
    }
  };

  const show = (state, answer, changed) => {
    view.items = answer.items;
    const cards = view.byId("cards");
    cards.classList.remove("loading");
    if (changed || !answer.items.length) cards.replaceChildren(...answer.items.map((item) => card(state, item)), ...(answer.items.length ? [h("div.filler", { "aria-hidden": "true" })] : [nothing(answer)]));
    if (changed) view.refreshBar();
    view.byId("pager").replaceChildren(...pager(state, answer));
    view.byId("problems").replaceChildren(...answer.problems.map(view.problem));
  };

  const nothing = (answer) => h("div.nothing", {}, answer.final
    ? [h("p", {}, view.isReport ? "No sample of this page has all of this." : "No sample has all of this."), view.button("Clear the filters", () => view.go(view.noFilters))]
    : h("p", {}, "Nothing so far."));

  const status = (state, answer) => {
    const line = view.byId("status");
    const matches = h("strong", {}, view.plural(answer.matches, "sample"));
    const parts = [matches, answer.final ? ` of ${state.proxy}` : " so far"];
    if (!answer.final) {
      const what = answer.waiting ? "indexes are read first" : answer.what === "instructions"
        ? `searched ${view.count(answer.looked_at)} of ${view.count(answer.of)} instructions`
        : `read ${view.count(answer.looked_at)} of ${view.count(answer.of)} samples`;
      parts.push(h("span.so-far", {}, ` · ${what}`), view.progressBar(answer.looked_at / Math.max(1, answer.of)));
    } else if (answer.what === "instructions") parts.push(h("span.so-far", {}, ` · searched ${view.count(answer.looked_at)} of ${view.count(answer.of)} instructions`));
    if (view.isReport) parts.push(h("span.so-far", {}, ` · this page holds ${view.count(view.data.items(state.proxy).length)} of ${view.count((view.proxyOf(state.proxy) || { totals: { samples: 0 } }).totals.samples)}`));
    line.replaceChildren(...parts);
  };

  const card = (state, item) => {
    const proxy = view.proxyOf(state.proxy);
    const aspect = item.width && item.height ? Math.min(2.2, Math.max(0.66, item.width / item.height)) : 4 / 3;
    const place = { proxy: state.proxy, shard: item.shard, key: item.key };
    const open = view.address({ ...state, open: `${item.shard}/${item.key}` });
    return h("article.card", { "--a": (2 * aspect).toFixed(4) },
      h("a.pair", { href: open, "data-id": `card-${item.key}`, "aria-label": `${item.key}: ${item.instruction}` },
        proxy.missing_input ? view.placeholder("input not in this copy") : view.picture(place, "input"), view.picture(place, "target")),
      item.problem ? view.problem(item.problem) : h("p.instruction", { title: item.instruction }, item.instruction),
      h("p.meta", {}, h("span.key", {}, item.key), item.segments > 0 && h("span", {}, view.plural(item.segments, proxy.type === "boxes" ? "box" : "segment")),
        item.licence && h("span.licence", { title: item.licence }, item.licence)));
  };

  view.placeholder = (words) => h("span.missing", {}, words);

  // A stored picture, or a note where there is none.
  view.picture = (place, member) => {
    const alt = member === "input" ? `input picture of ${place.key}` : `target of ${place.key}, ${place.proxy}`;
    const url = view.data.pictureUrl(place, member);
    if (!url) return view.placeholder(`${member} not held`);
    const image = h("img", { src: url, alt, loading: "lazy", decoding: "async", class: member });
    image.addEventListener("error", () => image.replaceWith(view.placeholder(`${member} cannot be read`)));
    return image;
  };

  const pager = (state, answer) => {
    const pages = Math.max(1, Math.ceil(answer.matches / answer.size));
    if (pages === 1 && !state.page) return [];
    const to = (page) => view.go({ page });
    return [
      view.button("← previous", () => to(state.page - 1), { disabled: state.page <= 0, "data-id": "previous" }),
      h("span", {}, "page ", h("input", { type: "number", min: 1, max: pages, value: state.page + 1, "aria-label": "Page", "data-id": "page",
        onchange: (event) => to(Math.min(pages, Math.max(1, Number(event.target.value) || 1)) - 1) }), ` of ${view.count(pages)}`),
      view.button("next →", () => to(state.page + 1), { disabled: state.page + 1 >= pages, "data-id": "next" }),
    ];
  };

  view.turnPage = (by) => {
    const state = view.read();
    if (!view.answer) return;
    const pages = Math.ceil(view.answer.matches / view.answer.size);
    const page = state.page + by;
    if (page >= 0 && page < pages) view.go({ page });
  };
})();
