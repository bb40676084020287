// What somebody sees of a call: the others, themselves, where it stands, and buttons.

import { make } from "./api.js";
import * as devices from "./devices.js";

const STATES = {
  joining: "Joining the call…",
  agreeing: "Please read this before you join.",
  waiting: "You are in the call. Waiting for the other side…",
  connecting: "Connecting…",
  connected: "Connected.",
  mending: "The connection was lost. It is being restored…",
  ended: "The call is over.",
};
const SIDES = { patient: "Patient", clinician: "Clinician" };

export class Panel {
  #call;
  #others = new Map();

  constructor(element, call) {
    this.#call = call;
    this.status = make("p", { class: "call-status", role: "status" });
    this.notice = make("p", { class: "call-notice", hidden: true });
    this.problems = make("div", { class: "call-problems", role: "alert" });
    this.stage = make("div", { class: "call-stage" });
    this.own = make("video", { class: "call-own", autoplay: true, playsinline: true, "aria-label": "You" });
    this.own.muted = true;
    this.consents = make("div", { class: "call-consents", hidden: true });
    this.muteButton = this.#button("Microphone on", () => call.mute(!call.isMuted));
    this.cameraButton = this.#button("Camera on", () => call.showCamera(!call.isCameraOn));
    this.hangUpButton = this.#button("Hang up", () => call.hangUp(), "danger");
    this.microphone = this.#choice("Microphone", "audio");
    this.camera = this.#choice("Camera", "video");
    this.controls = make(
      "div",
      { class: "call-controls", role: "group", "aria-label": "Call" },
      this.muteButton,
      this.cameraButton,
      this.hangUpButton,
    );
    this.settings = make(
      "details",
      { class: "call-settings" },
      make("summary", {}, "Devices"),
      this.microphone.label,
      this.camera.label,
    );
    element.replaceChildren(
      this.status,
      this.notice,
      this.consents,
      make("div", { class: "call-pictures" }, this.stage, this.own),
      this.problems,
      this.controls,
      this.settings,
    );
    call.addEventListener("state", () => this.draw());
    call.addEventListener("notice", ({ detail }) => {
      this.notice.textContent = detail;
      this.notice.hidden = false;
    });
    call.addEventListener("consents", ({ detail }) => this.#ask(detail));
    call.addEventListener("local", ({ detail }) => this.#local(detail.stream));
    call.addEventListener("remote", ({ detail }) => this.#remote(detail));
    call.addEventListener("gone", ({ detail }) => this.#gone(detail.key));
    call.addEventListener("ended", ({ detail }) => this.#ended(detail.words));
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#list());
    this.draw();
  }

  draw() {
    const { state, isMuted, isCameraOn, problems } = this.#call;
    if (state in STATES && this.status.textContent !== STATES[state] && state !== "ended") {
      this.status.textContent = STATES[state];
    }
    this.#press(this.muteButton, !isMuted, `Microphone ${isMuted ? "off" : "on"}`);
    this.#press(this.cameraButton, isCameraOn, `Camera ${isCameraOn ? "on" : "off"}`);
    this.own.hidden = !isCameraOn;
    const told = Object.values(problems);
    if (told.join() !== [...this.problems.children].map((line) => line.textContent).join()) {
      this.problems.replaceChildren(...told.map((words) => make("p", {}, words)));
    }
  }

  // What is to be agreed to, and the button that does.
  #ask(texts) {
    const agree = this.#button("I agree, join the call", async () => {
      agree.disabled = true;
      try {
        await this.#call.agree();
        this.consents.hidden = true;
        this.muteButton.focus();
      } catch (error) {
        this.status.textContent = error.message;
      }
      agree.disabled = false;
    });
    this.consents.replaceChildren(...texts.map(({ body }) => make("p", { class: "as-written" }, body)), agree);
    this.consents.hidden = false;
    agree.focus();
  }

  #press(button, isOn, words) {
    button.setAttribute("aria-pressed", String(isOn));
    button.textContent = words;
  }

  #button(words, act, look = "") {
    const button = make("button", { type: "button", class: look || null }, words);
    button.addEventListener("click", act);
    return button;
  }

  #choice(words, kind) {
    const select = make("select");
    select.addEventListener("change", () => this.#call.choose(kind, select.value));
    return { label: make("label", {}, `${words} `, select), select };
  }

  async #list() {
    const found = await devices.list();
    for (const [kind, { select }] of [["audio", this.microphone], ["video", this.camera]]) {
      const chosen = this.own.srcObject?.getTracks().find((track) => track.kind === kind)?.getSettings().deviceId;
      select.replaceChildren(
        ...found[kind].map(({ id, label }) => new Option(label, id, false, id === chosen)),
      );
      select.disabled = found[kind].length < 2;
    }
  }

  #local(stream) {
    this.own.srcObject = stream;
    this.#list();
    this.draw();
  }

  #remote({ key, by, stream, sends }) {
    let shown = this.#others.get(key);
    if (!shown) {
      const video = make("video", { autoplay: true, playsinline: true });
      const words = make("figcaption");
      shown = { figure: make("figure", { class: "call-other" }, video, words), video, words };
      this.#others.set(key, shown);
      this.stage.append(shown.figure);
    }
    const side = SIDES[by] ?? "The other side";
    const off = [...(sends.audio ? [] : ["microphone off"]), ...(sends.video ? [] : ["camera off"])];
    shown.words.textContent = off.length ? `${side} (${off.join(", ")})` : side;
    shown.video.setAttribute("aria-label", side);
    shown.figure.classList.toggle("is-dark", !sends.video);
    if (shown.video.srcObject !== stream) shown.video.srcObject = stream;
    // Where the browser plays nothing by itself, the next press of anything lets it.
    shown.video.play().catch(() => document.addEventListener("click", () => shown.video.play(), { once: true }));
  }

  #gone(key) {
    this.#others.get(key)?.figure.remove();
    this.#others.delete(key);
  }

  #ended(words) {
    for (const key of [...this.#others.keys()]) this.#gone(key);
    this.status.textContent = words || STATES.ended;
    this.own.srcObject = null;
    this.own.hidden = true;
    this.consents.hidden = true;
    this.controls.hidden = true;
    this.settings.hidden = true;
  }
}
