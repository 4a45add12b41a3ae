// ---------------------------------------------------------------- asking.js
// A question to the server until it is answered. One is on its way at a time, so that the server is not interrupted at
// each key press and its answers keep coming; what was asked meanwhile waits, and of that the last counts. A question that
// was lost, because the server was restarted or the network was away, is asked again.

const ASK_AGAIN_MS = 1500;
const MOST_TIMES = 20;

const isServerIdle = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning";

export class Asking {
  // `send` takes a question to the server, `keyOf` returns by what its answer is known.
  constructor(send, keyOf) {
    Object.assign(this, { send, keyOf, asked: null, wanted: null });
  }

  get key() {
    return this.wanted && this.keyOf(this.wanted);
  }

  ask(question) {
    this.wanted = question;
    if (!this.asked) this.#send(1);
  }

  // What the server shows now.
  hear(key) {
    if (!this.asked || this.keyOf(this.asked) !== key) return;
    this.#forgetAsked();
    if (this.key === key) this.wanted = null;
    else this.#send(1);
  }

  stop() {
    this.#forgetAsked();
    this.wanted = null;
  }

  #send(times) {
    this.asked = this.wanted;
    this.send(this.asked);
    this.timer = setTimeout(() => this.#askAgain(times), ASK_AGAIN_MS);
  }

  #askAgain(times) {
    if (times >= MOST_TIMES) this.stop();
    else if (isServerIdle()) this.#send(times + 1);
    else this.timer = setTimeout(() => this.#askAgain(times), ASK_AGAIN_MS);
  }

  #forgetAsked() {
    clearTimeout(this.timer);
    this.asked = null;
  }
}
