"use strict";
// Where the page's data are from: a server, or the page itself (a report). Both answer alike.

(() => {
  class Server {
    async ask(name, fields) {
      const response = await fetch(`data/${name}?${fields || ""}`);
      const answer = await response.json().catch(() => ({}));
      if (!response.ok) throw new Error(answer.problem || `the server answered ${response.status}`);
      return answer;
    }
    overview() { return this.ask("overview"); }
    samples(state) { return this.ask("samples", view.filterFields(state)); }
    counts(state) { return this.ask("counts", view.filterFields(state)); }
    allCounts(proxy) { return this.ask("counts", new URLSearchParams({ proxy })); }
    sample(place) { return this.ask("sample", new URLSearchParams(place)); }
    distributions(proxy) { return this.ask("distributions", new URLSearchParams({ proxy })); }
    reasons() { return this.ask("reasons"); }
    rejected(state) {
      const { kind, reason, folder, page } = state;
      return this.ask("rejected", new URLSearchParams({ kind, reason, folder, page }));
    }
    pictureUrl(place, member) {
      return `picture/${[place.proxy, place.shard, place.key, member].map(encodeURIComponent).join("/")}`;
    }
    async pictureBytes(place, member) {
      const response = await fetch(this.pictureUrl(place, member));
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).problem || "no picture");
      return new Uint8Array(await response.arrayBuffer());
    }
  }

  const id = (place) => `${place.proxy}/${place.shard}/${place.key}`;

  class Report {
    constructor(data) {
      this.data = data;
      this.urls = new Map();
    }
    async overview() { return this.data.overview; }
    async samples(state) {
      const matches = ordered(this.items(state.proxy).filter((item) => takes(state, item)), state.order);
      const size = this.data.overview.page_size;
      return { items: matches.slice(state.page * size, (state.page + 1) * size), matches: matches.length,
        page: state.page, size, looked_at: 1, of: 1, what: "report", final: true, problems: [] };
    }
    async counts(state) {
      const items = this.items(state.proxy);
      const without = (name) => items.filter((item) => takes({ ...state, [name]: [] }, item));
      const taken = items.filter((item) => takes(state, item));
      return { matches: taken.length, source: tally(without("source").map((item) => item.source)),
        licence: tally(without("licence").map((item) => item.licence)),
        category: tally(taken.flatMap((item) => item.categories)), counted: items.length, read: 1, of: 1, complete: true,
        most_segments: Math.max(0, ...items.map((item) => item.segments)) };
    }
    async allCounts(proxy) { return this.data.counts[proxy]; }
    async sample(place) {
      const document_ = this.data.samples[id(place)];
      if (!document_) throw new Error(`this page does not hold ${place.key} of ${place.proxy}`);
      return document_;
    }
    async distributions(proxy) { return this.data.distributions[proxy]; }
    async reasons() { return this.data.reasons; }
    async rejected(state) {
      const group = this.data.rejected.find((own) => own.kind === state.kind && own.reason === state.reason);
      const rows = (group ? group.items : []).filter((row) => !state.folder || row.folder === state.folder);
      const size = this.data.overview.page_size;
      const count = (by) => (state.folder ? by[state.folder] || 0 : Object.values(by).reduce((sum, rows_) => sum + rows_, 0));
      return { items: rows.slice(state.page * size, (state.page + 1) * size), kept: rows.length,
        rows: group ? count(group.rows) : 0, page: state.page, size };
    }
    pictureUrl(place, member) {
      const number = this.data.pictures[`${id(place)}/${member}`];
      if (number === undefined) return "";
      if (!this.urls.has(number)) this.urls.set(number, URL.createObjectURL(new Blob([bytesOf(this.data.files[number])])));
      return this.urls.get(number);
    }
    async pictureBytes(place, member) {
      const number = this.data.pictures[`${id(place)}/${member}`];
      if (number === undefined) throw new Error(`this page does not hold the ${member} of ${place.key}`);
      return bytesOf(this.data.files[number]);
    }
    items(proxy) { return this.data.items[proxy] || []; }
  }

  const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

  const takes = (state, item) => {
    const text = state.text.toLowerCase();
    return (!state.source.length || state.source.includes(item.source))
      && (!state.licence.length || state.licence.includes(item.licence))
      && state.category.every((name) => item.categories.includes(name))
      && (state.least === "" || item.segments >= Number(state.least))
      && (state.most === "" || item.segments <= Number(state.most))
      && (!text || (state.in === "key" ? item.key : item.instruction).toLowerCase().includes(text));
  };

  const ordered = (items, order) => {
    if (order === "most") return [...items].sort((one, other) => other.segments - one.segments);
    if (order === "fewest") return [...items].sort((one, other) => one.segments - other.segments);
    return items;
  };

  const tally = (names) => {
    const counts = new Map();
    for (const name of names) if (name) counts.set(name, (counts.get(name) || 0) + 1);
    const inOrder = ([name, count], [otherName, otherCount]) => otherCount - count || (name < otherName ? -1 : 1);
    return { counts: [...counts].sort(inOrder), more: 0 };
  };

  const embedded = document.getElementById("data");
  view.isReport = Boolean(embedded);
  view.data = embedded ? new Report(JSON.parse(embedded.textContent)) : new Server();
})();
