"use strict";
// What the corpus is: totals, proxies, sources, and why inputs were rejected.

(() => {
  const { h } = view;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const sum = (name) => view.overview.proxies.reduce((total, proxy) => total + (proxy.totals[name] || 0), 0);
  let round = 0;
  view.onLeave(() => { round += 1; });

  view.showOverview = (main, state) => {
    main.dataset.frame = "";
    round += 1;
    const { overview } = view;
    const inputs = overview.inputs ? overview.inputs.bytes : 0;
    const isExport = overview.kind === "export";
    main.replaceChildren(h("div.wide", {},
      h("div.tiles", {}, pictures() > 0 && tile("pictures", view.count(pictures())), tile("samples", view.count(sum("samples"))), tile("proxies", view.count(overview.proxies.length)),
        !isExport && tile("segments", view.count(sum("segments"))), !isExport && tile("in tars", view.bytes(sum("bytes") + inputs), inputs > 0 && `${view.bytes(inputs)} of them shared inputs`),
        !isExport && tile("rejected, over all proxies", view.count(sum("damaged") + sum("filtered")), `${view.count(sum("damaged"))} damaged, ${view.count(sum("filtered"))} filtered`)),
      section("Proxies", proxyTable(state)),
      !isExport && section("Sources", sourceTable()),
      overview.rejected && section("Rejected inputs", h("div", { id: "top-reasons" }), h("p", {}, h("a", { href: view.address({ ...state, view: "rejected", page: 0 }) }, "all reasons, with examples →"))),
      section("About", h("dl", {}, [["name", overview.title], ["kind", overview.kind], ["place", overview.url], ["format", overview.format],
        ["left out", overview.left_out.join(", ")]].filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])))));
    if (overview.rejected) {
      const own = round;
      view.busy("view", true);
      reasons(state, own).catch((why) => view.byId("top-reasons").replaceChildren(view.problem(why.message))).then(() => {
        if (own === round) view.busy("view", false);
      });
    }
  };

  const reasons = async (state, own) => {
    for (;;) {
      const answer = await view.data.reasons();
      if (own !== round) return;
      view.byId("top-reasons").replaceChildren(view.reasonList(state, answer, 4), view.ledgersRead(answer));
      if (answer.complete) return;
      await pause(300);
    }
  };

  // Every proxy that takes a source accounts for all of its inputs.
  const inputsOf = (source) => Math.max(0, ...view.overview.proxies.map((proxy) => (proxy.sources[source.name] || { inputs: 0 }).inputs));
  const pictures = () => view.overview.sources.reduce((total, source) => total + inputsOf(source), 0);

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
      ...counts(names, proxy.totals)]).concat(view.overview.inputs ? [["input, shared by them", ...counts(names, { ...view.overview.inputs, samples: 0 })]] : []));
  };

  const sourceTable = () => {
    const names = ["samples", "segments", "damaged", "filtered"].filter((name) => name === "samples" || sum(name));
    const rows = view.overview.sources.map((source) => {
      const totals = {};
      for (const proxy of view.overview.proxies) for (const name of names) totals[name] = (totals[name] || 0) + ((proxy.sources[source.name] || {})[name] || 0);
      return [[source.name, source.type && source.type !== source.name ? h("small", {}, ` ${source.type}`) : null], view.count(inputsOf(source)), ...counts(names, totals)];
    });
    return [table(["source", "pictures", ...names], rows), h("p.faint", {}, "Samples, rejections and segments are counted once for each proxy.")];
  };
})();
