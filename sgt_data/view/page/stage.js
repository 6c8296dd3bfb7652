"use strict";
// Input and target over each other, parted by a slider; what is under the pointer is pointed out.

(() => {
  const { h } = view;

  // Returns {element, mark(number), setCut(percent), cut()}.
  view.makeStage = (sample) => {
    const place = { proxy: sample.proxy, shard: sample.shard, key: sample.key };
    const [width, height] = sample.size || [4, 3];
    const target = view.picture(place, "target");
    const input = sample.missing_input ? h("span.missing", {}, sample.missing_input) : view.picture(place, "input");
    for (const picture of [input, target]) picture.setAttribute("draggable", "false");
    for (const picture of [input, target]) picture.removeAttribute("loading");
    const veil = h("canvas.veil", { "aria-hidden": "true" });
    const slider = h("input.cut", { type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": "Share of the input that is shown, in percent" });
    const element = h("figure.stage", { "--a": (width / height).toFixed(5), "--cut": "50%" },
      h("div.layer.below", {}, target), h("div.layer.above", {}, input), veil,
      h("div.handle", { "aria-hidden": "true" }, h("span", {}, "‹ ›")), slider,
      h("span.tag.left", { "aria-hidden": "true" }, "input"), h("span.tag.right", { "aria-hidden": "true" }, "target"));
    const stage = { element, reader: null, marked: 0 };
    target.addEventListener("load", () => fitted(element, target, sample));
    stage.setCut = (percent) => {
      const cut = Math.min(100, Math.max(0, percent));
      slider.value = String(Math.round(cut));
      element.style.setProperty("--cut", `${cut}%`);
    };
    stage.cut = () => Number(slider.value);
    slider.addEventListener("input", () => stage.setCut(Number(slider.value)));
    stage.mark = (number) => {
      if (number === stage.marked) return;
      stage.marked = number;
      paint(veil, stage.reader, sample, number);
      element.dispatchEvent(new CustomEvent("marked", { detail: number }));
    };
    listen(stage, sample);
    return stage;
  };

  // Exports state no size; small pictures are enlarged pixel by pixel.
  const fitted = (element, target, sample) => {
    if (!sample.size) element.style.setProperty("--a", (target.naturalWidth / target.naturalHeight).toFixed(5));
    element.classList.toggle("pixels", target.naturalWidth * 2 < element.clientWidth);
  };

  const listen = (stage, sample) => {
    const { element } = stage;
    let drags = false;
    const share = (event) => {
      const box = element.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      drags = Math.abs(share(event)[0] * 100 - stage.cut()) < 6 || event.pointerType === "mouse";
      if (drags) {
        element.setPointerCapture(event.pointerId);
        stage.setCut(share(event)[0] * 100);
        element.classList.add("drags");
      } else point(stage, sample, event, share(event));
      event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => {
      if (drags) stage.setCut(share(event)[0] * 100);
      else point(stage, sample, event, share(event));
    });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => {
      drags = false;
      element.classList.remove("drags");
    });
    element.addEventListener("pointerleave", () => {
      stage.mark(0);
      view.hideTip();
    });
  };

  const point = (stage, sample, event, [across, down]) => {
    const { reader } = stage;
    if (!reader || across < 0 || down < 0 || across >= 1 || down >= 1) return;
    const under = reader.at(Math.floor(across * reader.width), Math.floor(down * reader.height));
    stage.mark(under.number || 0);
    view.showTip(event.clientX, event.clientY, under.number ? view.aboutSegment(sample, under.number) : aboutPixel(under));
  };

  const aboutPixel = (under) => [
    h("strong", {}, under.rgb && h("span.chip", { "--colour": view.colour(under.rgb) }), under.text),
    under.more && h("span", {}, under.more)].filter(Boolean);

  view.segmentName = (segment) => segment.category || `segment ${segment.label}`;

  view.areaOf = (sample, segment) => {
    const pixels = segment.area ?? (segment.box ? segment.box[2] * segment.box[3] : null);
    return pixels === null || !sample.size ? null : pixels / (sample.size[0] * sample.size[1]);
  };

  view.aboutSegment = (sample, number) => {
    const segment = sample.segments[number - 1];
    const share = view.areaOf(sample, segment);
    const kind = [segment.crowd && "a crowd", segment.stuff && "stuff", segment.category && `label ${segment.label}`, segment.id !== null && `id ${segment.id}`].filter(Boolean).join(" · ");
    return [
      h("strong", {}, segment.color && h("span.chip", { "--colour": view.colour(segment.color) }), view.segmentName(segment)),
      share !== null && h("span", {}, `${view.percent(share)} of the picture${segment.area === null ? " (box)" : `, ${view.count(segment.area)} pixels`}`),
      kind && h("span.faint", {}, kind)].filter(Boolean);
  };

  // Dim all but one segment, and draw its outline.
  const paint = (veil, reader, sample, number) => {
    const pen = veil.getContext("2d");
    if (!number || !reader) {
      pen.clearRect(0, 0, veil.width, veil.height);
      return;
    }
    if (veil.width !== reader.width || veil.height !== reader.height) [veil.width, veil.height] = [reader.width, reader.height];
    if (reader.labels) paintLabel(pen, reader, number);
    else paintBox(pen, reader, sample.segments[number - 1].box);
  };

  const paintLabel = (pen, { width, height, labels }, number) => {
    const image = pen.createImageData(width, height);
    const values = new Uint32Array(image.data.buffer);
    const thick = Math.max(1, Math.round(width / 500));
    for (let y = 0, place = 0; y < height; y++) {
      for (let x = 0; x < width; x++, place++) {
        if (labels[place] !== number) {
          values[place] = 0x8c14100c; // alpha, blue, green, red
        } else if (x < thick || y < thick || x + thick >= width || y + thick >= height
          || labels[place - thick] !== number || labels[place + thick] !== number
          || labels[place - thick * width] !== number || labels[place + thick * width] !== number) {
          values[place] = 0xffffffff;
        }
      }
    }
    pen.putImageData(image, 0, 0);
  };

  const paintBox = (pen, { width, height }, box) => {
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = "rgba(12, 16, 20, 0.55)";
    pen.fillRect(0, 0, width, height);
    pen.clearRect(...box);
    pen.strokeStyle = "#fff";
    pen.lineWidth = Math.max(1, width / 400);
    pen.strokeRect(...box);
  };
})();
