"use strict";
// Keys, and the list of them.

(() => {
  const { h } = view;
  const list = [
    ["/", "search"], ["← →", "previous or next page; in a sample, the previous or next sample"],
    ["↑ ↓", "in a sample: the same picture in the proxy before or after"], ["Enter", "open the card that has the focus"],
    ["[ ]", "move the slider to the left or right"], ["i, o", "show the whole input, or the whole target"],
    ["g, v, d, r", "gallery, overview, distributions, rejected inputs"], ["t", "light or dark"], ["Esc", "close, or leave the search"], ["?", "this list"],
  ];

  view.showHelp = () => {
    const dialog = view.byId("help");
    dialog.replaceChildren(h("h2", {}, "Keys"), h("dl", {}, list.map(([keys, words]) => [h("dt", {}, keys.split(/(?<=,) | /).map((key) => h("kbd", {}, key.replace(",", "")))), h("dd", {}, words)])),
      view.button("Close", () => dialog.close(), { class: "primary" }));
    if (!dialog.open) dialog.showModal();
  };

  const inDetail = { ArrowLeft: () => view.step(-1), ArrowRight: () => view.step(1), ArrowUp: () => view.stepProxy(-1), ArrowDown: () => view.stepProxy(1),
    "[": () => move(-10), "]": () => move(10), i: () => view.stage && view.stage.setCut(100), o: () => view.stage && view.stage.setCut(0) };

  const outside = { ArrowLeft: () => view.turnPage(-1), ArrowRight: () => view.turnPage(1), g: () => view.go({ view: "gallery" }), v: () => view.go({ view: "overview" }),
    d: () => view.go({ view: "distributions" }), r: () => view.overview.rejected && view.go({ view: "rejected" }), "/": () => focusSearch() };

  const move = (by) => view.stage && view.stage.setCut(view.stage.cut() + by);

  const focusSearch = () => {
    if (!view.byId("search")) { // shown at once: what is typed next belongs into the field
      history.pushState(null, "", view.address({ ...view.read(), view: "gallery" }));
      view.render();
    }
    document.body.classList.add("filters-open");
    const field = view.byId("search");
    field.focus();
    field.select();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (event.key === "Escape" && typing && typing.id === "search") { typing.blur(); return; }
    if (typing) return;
    const help = view.byId("help");
    if (event.key === "?") { event.preventDefault(); view.showHelp(); return; }
    if (help.open) return;
    if (event.key === "t") { view.switchTheme(); return; }
    const act = (view.byId("detail").open ? inDetail : outside)[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  view.byId("detail").addEventListener("cancel", (event) => { event.preventDefault(); view.closeDetail(); });
  view.byId("help-button").addEventListener("click", view.showHelp);
  for (const id of ["detail", "help"]) view.byId(id).addEventListener("click", (event) => {
    if (event.target === event.currentTarget) { if (id === "help") event.currentTarget.close(); else view.closeDetail(); }
  });
})();
