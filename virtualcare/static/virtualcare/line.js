// The page's socket: comes back by itself, for as long as the server lets it.
//
//   const line = new Line({ address });       // async () => "wss://…?ticket=…", a fresh one each time
//   line.addEventListener("frame", ({ detail }) => …);   // each object that the server sends
//   line.addEventListener("open" | "lost" | "over", …);  // lost: detail is the code, 44xx where the server ended it;
//                                                        // over: it does not let this page in any more
//   line.open();  line.send({ type: "typing" });  line.close();
//
// What is said while it is down is not kept: whoever hears "open" looks at what there is (the server's rows are the
// truth). `address` ends it by throwing an error with `isFinal`: signed out, or nothing here for them.

const FIRST = 500; // ms until it tries again, doubled up to LAST, and spread by chance
const LAST = 8_000;
const HERE_EVERY = 20_000; // ms: says that somebody is there
const PATIENCE = 10_000; // ms to connect

export class Line extends EventTarget {
  #address;
  #socket = null;
  #tries = 0;
  #timer = 0;
  #here = 0;
  #isWanted = false;
  #online = () => this.#soon(0);

  constructor({ address }) {
    super();
    this.#address = address;
  }

  isOpen = false;

  open() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    window.addEventListener("online", this.#online);
    this.#connect();
  }

  close() {
    this.#isWanted = false;
    window.removeEventListener("online", this.#online);
    clearTimeout(this.#timer);
    this.#drop();
  }

  // Returns whether it went out: to the server's socket, not to whoever it is for.
  send(frame) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#drop();
    let address;
    try {
      address = await this.#address();
    } catch (error) {
      if (error.isFinal) return this.#over(error.message);
      return this.#soon();
    }
    if (!this.#isWanted) return;
    const socket = new WebSocket(address);
    this.#socket = socket;
    const given = setTimeout(() => socket.close(), PATIENCE);
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      const frame = JSON.parse(data);
      if (frame.type !== "ready") return this.#tell("frame", frame);
      clearTimeout(given);
      this.#tries = 0;
      this.isOpen = true;
      this.#here = setInterval(() => this.send({ type: "here" }), HERE_EVERY);
      this.#tell("open");
    });
    socket.addEventListener("close", ({ code }) => {
      clearTimeout(given);
      if (socket !== this.#socket) return;
      this.#drop(code);
      // A new address may be let in where this one is not; whether it may is said by `address`.
      this.#soon();
    });
  }

  #drop(code = 1006) {
    clearInterval(this.#here);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.close();
    if (this.isOpen) {
      this.isOpen = false;
      this.#tell("lost", code);
    }
  }

  #soon(wait = Math.min(LAST, FIRST * 2 ** this.#tries++) * (0.5 + Math.random())) {
    clearTimeout(this.#timer);
    if (this.#isWanted && !this.isOpen) this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #over(why) {
    this.close();
    this.#tell("over", why);
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}
