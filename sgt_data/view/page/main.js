"use strict";
// The page as a whole: its head, its views, light and dark.

(() => {
  const { h } = view;
  const views = { gallery: ["Gallery", (main, state) => view.showGallery(main, state)], overview: ["Overview", (main, state) => view.showOverview(main, state)],
    distributions: ["Distributions", (main, state) => view.showDistributions(main, state)], rejected: ["Rejected", (main, state) => view.showRejected(main, state)] };
  let last = "";

  view.render = () => {
    const state = view.read();
    if (!views[state.view]) state.view = "gallery";
    tabs(state);
    const main = view.byId("main");
    const shown = view.address({ ...state, open: "" });
    if (shown !== last) {
      last = shown;
      if (state.view !== main.dataset.view) { view.left.forEach((act) => act()); view.busy("view", false); main.dataset.view = state.view; main.dataset.frame = ""; scrollTo(0, 0); }
      views[state.view][1](main, state);
    }
    view.showDetail(state);
    document.body.dataset.shown = location.hash;
  };

  const tabs = (state) => view.byId("tabs").replaceChildren(...Object.entries(views)
    .filter(([name]) => name !== "rejected" || view.overview.rejected)
    .map(([name, [title]]) => h("a", { href: view.address({ ...state, view: name, page: 0, open: "" }), "aria-current": name === state.view ? "page" : null }, title)));

  view.switchTheme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("sgt-data-theme", root.dataset.theme); } catch { /* a page of a file may keep nothing */ }
  };

  const keptTheme = () => {
    try { return localStorage.getItem("sgt-data-theme"); } catch { return null; }
  };

  const begin = async () => {
    view.busy("overview", true);
    const theme = keptTheme();
    if (theme) document.documentElement.dataset.theme = theme;
    view.byId("theme").addEventListener("click", view.switchTheme);
    try {
      view.overview = await view.data.overview();
    } catch (why) {
      view.byId("main").replaceChildren(view.problem(`The corpus cannot be shown: ${why.message}`));
      return;
    }
    const { title, kind, complete, notes } = view.overview;
    document.title = `${title} · sgt-data`;
    view.byId("title").textContent = title;
    view.byId("kind").textContent = complete ? kind : `${kind}, not complete`;
    view.byId("notes").replaceChildren(...notes.map((note) => h("p", {}, note)));
    addEventListener("hashchange", view.render);
    view.render();
    view.busy("overview", false);
  };

  begin();
})();
