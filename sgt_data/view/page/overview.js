"use strict";
// What the corpus is: totals, proxies, sources, and why inputs were rejected.

(() => {
  const { h } = view;
  const sum = (name) => view.overview.proxies.reduce((total, proxy) => total + (proxy.totals[name] || 0), 0);

  view.showOverview = (main, state) => {
    main.dataset.frame = "";
    const { overview } = view;
    const isExport = overview.kind === "export";
    main.replaceChildren(h("div.wide", {},
      h("div.tiles", {}, tile("samples", view.count(sum("samples"))), tile("proxies", view.count(overview.proxies.length)),
        !isExport && tile("segments", view.count(sum("segments"))), !isExport && tile("in tars", view.bytes(sum("bytes"))),
        !isExport && tile("rejected", view.count(sum("damaged") + sum("filtered")), `${view.count(sum("damaged"))} damaged, ${view.count(sum("filtered"))} filtered`)),
      section("Proxies", proxyTable(state)),
      !isExport && section("Sources", sourceTable()),
      overview.rejected && section("Rejected inputs", h("div", { id: "top-reasons" }), h("p", {}, h("a", { href: view.address({ ...state, view: "rejected", page: 0 }) }, "all reasons, with examples →"))),
      section("About", h("dl", {}, [["name", overview.title], ["kind", overview.kind], ["place", overview.url], ["format", overview.format],
        ["left out", overview.left_out.join(", ")]].filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])))));
    if (overview.rejected) view.data.reasons().then((answer) => {
      const list = view.byId("top-reasons");
      if (list) list.replaceChildren(view.reasonList(state, answer, 4));
    }).catch(() => {});
  };

  const tile = (name, value, more) => h("div.tile", {}, h("strong", {}, value), h("span", {}, name), more && h("small", {}, more));

  const section = (title, ...children) => h("section.block", {}, h("h2", {}, title), ...children);

  const table = (heads, rows) => h("div.scrolls", {}, h("table", {},
    h("thead", {}, h("tr", {}, heads.map((head, place) => h("th", { scope: "col", class: place ? "n" : null }, head)))),
    h("tbody", {}, rows.map(([first, ...cells]) => h("tr", {}, h("th", { scope: "row" }, first), cells.map((cell) => h("td.n", {}, cell)))))));

  const counts = (names, totals) => names.map((name) => (name === "bytes" ? view.bytes(totals[name] || 0) : totals[name] ? view.count(totals[name]) : "·"));

  const proxyTable = (state) => {
    const names = ["samples", "segments", "damaged", "filtered", "notes", "lost", "shards", "bytes"].filter((name) => name === "samples" || view.overview.proxies.some((proxy) => proxy.totals[name]));
    return table(["proxy", ...names], view.overview.proxies.map((proxy) => [
      [view.tierDot(proxy.tier), h("a", { href: view.address({ ...state, ...view.noFilters, view: "gallery", proxy: proxy.name, page: 0 }) }, proxy.name)],
      ...counts(names, proxy.totals)]));
  };

  const sourceTable = () => {
    const names = ["inputs", "samples", "damaged", "filtered", "segments"];
    const rows = view.overview.sources.map((source) => {
      const totals = {};
      for (const proxy of view.overview.proxies) for (const name of names) totals[name] = (totals[name] || 0) + ((proxy.sources[source.name] || {})[name] || 0);
      return [[source.name, source.type && source.type !== source.name ? h("small", {}, ` ${source.type}`) : null], ...counts(names, totals)];
    });
    return table(["source, over all proxies", ...names], rows);
  };
})();
