"use strict";
// What lies under a pixel of a target: a segment, a depth, the strength of an edge, or a colour.

(() => {
  // Read the pixels of a target. Returns {width, height, at(x, y), labels, segments}.
  view.readTarget = async (sample, bytes) => {
    const pixels = await pixelsOf(bytes);
    const readers = { labels: ofLabels, mask: ofLabels, boxes: ofBoxes, depth: ofDepth, distance: ofDistance, level: ofLevel };
    return (readers[sample.reading] || ofColour)(sample, pixels);
  };

  const pixelsOf = async (bytes) => {
    if (bytes[0] === 0x89) {
      const png = await view.decodePng(bytes);
      return { width: png.width, height: png.height, bits: png.bits, rgb: (place) => rgbOf(png, place),
        level: (place) => png.samples[place * png.channels] };
    }
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(picture, 0, 0);
    const data = pen.getImageData(0, 0, picture.width, picture.height).data;
    return { width: picture.width, height: picture.height, bits: 8, lossy: true,
      rgb: (place) => [data[4 * place], data[4 * place + 1], data[4 * place + 2]],
      level: (place) => data[4 * place] };
  };

  const rgbOf = (png, place) => {
    if (png.indexed) {
      const entry = 3 * png.samples[place];
      return png.palette ? [...png.palette.subarray(entry, entry + 3)] : [0, 0, 0];
    }
    const first = place * png.channels;
    const eight = (value) => (png.bits === 16 ? value >> 8 : png.bits === 8 ? value : Math.round((255 * value) / ((1 << png.bits) - 1)));
    return png.channels < 3 ? Array(3).fill(eight(png.samples[first])) : [0, 1, 2].map((channel) => eight(png.samples[first + channel]));
  };

  const pack = (rgb) => (rgb[0] << 16) | (rgb[1] << 8) | rgb[2];

  // Segments by the colour of each pixel.
  const ofLabels = (sample, pixels) => {
    const numbers = new Map(sample.segments.filter((segment) => segment.color).map((segment) => [
      pack(segment.color), sample.segments.indexOf(segment) + 1]));
    const labels = new Uint16Array(pixels.width * pixels.height);
    for (let place = 0; place < labels.length; place++) labels[place] = numbers.get(pack(pixels.rgb(place))) || 0;
    return { ...sized(pixels), labels, at: (x, y) => {
      const place = y * pixels.width + x;
      const number = labels[place];
      return number ? { number } : { text: sample.reading === "mask" ? "outside of the mask" : "unlabelled", rgb: pixels.rgb(place) };
    } };
  };

  // The smallest box around a pixel: outlines are thin, and what they enclose is what they mean.
  const ofBoxes = (sample, pixels) => ({ ...sized(pixels), at: (x, y) => {
    let number = 0, least = Infinity;
    sample.segments.forEach((segment, index) => {
      const [left, top, width, height] = segment.box || [0, 0, 0, 0];
      const area = width * height;
      if (x >= left && y >= top && x < left + width && y < top + height && area < least) [number, least] = [index + 1, area];
    });
    return number ? { number } : { text: "in no box", rgb: pixels.rgb(y * pixels.width + x) };
  } });

  const ofDepth = (sample, pixels) => {
    const depth = sample.depth;
    if (!depth) return ofColour(sample, pixels);
    const levels = depth.colours && new Map(depth.colours.map((colour, level) => [pack(colour), level]));
    const step = (depth.high - depth.low) / (2 ** depth.bits - 1 - depth.lowest_level);
    return { ...sized(pixels), at: (x, y) => {
      const place = y * pixels.width + x;
      const level = levels ? levels.get(pack(pixels.rgb(place))) : pixels.level(place);
      if (level === undefined) return { text: "no colour of the map", rgb: pixels.rgb(place) };
      if (level < depth.lowest_level) return { text: "not measured", rgb: pixels.rgb(place) };
      const inverse = depth.low + (level - depth.lowest_level) * step;
      const text = depth.metric ? `${view.number(1 / inverse)} m` : `inverse depth ${view.number(inverse)}`;
      const more = depth.metric ? `inverse ${view.number(inverse)} 1/m, level ${level}` : `relative, level ${level} of ${2 ** depth.bits - 1}`;
      return { text, more, rgb: pixels.rgb(place) };
    } };
  };

  // Metres by the place of a colour on the walk from black to white along edges of the RGB cube.
  const ofDistance = (sample, pixels) => {
    const walk = sample.distance;
    if (!walk) return ofColour(sample, pixels);
    return { ...sized(pixels), at: (x, y) => {
      const rgb = pixels.rgb(y * pixels.width + x);
      const fraction = fractionOf(rgb, walk.corners);
      if (fraction === null) return { text: rgb.every((level) => level === 128) ? "not measured" : "no colour of the walk", rgb };
      if (fraction === 1) return { text: "infinitely far", rgb };
      const metres = walk.lambda * walk.c * (1 - (1 - fraction) ** (1 / (walk.lambda + 1)));
      return { text: `${view.number(Math.abs(metres))} m`, more: `${view.percent(fraction)} of the way to white`, rgb };
    } };
  };

  const fractionOf = (rgb, corners) => {
    for (let edge = 0; edge + 1 < corners.length; edge++) {
      const [begin, end] = [corners[edge], corners[edge + 1]];
      const moving = [0, 1, 2].find((channel) => begin[channel] !== end[channel]);
      if ([0, 1, 2].every((channel) => channel === moving || rgb[channel] === begin[channel]))
        return (edge + Math.abs(rgb[moving] - begin[moving]) / 255) / (corners.length - 1);
    }
    return null;
  };

  const ofLevel = (sample, pixels) => ({ ...sized(pixels), at: (x, y) => {
    const place = y * pixels.width + x;
    const level = pixels.level(place);
    return { text: `edge strength ${view.percent(level / 255)}`, more: `level ${level} of 255`, rgb: pixels.rgb(place) };
  } });

  const ofColour = (sample, pixels) => ({ ...sized(pixels), at: (x, y) => {
    const rgb = pixels.rgb(y * pixels.width + x);
    return { text: view.colour(rgb), more: `red ${rgb[0]}, green ${rgb[1]}, blue ${rgb[2]}`, rgb };
  } });

  const sized = (pixels) => ({ width: pixels.width, height: pixels.height });
})();
