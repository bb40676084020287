// The chat of a consult: what was said, in its order, and a field to say more.
//
//   const chat = new Chat({ consult: "0198…", line, element, canWrite: true });
//   chat.open();  chat.close();  chat.allow(false, "This consult is over.");
//   chat.isOver = true;                   // somebody may still ask or answer, within hours
//   new Chat({ …, carried: chat.carry() });  // goes on with what was not sent
//
// A message has an id of ours before it is sent, so that sending it again says nothing twice; one is sent at a time, in
// the order in which they were written. The socket only says that there is news: what it is is read after the last `seq`
// that is there, also by asking every now and then.

import { api, clock, make } from "./api.js";

const ASK_EVERY = 20_000; // ms, with a socket
const ASK_WITHOUT_LINE = 3_000;
const ASK_WHEN_OVER = 60_000;
const TYPING_EVERY = 2_500;
const TYPING_SHOWN = 5_000;
const MORE = 200;

export class Chat {
  #consult;
  #line;
  #last = 0;
  #marked = 0; // up to where the server knows that it was read here
  #pending = new Map(); // what is not known to be said yet, by its client_id
  #sending = null;
  #asking = null;
  #again = false;
  #timer = 0;
  #typedAt = 0;
  #typing = 0;
  #isOpen = false;
  #frame = ({ detail }) => {
    if (detail.type === "news") this.look();
    if (detail.type === "typing") this.#showTyping();
  };
  #look = () => this.look();

  isOver = false;

  constructor({ consult, line, element, onSaid = () => {}, carried = { draft: "", pending: [] } }) {
    this.#consult = consult;
    this.#line = line;
    this.onSaid = onSaid;
    this.list = make("ol");
    this.said = make(
      "div",
      { class: "chat-said", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: 0 },
      this.list,
    );
    this.status = make("p", { class: "soft chat-status", role: "status" });
    this.field = make("textarea", {
      rows: 2,
      maxlength: 4000,
      "aria-label": "Your message. Enter sends it, Shift and Enter begins a new line.",
      placeholder: "Write a message",
      onkeydown: (event) => this.#key(event),
      oninput: () => this.#tellTyping(),
    });
    this.button = make("button", { type: "submit" }, "Send");
    this.form = make("form", { class: "chat-form", onsubmit: (event) => this.#submit(event) }, this.field, this.button);
    element.replaceChildren(this.said, this.status, this.form);
    this.field.value = carried.draft;
    for (const [id, body] of carried.pending) this.#add(id, body);
  }

  open() {
    this.#isOpen = true;
    this.#line.addEventListener("frame", this.#frame);
    this.#line.addEventListener("open", this.#look);
    document.addEventListener("visibilitychange", this.#look);
    this.look();
  }

  close() {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#line.removeEventListener("frame", this.#frame);
    this.#line.removeEventListener("open", this.#look);
    document.removeEventListener("visibilitychange", this.#look);
  }

  // What was written here and is not known to be said.
  carry() {
    return { draft: this.field.value, pending: [...this.#pending].map(([id, { body }]) => [id, body]) };
  }

  allow(canWrite, words = "") {
    this.form.hidden = !canWrite;
    if (!canWrite) this.status.textContent = words;
  }

  // Read what is new: one question at a time, and once more where there was news meanwhile.
  look() {
    if (!this.#isOpen) return null;
    if (this.#asking) {
      this.#again = true;
      return this.#asking;
    }
    this.#asking = this.#read().finally(() => {
      this.#asking = null;
      if (this.#again) {
        this.#again = false;
        this.look();
      }
    });
    return this.#asking;
  }

  async #read() {
    clearTimeout(this.#timer);
    try {
      let hasMore = true;
      while (hasMore) {
        const { data } = await api.get(`/consults/${this.#consult}/messages?after_seq=${this.#last}&limit=${MORE}`);
        for (const message of data.results) this.#show(message);
        hasMore = data.results.length > 0 && data.last_seq > this.#last;
        if (!hasMore) this.#marks(data.read);
      }
      await this.#mark();
      this.#drain();
    } catch (error) {
      if (error.isFinal) {
        this.allow(false, error.message);
        return this.close();
      }
    }
    const wait = this.isOver ? ASK_WHEN_OVER : this.#line.isOpen ? ASK_EVERY : ASK_WITHOUT_LINE;
    if (this.#isOpen) this.#timer = setTimeout(() => this.look(), this.#pending.size ? ASK_WITHOUT_LINE : wait);
  }

  async #mark() {
    const seq = this.#last;
    if (!this.#isOpen || document.hidden || seq <= this.#marked) return;
    await api.post(`/consults/${this.#consult}/read`, { seq });
    this.#marked = seq;
  }

  #show(message) {
    if (message.seq <= this.#last) return;
    this.#last = message.seq;
    this.list.append(this.#row(message));
    this.said.scrollTop = this.said.scrollHeight;
    clearTimeout(this.#typing);
    this.#quiet();
    this.onSaid(message);
  }

  #row({ seq, role, sender_name: name, body, at, mine }) {
    const who = role === "system" ? "" : mine ? "You" : name;
    return make(
      "li",
      { class: `chat-${role}${mine ? " is-mine" : ""}`, "data-seq": seq },
      make("p", { class: "chat-who" }, who ? `${who} · ` : "", make("time", { datetime: at }, clock(at))),
      make("p", { class: "chat-body" }, body),
    );
  }

  #marks(read) {
    if (!read) return;
    for (const row of this.list.querySelectorAll(".is-mine[data-seq]")) {
      const other = row.classList.contains("chat-patient") ? read.clinician : read.patient;
      row.classList.toggle("is-read", other >= Number(row.dataset.seq));
    }
  }

  #key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
  }

  #submit(event) {
    event.preventDefault();
    const body = this.field.value.trim();
    if (!body) return;
    this.field.value = "";
    this.#add(crypto.randomUUID(), body);
    this.#drain();
  }

  #add(id, body) {
    const row = make("li", { class: "is-mine is-pending" }, make("p", { class: "chat-body" }, body));
    this.list.append(row);
    this.said.scrollTop = this.said.scrollHeight;
    this.#pending.set(id, { body, row });
  }

  // Send what is not sent, one after the other: what does not get through is tried again after the next look.
  async #drain() {
    if (!this.#isOpen) return;
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = null));
    await this.#sending;
  }

  async #sendAll() {
    while (this.#pending.size && (await this.#send(this.#pending.keys().next().value)));
  }

  // Before the consult is somebody else's, or over: all that was written here is said, or refused. Throws otherwise.
  async finish() {
    await this.#drain();
    if (this.#pending.size) throw new Error("A message is not sent yet. Wait until it is, and do this again.");
  }

  // Returns whether the server has it, or has refused it.
  async #send(id) {
    const message = this.#pending.get(id);
    try {
      await api.post(`/consults/${this.#consult}/messages`, { client_id: id, body: message.body });
    } catch (error) {
      if (!error.status || error.status >= 500 || error.status === 429) {
        this.status.textContent = "Not sent yet: it is tried again.";
        return false;
      }
      this.#pending.delete(id);
      message.row.classList.add("is-refused");
      message.row.append(make("p", { class: "errors" }, error.message));
      return true;
    }
    this.#pending.delete(id);
    message.row.remove();
    await this.look();
    return true;
  }

  #tellTyping() {
    if (Date.now() < this.#typedAt + TYPING_EVERY) return;
    this.#typedAt = Date.now();
    this.#line.send({ type: "typing" });
  }

  #showTyping() {
    this.status.textContent = "… is writing";
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#quiet(), TYPING_SHOWN);
  }

  #quiet() {
    this.status.textContent = "";
  }
}
