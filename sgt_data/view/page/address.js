"use strict";
// What is shown, as the part of the address after `#`, so that it can be shared and gone back to.

(() => {
  const lists = ["source", "licence", "category"];
  const texts = { view: "gallery", proxy: "", least: "", most: "", text: "", in: "instruction",
    order: "corpus", page: "0", open: "", kind: "", reason: "", folder: "" };

  view.read = () => {
    const fields = new URLSearchParams(location.hash.slice(1));
    const state = {};
    for (const [name, usual] of Object.entries(texts)) state[name] = fields.get(name) ?? usual;
    for (const name of lists) state[name] = fields.getAll(name);
    if (view.overview && !view.proxyOf(state.proxy)) {
      const { proxies } = view.overview;
      state.proxy = (proxies.find((proxy) => proxy.totals.samples) || proxies[0] || { name: "" }).name;
    }
    state.page = Math.max(0, Number.parseInt(state.page, 10) || 0);
    return state;
  };

  view.address = (state) => {
    const fields = new URLSearchParams();
    for (const [name, usual] of Object.entries(texts)) {
      const value = String(state[name] ?? usual);
      if (value !== usual) fields.set(name, value);
    }
    for (const name of lists) for (const value of state[name] || []) fields.append(name, value);
    return `#${fields}`;
  };

  // Change parts of what is shown; a change of filters begins at the first page.
  view.go = (changes, replaces) => {
    const state = { ...view.read(), ...changes };
    const keepsPage = "page" in changes || "open" in changes;
    if (!keepsPage) state.page = 0;
    const address = view.address(state);
    if (replaces) {
      history.replaceState(null, "", address);
      view.render();
    } else if (location.hash !== address) location.hash = address;
  };

  view.filterFields = (state) => {
    const fields = new URLSearchParams();
    for (const name of ["proxy", "least", "most", "text", "order"]) if (state[name]) fields.set(name, state[name]);
    if (state.text) fields.set("in", state.in);
    for (const name of lists) for (const value of state[name]) fields.append(name, value);
    fields.set("page", state.page);
    return fields;
  };

  view.filtersOf = (state) => [
    ...lists.flatMap((name) => state[name].map((value) => [name, value])),
    ...["least", "most", "text"].filter((name) => state[name]).map((name) => [name, state[name]]),
  ];

  view.noFilters = { source: [], licence: [], category: [], least: "", most: "", text: "" };
})();
