// As much of a browser's canvas as reading a scene takes: paths that remember their rings, and pictures that keep what was
// put on them.

class Path {
  rings = []; // of points [x, y]

  moveTo(...point) {
    this.rings.push([point]);
  }

  lineTo(...point) {
    this.rings.at(-1).push(point);
  }

  closePath() {
    this.isClosed = true;
  }
}

class Canvas {
  constructor(width, height) {
    Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
  }

  getContext() {
    return {
      createImageData: (width, height) => ({ data: new Uint8ClampedArray(4 * width * height) }),
      putImageData: ({ data }) => { this.data = data; },
      drawImage: ({ grey }) => grey.forEach((value, at) => this.data.set([value, value, value, 255], 4 * at)),
      getImageData: () => ({ data: this.data }),
    };
  }
}

// `bitmap` returns of a JPEG's bytes its { width, height, grey }.
export function withCanvas(bitmap) {
  Object.assign(globalThis, {
    Path2D: Path,
    OffscreenCanvas: Canvas,
    createImageBitmap: async (blob) => ({ ...bitmap(new Uint8Array(await blob.arrayBuffer())), close: () => {} }),
  });
}
