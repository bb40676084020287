// What a clinician writes of a consult, saved as they type. Two windows do not overwrite each other.
//
//   const notes = new Notes({ consult: "0198…", element, before });  notes.open();
//   const unsaved = await notes.close();   // what could not be saved, or null: `before` of whoever opens it again

import { api, clock, make } from "./api.js";

const SAVE_AFTER = 1_200; // ms without a key
const TRY_AGAIN = 5_000;
const FIELDS = [
  ["reason", "Why they came"],
  ["assessment", "What you think it is"],
  ["plan", "What to do"],
  ["come_back_if", "Come back if"],
  ["follow_up", "What comes next"],
  ["private", "For clinicians only"],
];

export class Notes {
  #consult;
  #version = 0;
  #fields = {};
  #timer = 0;
  #isDirty = false;
  #saving = null;
  #before;

  constructor({ consult, element, before = null }) {
    this.#consult = consult;
    this.#before = before;
    this.status = make("p", { class: "soft", role: "status" });
    const rows = FIELDS.map(([name, words]) => {
      const field = make("textarea", { rows: name === "plan" ? 4 : 2, id: `note-${name}`, name, oninput: () => this.#typed() });
      this.#fields[name] = field;
      return make("div", { class: "field" }, make("label", { for: `note-${name}` }, words), field);
    });
    this.handedOver = make("div", { class: "as-written soft" });
    element.replaceChildren(this.handedOver, ...rows, this.status);
  }

  async open() {
    const unsaved = await this.#before;
    if (unsaved) {
      this.#fill(unsaved);
      this.#isDirty = true;
    }
    try {
      const { data } = await api.get(`/consults/${this.#consult}/note`);
      this.#version = data.version;
      this.#fill(data.fields);
      this.handedOver.replaceChildren(...data.handed_over.map(({ note, by, at }) => make("p", {}, `${by}, ${clock(at)}: ${note}`)));
      if (this.#isDirty) this.#typed();
      else if (data.saved_at) this.status.textContent = `Saved at ${clock(data.saved_at)}`;
    } catch (error) {
      this.status.textContent = error.message;
    }
  }

  // Into what is empty here: what somebody has typed stays.
  #fill(fields) {
    for (const [name, field] of Object.entries(this.#fields)) field.value ||= fields[name] ?? "";
  }

  async close() {
    try {
      await this.save();
      return null;
    } catch {
      clearTimeout(this.#timer);
      return this.#written();
    }
  }

  // Of what the patient is to read.
  summary() {
    return Object.fromEntries(
      FIELDS.filter(([name]) => name !== "private").map(([name]) => [name, this.#fields[name].value.trim()]),
    );
  }

  #written() {
    return Object.fromEntries(Object.entries(this.#fields).map(([name, field]) => [name, field.value]));
  }

  #typed() {
    this.#isDirty = true;
    this.status.textContent = "Not saved yet";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save().catch(() => {}), SAVE_AFTER);
  }

  // One saving at a time; what was typed meanwhile is saved after it, and waited for by whoever asks.
  async save() {
    clearTimeout(this.#timer);
    while (this.#saving) await this.#saving;
    if (!this.#isDirty) return;
    this.#saving = this.#put().finally(() => (this.#saving = null));
    await this.#saving;
  }

  async #put() {
    this.#isDirty = false;
    const fields = this.#written();
    try {
      const { data } = await api.put(`/consults/${this.#consult}/note`, { version: this.#version, fields });
      this.#version = data.version;
      this.status.textContent = `Saved at ${clock(data.saved_at)}`;
    } catch (error) {
      this.#isDirty = true;
      this.status.textContent = error.message;
      if (error.code === "note_changed") {
        this.#version = error.said.note.version;
        this.#fill(error.said.note.fields);
        this.status.textContent = "Changed in another window: yours is kept here, and saved over it with your next word.";
      } else if (!error.isFinal) {
        this.#timer = setTimeout(() => this.save().catch(() => {}), TRY_AGAIN);
      }
      throw error;
    }
  }
}
