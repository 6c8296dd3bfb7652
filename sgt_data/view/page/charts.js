"use strict";
// Distributions of a proxy as small charts, each with what it counts and its numbers as a table.

(() => {
  const { h, svg } = view;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const wide = 320, tall = 112;
  let round = 0;
  view.onLeave(() => { round += 1; });

  view.showDistributions = (main, state) => {
    round += 1;
    main.dataset.frame = "";
    const charts = h("div.charts", { id: "charts" });
    main.replaceChildren(h("div.wide", {}, view.proxyPicker(state), h("p.lead", { id: "lead", role: "status" }), charts));
    const own = round;
    const failed = (why) => charts.replaceChildren(view.problem(why.message));
    view.busy("view", true);
    Promise.all([load(state, own), names(state, own)]).catch(failed).then(() => {
      if (own === round) view.busy("view", false);
    });
  };

  view.proxyPicker = (state) => h("div.picker", {}, h("label", { for: "proxy" }, "Proxy"),
    h("select", { id: "proxy", onchange: (event) => view.go({ ...view.noFilters, proxy: event.target.value }) },
      view.overview.proxies.map(({ name }) => h("option", { value: name, selected: name === state.proxy }, name))));

  const load = async (state, own) => {
    for (;;) {
      const answer = await view.data.distributions(state.proxy);
      if (own !== round) return;
      lead(answer);
      const old = view.byId("charts").querySelectorAll(".numbers");
      old.forEach((card) => card.remove());
      view.byId("charts").prepend(...answer.charts.map((chart) => card(chart, answer)));
      if (answer.complete) return;
      await pause(300);
    }
  };

  const names = async (state, own) => {
    for (;;) {
      const counts = await view.data.allCounts(state.proxy);
      if (own !== round) return;
      view.byId("charts").querySelectorAll(".names-of").forEach((card) => card.remove());
      view.byId("charts").append(...[["category", "Categories"], ["source", "Sources"], ["licence", "Licences"]]
        .map(([name, title]) => namesCard(state, name, title, counts)).filter(Boolean));
      if (counts.complete) return;
      await pause(300);
    }
  };

  const lead = (answer) => {
    const part = answer.sampled === answer.of ? `Every chart counts all ${view.plural(answer.of, "sample")}, where it says no less.` : answer.sampled
      ? `Areas, colours, depths, edges and words are those of ${view.plural(answer.sampled, "sample")} that the seed ${answer.seed} chose in ${view.count(answer.shards)} of ${view.plural(answer.all_shards, "shard")}; the rest counts every sample.`
      : "";
    const unread = answer.unread ? ` ${view.plural(answer.unread, "sample")} could not be read.` : "";
    view.byId("lead").replaceChildren(answer.complete ? part + unread : `Reading … ${part}`);
  };

  const scope = (counted, of) => (counted < of ? `${view.count(counted)} of ${view.plural(of, "sample")}` : `all ${view.plural(of, "sample")}`);

  const card = (chart, { of }) => h("section.chart.numbers", {},
    h("h3", {}, chart.title, h("small", {}, chart.unit)),
    h("p.figures", {}, h("strong", {}, view.number(chart.median)), h("span", {}, ` median · 8 of 10 between ${view.number(chart.p10)} and ${view.number(chart.p90)}`)),
    bars(chart),
    h("p.ends", {}, h("span", {}, view.number(chart.bins[0][0])), h("span", {}, view.number(chart.bins[chart.bins.length - 1][1]))),
    h("p.scope", {}, `${scope(chart.samples, of)}${chart.name === "area" ? `, ${view.plural(chart.n, "segment")}` : ""}`),
    h("details", {}, h("summary", {}, "numbers"), h("table", {}, h("tbody", {}, chart.bins.map(([low, high, count]) =>
      h("tr", {}, h("td", {}, rangeText(chart, low, high)), h("td.n", {}, view.count(count))))))));

  const rangeText = (chart, low, high) => (chart.whole && low === high ? view.number(low) : `${view.number(low)} – ${view.number(high)}`);

  const bars = (chart) => {
    const most = Math.max(1, ...chart.bins.map(([, , count]) => count));
    const width = wide / Math.max(chart.bins.length, 8);
    const begin = (wide - width * chart.bins.length) / 2;
    const label = `${chart.title}: median ${view.number(chart.median)} ${chart.unit}, from ${view.number(chart.min)} to ${view.number(chart.max)}`;
    const total = chart.bins.reduce((sum, [, , count]) => sum + count, 0);
    return svg("svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": label, preserveAspectRatio: "none" },
      chart.bins.map(([low, high, count], place) => {
        const height = count ? Math.max(1.5, (count / most) * (tall - 4)) : 0;
        const group = svg("g", { class: "column" },
          svg("rect", { class: "reach", x: begin + place * width, y: 0, width, height: tall }),
          svg("rect", { class: "level", x: begin + place * width + 0.75, y: tall - height, width: Math.max(0.5, width - 1.5), height, rx: Math.min(2, width / 4) }));
        group.addEventListener("pointermove", (event) => view.showTip(event.clientX, event.clientY, [
          h("strong", {}, `${rangeText(chart, low, high)} ${chart.unit}`), h("span", {}, `${view.count(count)} · ${view.percent(count / total)}`)]));
        group.addEventListener("pointerleave", view.hideTip);
        if (chart.name === "segments") {
          group.classList.add("leads");
          group.addEventListener("click", () => { view.hideTip(); view.go({ ...view.noFilters, view: "gallery", least: String(low), most: String(high) }); });
        }
        return group;
      }));
  };

  const namesCard = (state, name, title, counts) => {
    const { counts: rows, more } = counts[name];
    if (rows.length < (name === "category" ? 1 : 2)) return null;
    const most = rows[0][1];
    return h("section.chart.names-of", {}, h("h3", {}, title, h("small", {}, view.count(rows.length + more))),
      h("ul.names", {}, rows.map(([value, count]) => h("li", {}, h("a", { title: value, "--share": `${((100 * count) / most).toFixed(1)}%`,
        href: view.address({ ...state, ...view.noFilters, view: "gallery", page: 0, [name]: [value] }) },
        h("span.name", {}, value), h("span.n", {}, view.count(count)))))),
      h("p.scope", {}, `${scope(counts.counted, counts.of)}${counts.complete ? "" : " so far"}`));
  };
})();
