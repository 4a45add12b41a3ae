// ---------------------------------------------------------------- telling.js
// Files are made on the server as the screen shows the case; it hears of that once the hand rests.

import { isFirst } from "./display.js";

const REST_MS = 400; // a hand that has not moved for so long rests

export class Telling {
  constructor(tell) {
    this.tell = tell;
    this.told = this.stamp = ""; // as at first
  }

  hear(display) {
    const stamp = isFirst(display) ? "" : JSON.stringify(display);
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    this.stop();
    this.timer = setTimeout(() => {
      if (this.told === stamp) return;
      this.told = stamp;
      this.tell(display);
    }, REST_MS);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
