// ---------------------------------------------------------------- screen.js
// How much larger than usual the page's text is: what is measured in CSS pixels here grows with it on large screens.

export const textScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

// Pixels of a canvas for each CSS pixel; more than two are not seen, and cost.
export const pixelRatio = () => Math.min(2, window.devicePixelRatio || 1);
