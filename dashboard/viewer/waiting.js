// ---------------------------------------------------------------- waiting.js
// Old pictures are dimmed while newer ones are on their way, but not at each quick answer.

import { element } from "../element.js";

const LATE_MS = 500; // an answer that takes longer is waited for

export class Waiting {
  constructor(root) {
    this.root = root;
    this.line = element("p", { class: "loading", role: "status" });
    this.late = null; // the timer that says that an answer is late
  }

  tell(isBusy) {
    this.root.setAttribute("aria-busy", isBusy);
    if (isBusy) {
      this.late ??= setTimeout(() => this.#tellLate(true), LATE_MS);
      return;
    }
    this.stop();
    if (this.line.textContent) this.#tellLate(false);
  }

  stop() {
    clearTimeout(this.late);
    this.late = null;
  }

  #tellLate(isLate) {
    this.root.classList.toggle("late", isLate);
    this.line.textContent = isLate ? "Loading" : "";
  }
}
