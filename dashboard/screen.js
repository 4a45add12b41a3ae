// ---------------------------------------------------------------- screen.js
// How much larger than usual the page's text is: what is measured in CSS pixels here grows with it on large screens.

const textScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
