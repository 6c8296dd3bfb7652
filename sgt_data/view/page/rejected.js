"use strict";
// The quarantine: why inputs became no samples, and which they are.

(() => {
  const { h } = view;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  let round = 0;
  view.onLeave(() => { round += 1; });

  const rowsOf = (state, group) => (state.folder ? group.rows[state.folder] || 0 : Object.values(group.rows).reduce((sum, rows) => sum + rows, 0));

  const largestFirst = (state, answer) => answer.groups.filter((group) => rowsOf(state, group)).sort((one, other) => rowsOf(state, other) - rowsOf(state, one));

  const mostFrequent = (state, answer) => {
    const [group] = largestFirst(state, answer);
    return group ? { kind: group.kind, reason: group.reason } : {};
  };

  view.reasonList = (state, answer, most) => {
    const groups = largestFirst(state, answer).filter((group) => !most || group.kind !== "note");
    if (!groups.length) return h("p.faint", {}, answer.complete ? "None." : "Reading …");
    return h("ul.reasons", {}, groups.slice(0, most || groups.length).map((group) => h("li", {}, h("a", {
      href: view.address({ ...state, view: "rejected", kind: group.kind, reason: group.reason, page: 0 }), "aria-current": state.reason === group.reason && state.kind === group.kind ? "true" : null },
      h(`span.badge.${["damaged", "filtered", "note"].includes(group.kind) ? group.kind : "other"}`, {}, group.kind), h("span.why", {}, group.reason),
      h("span.n", {}, view.count(rowsOf(state, group))), h("small", {}, Object.keys(group.rows).join(", "))))));
  };

  view.showRejected = (main, state) => {
    round += 1;
    main.dataset.frame = "";
    main.replaceChildren(h("div.wide", {}, h("div.picker", {}, h("label", { for: "folder" }, "Proxy"),
      h("select", { id: "folder", onchange: (event) => view.go({ folder: event.target.value }) },
        h("option", { value: "" }, "all"), folders().map((name) => h("option", { value: name, selected: name === state.folder }, name)))),
    h("p.lead", { id: "lead", role: "status" }), h("div.split", {}, h("section", { id: "reasons", "aria-label": "Reasons" }), h("section", { id: "inputs", "aria-label": "Inputs" }))));
    const own = round;
    view.busy("view", true);
    load(state, own).catch((why) => main.append(view.problem(why.message))).then(() => {
      if (own === round) view.busy("view", false);
    });
  };

  const folders = () => ["input", ...view.overview.proxies.map((proxy) => proxy.name)].filter((name) => name !== "input" || view.overview.inputs);

  const load = async (state, own) => {
    for (let first = true; ; first = false) {
      const answer = await view.data.reasons();
      if (own !== round) return;
      lead(answer);
      const shown = state.reason ? state : { ...state, ...mostFrequent(state, answer) };
      view.byId("reasons").replaceChildren(view.reasonList(shown, answer), ...answer.problems.map(view.problem));
      if (first || answer.complete) await inputs(shown, own);
      if (answer.complete || own !== round) return;
      await pause(300);
    }
  };

  // Of how many ledgers the counts are, where these are not all.
  view.ledgersRead = (answer) => [answer.complete ? "" : `Reading ledgers: ${view.count(answer.read)} of ${view.count(answer.of)}.`,
    answer.of < answer.all ? `Of ${view.count(answer.all)} ledgers, ${view.count(answer.of)} are read, evenly spread: the counts are theirs.` : ""].filter(Boolean).join(" ");

  const lead = (answer) => view.byId("lead").replaceChildren(`Inputs that became no sample of a proxy, and notes on samples, by reason. ${view.ledgersRead(answer)}`);

  const inputs = async (state, own) => {
    if (!state.reason) return;
    const answer = await view.data.rejected(state);
    if (own !== round) return;
    const pages = Math.ceil(answer.kept / answer.size);
    view.byId("inputs").replaceChildren(
      h("p", {}, h("strong", {}, state.reason)),
      h("p.faint", {}, answer.kept < answer.rows ? `The first ${view.count(answer.kept)} of ${view.count(answer.rows)}.` : view.plural(answer.rows, "row") + "."),
      h("div.inputs", {}, answer.items.map(card)),
      pages > 1 && h("nav.pager", { "aria-label": "Pages" }, view.button("← previous", () => view.go({ page: state.page - 1 }), { disabled: state.page <= 0 }),
        h("span", {}, `page ${state.page + 1} of ${pages}`), view.button("next →", () => view.go({ page: state.page + 1 }), { disabled: state.page + 1 >= pages })));
  };

  const card = (item) => h("article.input", {},
    item.picture ? h("div.shown", {}, view.picture(item.picture, "input")) : h("div.shown", {}, view.placeholder("no proxy holds this picture")),
    h("p.meta", {}, h("span.key", {}, item.key || item.member), h("span", {}, item.folder), h("span", {}, item.source)),
    h("p.instruction", {}, item.reason), item.key && h("p.faint", {}, item.member));
})();
