"use strict";
// The column beside the gallery: proxies by tier, the search, and filters with their counts.

(() => {
  const { h } = view;
  const tiers = [["high", "what is in the picture"], ["mid", "where it is"], ["low", "what it looks like"], ["", ""]];
  const longList = 10;
  const opened = new Set();
  let typed = 0;

  view.tierDot = (tier) => h(`span.dot.tier-${tier || "none"}`, { "aria-hidden": "true" });

  view.proxyOf = (name) => view.overview.proxies.find((proxy) => proxy.name === name);

  view.filterColumn = (state) => h("aside.filters", { id: "filters", "aria-label": "Filters" },
    search(state), proxies(state), h("div", { id: "facets" }), range(state), order(state));

  const search = (state) => h("form.search", { role: "search", onsubmit: (event) => event.preventDefault() },
    h("label.hidden", { for: "search" }, "Search"),
    h("div.field", {}, h("input", { id: "search", type: "search", maxlength: 200, placeholder: `Search ${state.in === "key" ? "keys" : "instructions"}`,
      value: state.text, "data-id": "search", autocomplete: "off", oninput: (event) => later(() => view.go({ text: event.target.value.trim() }, true)) }), h("kbd", { "aria-hidden": "true" }, "/")),
    h("div.switch", { role: "group", "aria-label": "Where to search" },
      ["instruction", "key"].map((where) => view.button(where === "key" ? "keys" : "instructions",
        () => view.go({ in: where }, true), { "aria-pressed": String(state.in === where), "data-id": `in-${where}` }))));

  const later = (act) => {
    clearTimeout(typed);
    view.busy("typing", true);
    typed = setTimeout(() => {
      act();
      view.busy("typing", false);
    }, 250);
  };

  const proxies = (state) => h("section", { "aria-label": "Proxies" },
    tiers.map(([tier, words]) => {
      const members = view.overview.proxies.filter((proxy) => proxy.tier === tier);
      if (!members.length) return null;
      return h("div.tier", {},
        h("h3", {}, view.tierDot(tier), tier ? `${tier} ` : "proxies", words && h("small", {}, words)),
        h("ul.proxies", {}, members.map((proxy) => h("li", {}, h("a", {
          href: view.address({ ...state, ...view.noFilters, view: "gallery", proxy: proxy.name, page: 0, open: "", text: state.text }),
          "aria-current": proxy.name === state.proxy ? "true" : null, "data-id": `proxy-${proxy.name}` },
          h("span", {}, proxy.name), h("span.n", {}, view.count(view.isReport ? view.data.items(proxy.name).length : proxy.totals.samples)))))));
    }));

  const hasSegments = (state) => {
    const proxy = view.proxyOf(state.proxy);
    return Boolean(proxy && proxy.totals.segments);
  };

  const range = (state) => {
    const bound = (name, label) => h("label", {}, h("span.hidden", {}, label),
      h("input", { type: "number", min: 0, step: 1, inputmode: "numeric", value: state[name], placeholder: label, "data-id": `range-${name}`,
        onchange: (event) => view.go({ [name]: event.target.value }) }));
    if (!hasSegments(state)) return null;
    return h("section.range", {}, h("h3", {}, "Segments"), h("div", {}, bound("least", "from"), h("span", { "aria-hidden": "true" }, "–"), bound("most", "to")));
  };

  const order = (state) => {
    const names = { corpus: "as in the corpus", shuffled: "shuffled", most: "most segments first", fewest: "fewest segments first" };
    if (view.isReport) delete names.shuffled;
    if (!hasSegments(state)) { delete names.most; delete names.fewest; }
    return h("section", {}, h("h3", {}, h("label", { for: "order" }, "Order")),
      h("select", { id: "order", onchange: (event) => view.go({ order: event.target.value }) },
        Object.entries(names).map(([value, text]) => h("option", { value, selected: state.order === value }, text))));
  };

  // Counts by source, licence and category; called again while indexes are being read.
  view.showFacets = (state, counts) => {
    const facets = view.byId("facets");
    if (!facets) return;
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.id : "";
    const scrolls = new Map([...facets.querySelectorAll(".names")].map((list) => [list.dataset.of, list.scrollTop]));
    facets.replaceChildren(...[["source", "Source"], ["licence", "Licence"], ["category", "Category"]]
      .map(([name, title]) => facet(state, name, title, counts[name])).filter(Boolean),
      ...(view.isReport ? [h("p.reading", {}, "Counts beside filters are those of this page.")]
        : state.text && state.in === "instruction" ? [h("p.reading", {}, "Counts beside filters leave the searched text aside.")] : []),
      ...(counts.complete ? [] : [h("p.reading", { role: "status" },
        `Reading indexes: ${view.count(counts.read)} of ${view.count(counts.of)} samples`, bar(counts.read / counts.of))]));
    for (const list of facets.querySelectorAll(".names")) list.scrollTop = scrolls.get(list.dataset.of) || 0;
    if (focused) (facets.querySelector(`[data-id="${CSS.escape(focused)}"]`) || { focus: () => {} }).focus();
  };

  const bar = (share) => h("span.bar", { "aria-hidden": "true" }, h("span", { "--share": `${(100 * share).toFixed(1)}%` }));
  view.progressBar = bar;

  const facet = (state, name, title, { counts, more }) => {
    const chosen = state[name];
    const missing = chosen.filter((value) => !counts.some(([other]) => other === value)).map((value) => [value, 0]);
    const rows = [...counts, ...missing];
    if (!rows.length || (rows.length === 1 && !chosen.length && name !== "category")) return null;
    const whole = opened.has(name) || rows.length <= longList;
    const shown = whole ? rows : rows.filter(([value], place) => place < longList || chosen.includes(value));
    const most = Math.max(1, ...rows.map(([, count]) => count));
    return h(`section.facet.of-${name}`, {}, h("h3", {}, title, h("small", {}, rows.length > 1 ? view.count(rows.length + more) : "")),
      h("ul.names", { "data-of": name }, shown.map(([value, count]) => h("li", {}, h("label", { title: value, "--share": `${((100 * count) / most).toFixed(1)}%` },
        h("input", { type: "checkbox", checked: chosen.includes(value), "data-id": `${name}-${value}`,
          onchange: () => view.toggle(name, value) }),
        h("span.name", {}, value || "not stated"), h("span.n", {}, view.count(count)))))),
      !whole && view.button(`all ${view.count(rows.length)}`, () => { opened.add(name); view.showFacets(view.read(), view.lastCounts); }, { class: "more", "data-id": `more-${name}` }),
      more > 0 && whole && h("p.reading", {}, `and ${view.count(more)} rarer ones`));
  };

  view.toggle = (name, value) => {
    const chosen = view.read()[name];
    view.go({ [name]: chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value] });
  };

  // The filters that are set, each with a button that takes it away.
  view.chips = (state) => {
    const words = { least: "at least", most: "at most", text: state.in === "key" ? "key:" : "text:" };
    const filters = view.filtersOf(state);
    if (!filters.length) return null;
    return h("ul.chips", { "aria-label": "Filters that are set" }, filters.map(([name, value]) => h("li", {},
      view.button([h("span", {}, `${words[name] || ""} ${value}${name in words && name !== "text" ? " segments" : ""}`), h("span", { "aria-hidden": "true" }, "×")],
        () => view.go(Array.isArray(state[name]) ? { [name]: state[name].filter((other) => other !== value) } : { [name]: "" }),
        { "aria-label": `Remove the filter ${value}` }))),
      h("li", {}, view.button("clear all", () => view.go(view.noFilters), { class: "clear" })));
  };
})();
