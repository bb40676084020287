// The patient's page of a consult: waiting, chat, call, summary.

import { alert } from "./alert.js";
import { api, at, clock, make } from "./api.js";
import { Call } from "./call.js";
import { Chat } from "./chat.js";
import { Line } from "./line.js";

const ASK_EVERY = 15_000; // ms, with a socket
const ASK_WITHOUT_LINE = 4_000;
const ASK_WHEN_OVER = 60_000;
const SUMMARY_EVERY = 60_000;
const id = document.querySelector("[data-consult]").dataset.consult;
const WORDS = {
  intake: "Your request is being taken in.",
  waiting: "You are waiting for a clinician.",
  active: "You are with a clinician.",
  wrap_up: "The conversation is over. Your clinician is writing your summary.",
  completed: "This consult is over.",
  diverted: "Please do not wait for us.",
  abandoned: "Your place was given up because you were away. Nothing was charged.",
  cancelled: "You left. Nothing was charged.",
  escalated: "Please turn there now.",
};
const OVER = ["completed", "diverted", "abandoned", "cancelled", "escalated"];
const ADVICE = {
  911: "Call 911 now.",
  988: "Call or text 988 now.",
  er: "Go to the nearest emergency room now.",
};

let consult = null;
let call = null;
let timer = 0;
let isAsking = false;
let asksAgain = false;
let summaryAt = -Infinity;
let refused = ""; // why the last press of a button did nothing

const line = new Line({
  address: async () => {
    const { data } = await api.get(`/consults/${id}`);
    if (data.socket_url) return data.socket_url;
    throw Object.assign(new Error("It is over."), { isFinal: true });
  },
});
const chat = new Chat({
  consult: id,
  line,
  element: at("chat"),
  onSaid: ({ mine, role }) => !mine && role === "clinician" && document.hidden && alert("New message · Sameday"),
});

// One question at a time, so that no earlier answer is drawn over a later one.
async function look() {
  if (isAsking) {
    asksAgain = true;
    return;
  }
  isAsking = true;
  clearTimeout(timer);
  const goesOn = await ask();
  isAsking = false;
  if (!goesOn) return;
  if (asksAgain) {
    asksAgain = false;
    return look();
  }
  const isOver = OVER.includes(consult?.status);
  if (isOver && consult.status !== "completed") return; // nothing comes any more
  timer = setTimeout(look, isOver ? ASK_WHEN_OVER : line.isOpen ? ASK_EVERY : ASK_WITHOUT_LINE);
}

// Returns whether there is anything to ask for again.
async function ask() {
  try {
    const { data } = await api.get(`/consults/${id}`);
    const before = consult?.status;
    consult = data;
    at("problem").textContent = refused;
    draw();
    if (before && before !== "active" && data.status === "active") alert("Your clinician is here · Sameday");
    await held();
    if (["completed", "wrap_up"].includes(data.status)) await summary();
  } catch (error) {
    at("problem").textContent = error.message;
    if (error.isFinal) return false;
  }
  return true;
}

function draw() {
  const { status, place, wait, covered_from: from, clinician, modality } = consult;
  at("status").textContent = WORDS[status];
  at("clinician").textContent = clinician ? `With ${clinician.name}` : "";
  at("waiting").hidden = status !== "waiting";
  at("place").textContent = place ? `You are number ${place} in line.` : "";
  at("wait").textContent = wait
    ? `About ${wait.low_minutes} to ${wait.high_minutes} minutes.`
    : from
      ? `Nobody who may treat you where you are is on duty now. Somebody is from ${new Date(from).toLocaleString()} on.`
      : "Nobody who may treat you where you are is on duty, or planned to be. Book a visit in person, or leave.";
  at("advice").hidden = !consult.advice;
  at("advice").textContent = ADVICE[consult.advice] || "";
  at("leave").hidden = !["waiting", "active"].includes(status);
  at("leave").textContent = status === "waiting" ? "Stop waiting" : "End the conversation";
  const mayCall = status === "active" && modality === "video";
  at("call-part").hidden = !mayCall;
  at("join").hidden = !mayCall || Boolean(call);
  if (!mayCall) call?.hangUp();
  const canWrite = ["waiting", "active", "wrap_up", "completed"].includes(status);
  chat.allow(canWrite, canWrite ? "" : "Nothing can be written here any more.");
  chat.isOver = OVER.includes(status);
  if (chat.isOver) line.close();
  if (chat.isOver && !canWrite) chat.close();
}

// A visit that the clinician found and that has a price is held until the patient agrees to it.
async function held() {
  const { data } = consult.booked ? await api.get("/holds") : { data: { results: [] } };
  const hold = data.results.find(({ id: held }) => held === consult.booked);
  at("held").hidden = !hold;
  if (!hold) return;
  const price = (hold.price / 100).toLocaleString("en-US", { style: "currency", currency: "USD" });
  const book = make("button", { type: "button" }, `Book it for ${price}`);
  book.addEventListener("click", async () => {
    book.disabled = true;
    refused = "";
    try {
      await api.post("/appointments", { hold: hold.id, accept_price: hold.price });
    } catch (error) {
      refused = error.message;
    }
    look();
  });
  const start = new Date(hold.slot.start).toLocaleString([], { weekday: "long", hour: "numeric", minute: "2-digit" });
  at("held").replaceChildren(
    make("p", {}, `A visit at ${hold.slot.clinic.name} is held for you until ${clock(hold.expires_at)}: ${start}.`),
    make("p", {}, book),
  );
}

async function summary() {
  // It may be corrected: now and then it is read again.
  if (Date.now() < summaryAt + SUMMARY_EVERY) return;
  try {
    const { data } = await api.get(`/consults/${id}/summary`);
    summaryAt = Date.now();
    const parts = [
      ["Why you came", data.reason],
      ["What we think it is", data.assessment],
      ["What to do", data.plan],
      ["Come back if", data.come_back_if],
      ["What comes next", data.follow_up],
    ].filter(([, words]) => words);
    at("summary").replaceChildren(
      make("h2", {}, "Your summary"),
      make("p", { class: "soft" }, `${data.clinician}, ${new Date(data.released_at).toLocaleDateString()} ${clock(data.released_at)}`),
      ...parts.flatMap(([name, words]) => [make("h3", {}, name), make("p", { class: "as-written" }, words)]),
    );
    at("summary").hidden = false;
  } catch (error) {
    if (error.code !== "no_summary_yet" && !error.isFinal) throw error;
  }
}

at("leave").addEventListener("click", async () => {
  at("leave").disabled = true;
  refused = "";
  try {
    await api.post(`/consults/${id}/leave`);
  } catch (error) {
    refused = error.message;
  }
  at("leave").disabled = false;
  look();
});

at("join").addEventListener("click", async () => {
  call = new Call({ consult: id, line, element: at("call") });
  call.addEventListener("ended", ({ detail }) => {
    at("call-words").textContent = detail.words || "";
    call = null;
    look();
  });
  at("join").hidden = true;
  await call.start();
});

line.addEventListener("frame", ({ detail }) => {
  if (detail.type !== "news" || detail.what === "chat") return;
  if (detail.what !== "place" || !consult) return look();
  const { place, low_minutes: low, high_minutes: high } = detail;
  if (high === undefined) return look(); // from when on somebody is there is asked
  consult = { ...consult, place, wait: { low_minutes: low, high_minutes: high } };
  draw();
});
line.addEventListener("open", look);
line.open();
chat.open();
look();
