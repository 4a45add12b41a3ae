// ---------------------------------------------------------------- radiograph.js
// The radiograph: grey levels at full, half, quarter ... size. Drawing from the size just above the screen's
// avoids both the shimmer of skipped pixels and the cost of windowing pixels that nobody sees.

const SMALLEST_LEVEL_PX = 320;

export async function decodeRadiograph(jpeg) {
  const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i];
  const levels = [{ width, height, grey }];
  while (Math.max(levels[0].width, levels[0].height) >= 2 * SMALLEST_LEVEL_PX) levels.unshift(halved(levels[0]));
  return levels; // the smallest first
}

export function halved({ width, height, grey }) {
  const half = { width: width >> 1, height: height >> 1 };
  half.grey = new Uint8Array(half.width * half.height);
  for (let y = 0, to = 0; y < half.height; y++) {
    for (let x = 0, from = 2 * y * width; x < half.width; x++, to++, from += 2) {
      half.grey[to] = (grey[from] + grey[from + 1] + grey[from + width] + grey[from + width + 1] + 2) >> 2;
    }
  }
  return half;
}
