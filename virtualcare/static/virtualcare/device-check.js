// Trying camera and microphone before a call: nothing leaves the device. What is chosen is kept for the next call in
// this tab: sessionStorage "sameday-audio" and "sameday-video", ids of devices.

import * as devices from "./devices.js";

const part = (name) => document.querySelector(`[data-check="${name}"]`);
const KINDS = { audio: "microphone", video: "camera" };
const chosen = { audio: sessionStorage.getItem("sameday-audio") ?? "", video: sessionStorage.getItem("sameday-video") ?? "" };
let stream = null;
let quiet = () => {};
let wasHeard = false;

async function check() {
  part("start").disabled = true;
  quiet();
  devices.stop(stream);
  wasHeard = false;
  const opened = await devices.open(chosen);
  stream = opened.stream;
  part("preview").srcObject = stream;
  part("part").hidden = false;
  quiet = devices.listen(stream, (level) => {
    part("level").value = level;
    if (level > 0.35 && !wasHeard) {
      wasHeard = true;
      say("audio", "We hear you.");
    }
  });
  for (const [kind, name] of Object.entries(KINDS)) {
    const problem = opened.problems[kind];
    part(kind).classList.toggle("errors", Boolean(problem));
    say(kind, problem ?? (kind === "audio" ? "Say something: the bar should move." : `Your ${name} works.`));
  }
  await list();
  part("start").disabled = false;
  part("start").textContent = "Check again";
}

function say(kind, words) {
  part(kind).textContent = words;
}

async function list() {
  const found = await devices.list();
  for (const kind of Object.keys(KINDS)) {
    const used = stream.getTracks().find((track) => track.kind === kind)?.getSettings().deviceId;
    part(`choose-${kind}`).replaceChildren(
      ...found[kind].map(({ id, label }) => new Option(label, id, false, id === used)),
    );
  }
}

part("start").addEventListener("click", check);
for (const kind of Object.keys(KINDS)) {
  part(`choose-${kind}`).addEventListener("change", ({ target }) => {
    chosen[kind] = target.value;
    sessionStorage.setItem(`sameday-${kind}`, target.value);
    check();
  });
}
navigator.mediaDevices?.addEventListener("devicechange", () => stream && list());
