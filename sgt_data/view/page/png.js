"use strict";
// The exact samples of a PNG, from its own bytes: a canvas keeps 8 bits, and may change them.

(() => {
  const channelsOf = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

  // Returns {width, height, bits, channels, samples, palette}; samples are Uint8Array or Uint16Array.
  view.decodePng = async (bytes) => {
    const at = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (at.getUint32(0) !== 0x89504e47) throw new Error("the target is no PNG");
    let offset = 8, header = null, palette = null;
    const pieces = [];
    while (offset + 8 <= bytes.length) {
      const length = at.getUint32(offset);
      const kind = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
      const body = bytes.subarray(offset + 8, offset + 8 + length);
      if (kind === "IHDR") header = headerOf(at, offset + 8);
      else if (kind === "PLTE") palette = body;
      else if (kind === "IDAT") pieces.push(body);
      else if (kind === "IEND") break;
      offset += 12 + length;
    }
    if (!header || header.interlaced || header.width * header.height > 1 << 26) {
      throw new Error("the target is a PNG of a form that is not read here");
    }
    return { ...header, palette, samples: samplesOf(await inflated(pieces), header) };
  };

  const headerOf = (at, offset) => ({
    width: at.getUint32(offset), height: at.getUint32(offset + 4), bits: at.getUint8(offset + 8),
    channels: channelsOf[at.getUint8(offset + 9)], indexed: at.getUint8(offset + 9) === 3,
    interlaced: at.getUint8(offset + 12) !== 0,
  });

  const inflated = async (pieces) => {
    const stream = new Blob(pieces).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  const samplesOf = (data, { width, height, bits, channels }) => {
    const step = Math.max(1, (bits * channels) >> 3);
    const stride = Math.ceil((width * bits * channels) / 8);
    for (let row = 0; row < height; row++) unfilter(data, row * (stride + 1), stride, step, row > 0);
    const samples = bits === 16 ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
    let to = 0;
    for (let row = 0; row < height; row++) {
      const from = row * (stride + 1) + 1;
      for (let item = 0; item < width * channels; item++) {
        if (bits === 8) samples[to++] = data[from + item];
        else if (bits === 16) samples[to++] = (data[from + 2 * item] << 8) | data[from + 2 * item + 1];
        else {
          const bit = item * bits;
          samples[to++] = (data[from + (bit >> 3)] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
        }
      }
    }
    return samples;
  };

  // Undo the filter of a row in place (PNG specification, section 9).
  const unfilter = (data, start, stride, step, hasAbove) => {
    const filter = data[start];
    const first = start + 1, above = first - stride - 1;
    for (let item = 0; item < stride; item++) {
      const left = item >= step ? data[first + item - step] : 0;
      const up = hasAbove ? data[above + item] : 0;
      const corner = hasAbove && item >= step ? data[above + item - step] : 0;
      const guess = filter === 0 ? 0 : filter === 1 ? left : filter === 2 ? up
        : filter === 3 ? (left + up) >> 1 : nearest(left, up, corner);
      data[first + item] = (data[first + item] + guess) & 255;
    }
  };

  const nearest = (left, up, corner) => {
    const guess = left + up - corner;
    const byLeft = Math.abs(guess - left), byUp = Math.abs(guess - up), byCorner = Math.abs(guess - corner);
    if (byLeft <= byUp && byLeft <= byCorner) return left;
    return byUp <= byCorner ? up : corner;
  };
})();
