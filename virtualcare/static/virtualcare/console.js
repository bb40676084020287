// The clinician's console: who waits, who is offered, who is in hand, and all that is done for one of them.

import { alert, calm } from "./alert.js";
import { api, at, clock, make } from "./api.js";
import { Call } from "./call.js";
import { Chat } from "./chat.js";
import { Line } from "./line.js";
import { Notes } from "./notes.js";

const ASK_EVERY = 15_000; // ms, with a socket: asking is a heartbeat, too
const ASK_WITHOUT_LINE = 4_000;
let work = null;
let timer = 0;
let shown = null; // { consult, line, chat, notes, call }
let offeredBefore = null;
let isAsking = false;
let asksAgain = false;
let isActing = false;
const carried = new Map(); // what was written to a patient and not sent, by consult, while another is shown
const closing = new Map(); // notes that are being saved, by consult

const line = new Line({ address: async () => (await api.get("/clinician/queue")).data.socket_url });

function say(words) {
  at("problem").textContent = words;
}

// One act of the clinician's: what it was refused is said, and then things are as they are.
async function act(work) {
  if (isActing) return; // pressed twice
  isActing = true;
  say("");
  try {
    await work();
  } catch (error) {
    say(error.message);
  }
  isActing = false;
  await look();
}

async function look() {
  if (isAsking) {
    asksAgain = true;
    return;
  }
  isAsking = true;
  clearTimeout(timer);
  const asked = performance.now();
  try {
    work = (await api.get("/clinician/queue")).data;
    if (work.offered && work.offered.id !== offeredBefore) alert("A patient is offered to you");
    if (!work.offered) calm();
    offeredBefore = work.offered?.id ?? null;
    draw(asked);
    await followUps();
  } catch (error) {
    say(error.message);
  }
  isAsking = false;
  if (asksAgain) {
    asksAgain = false;
    return look();
  }
  timer = setTimeout(look, line.isOpen ? ASK_EVERY : ASK_WITHOUT_LINE);
}

// `asked` is when: an answer from before somebody was opened does not know of them.
function draw(asked) {
  const { status, waiting, offered, in_hand: hand } = work;
  const count = Object.values(waiting).reduce((sum, number) => sum + number, 0);
  at("duty").textContent = status.on_duty
    ? `On duty until ${clock(status.on_call_until)}`
    : status.on_call_until
      ? "On call, not available"
      : "Not on call";
  at("available").textContent = status.available ? "Go away" : "I am available";
  at("available").setAttribute("aria-pressed", status.available);
  at("waiting").textContent = `${waiting.text} by text, ${waiting.video} by video`;
  at("load").textContent = `${status.texts} of ${status.capacity} texts, ${status.calls} of 1 call`;
  at("next").disabled = !status.on_duty || !count || Boolean(offered);
  drawOffer(offered);
  drawHand(hand);
  if (shown) {
    const now = hand.find((consult) => consult.id === shown.consult.id);
    if (now) drawCare(now);
    else if (shown.consult.status !== "completed" && asked > shown.since) leaveCare("This patient is not with you any more.");
  }
}

function facts(consult) {
  const { patient, complaint, location } = consult;
  return `${patient.name}, ${patient.age} · ${complaint?.name ?? ""} · ${location?.city ?? ""}, ${location?.state ?? ""}`;
}

function drawOffer(offered) {
  at("offer").hidden = !offered;
  if (!offered) return;
  at("offer-facts").textContent = `${offered.modality === "video" ? "Video" : "Text"}: ${facts(offered)}`;
  const left = Math.max(0, Math.round((new Date(offered.offer_expires_at) - Date.now()) / 1000));
  at("offer-left").textContent = `${left} seconds left`;
}

setInterval(() => {
  if (!work?.offered) return;
  if (new Date(work.offered.offer_expires_at) <= Date.now()) look();
  else drawOffer(work.offered);
}, 1_000);

// A list is drawn again where it changed alone, and keeps the keyboard's place.
function drawList(list, rows) {
  const drawn = JSON.stringify(rows.map(({ textContent, firstElementChild }) => [textContent, firstElementChild.dataset.consult]));
  if (list.dataset.drawn === drawn) return;
  list.dataset.drawn = drawn;
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.consult : null;
  list.replaceChildren(...rows);
  if (focused) list.querySelector(`[data-consult="${focused}"]`)?.focus();
}

function drawHand(hand) {
  drawList(
    at("hand"),
    hand.map((consult, number) =>
      make(
        "li",
        {},
        make(
          "button",
          {
            type: "button",
            class: "hand",
            "data-consult": consult.id,
            onclick: () => care(consult),
          },
          `${number + 1}. ${consult.patient.name} · ${consult.modality}${consult.status === "wrap_up" ? " · to write up" : ""}`,
        ),
      ),
    ),
  );
  markShown();
  at("hand-empty").hidden = hand.length > 0;
}

function markShown() {
  for (const button of at("hand").querySelectorAll("button")) {
    button.setAttribute("aria-current", button.dataset.consult === shown?.consult.id);
  }
}

async function followUps() {
  const { data } = await api.get("/clinician/follow-ups");
  drawList(
    at("questions"),
    data.results.map((row) =>
      make(
        "li",
        {},
        make(
          "button",
          { type: "button", class: "hand", "data-consult": row.consult, onclick: () => act(() => answer(row)) },
          `${row.patient?.name ?? "Another clinician's patient"} · ${row.kind === "summary" ? "write up" : "answer"} by ${clock(row.due_at)}`,
        ),
      ),
    ),
  );
  at("questions-part").hidden = data.results.length === 0;
}

async function answer(row) {
  if (!row.is_yours) await api.post(`/clinician/follow-ups/${row.consult}/take`);
  const { data } = await api.get(`/consults/${row.consult}`);
  care(data);
}

// Caring for one of them.

function care(consult) {
  if (shown?.consult.id === consult.id) return;
  leaveCare("");
  const own = new Line({
    address: async () => {
      const { data } = await api.get(`/consults/${consult.id}`);
      if (data.socket_url) return data.socket_url;
      throw Object.assign(new Error("It is over."), { isFinal: true });
    },
  });
  const chat = new Chat({
    consult: consult.id,
    line: own,
    element: at("chat"),
    onSaid: ({ mine, role }) => !mine && role === "patient" && document.hidden && alert("New message · Sameday"),
    carried: carried.get(consult.id),
  });
  const notes = new Notes({ consult: consult.id, element: at("notes"), before: closing.get(consult.id) });
  shown = { consult, line: own, chat, notes, call: null, since: performance.now() };
  own.addEventListener("frame", ({ detail }) => detail.type === "news" && detail.what !== "chat" && look());
  own.open();
  chat.open();
  shown.notes.open();
  at("care").hidden = false;
  at("care-empty").hidden = true;
  drawCare(consult);
  markShown();
  at("patient").focus();
}

function leaveCare(words) {
  at("finish-part").hidden = true;
  at("transfer-part").hidden = true;
  if (shown) {
    shown.call?.hangUp();
    carried.set(shown.consult.id, shown.chat.carry());
    shown.chat.close();
    closing.set(shown.consult.id, shown.notes.close());
    shown.line.close();
  }
  shown = null;
  // What was found or begun for one patient is never done to another.
  at("slots").replaceChildren();
  at("colleagues").replaceChildren(at("anybody"));
  for (const form of ["find-slots", "transfer", "escalate"]) at(form).reset();
  at("care").hidden = true;
  at("care-empty").hidden = false;
  at("care-words").textContent = words || "Nobody is open here. Take the next patient, or choose one of yours.";
}

function drawCare(consult) {
  shown.consult = consult;
  const { patient, complaint, location, answers, status, modality } = consult;
  at("patient").textContent = `${patient.name}, ${patient.age}`;
  at("complaint").textContent = complaint?.name ?? "";
  at("location").textContent = location
    ? `Now at ${location.street}, ${location.city}, ${location.state} ${location.postal_code}`
    : "";
  at("answers").replaceChildren(
    ...Object.entries(answers ?? {}).flatMap(([code, value]) => [
      make("dt", {}, code.replaceAll("_", " ")),
      make("dd", {}, value === true ? "yes" : value === false ? "no" : String(value)),
    ]),
  );
  const isActive = status === "active";
  at("call-part").hidden = !isActive || modality !== "video";
  at("join").hidden = Boolean(shown.call);
  at("to-video").hidden = !isActive || modality === "video";
  at("transfer-part").hidden = !isActive;
  at("end").hidden = !isActive;
  shown.chat.isOver = status === "completed";
  at("finish-part").hidden = !["active", "wrap_up"].includes(status);
  if (!isActive) shown.call?.hangUp();
}

async function startCall() {
  const { consult } = shown;
  const call = new Call({ consult: consult.id, line: shown.line, element: at("call") });
  const here = shown;
  here.call = call;
  call.addEventListener("ended", ({ detail }) => {
    at("call-words").textContent = detail.words || "";
    here.call = null;
    at("join").hidden = false;
  });
  at("join").hidden = true;
  await call.start();
}

const open = () => `/consults/${shown.consult.id}`;

// What was said of one patient, once it is done: the clinician may have turned to another meanwhile.
function leaveThem(them, words) {
  if (shown === them) leaveCare(words);
  carried.delete(them.consult.id);
}

const ACTS = {
  available: () => act(() => api.put("/clinician/status", { available: !work?.status.available })),
  next: () => act(() => api.post("/clinician/claims")),
  accept: () =>
    act(async () => {
      const { data } = await api.post(`/clinician/claims/${work.offered.id}/accept`);
      care(data);
    }),
  decline: () => act(() => api.post(`/clinician/claims/${work.offered.id}/decline`)),
  end: () => act(() => api.post(`${open()}/complete`)),
  "to-video": () => act(() => api.post(`${open()}/video`)),
};
for (const [name, work] of Object.entries(ACTS)) at(name).addEventListener("click", work);
at("join").addEventListener("click", startCall);

at("transfer").addEventListener("submit", (event) => {
  event.preventDefault();
  const { note, to } = event.target.elements;
  const asked = { note: note.value, ...(to.value && { to: to.value }) };
  const [them, path] = [shown, open()];
  act(async () => {
    await them.chat.finish();
    await them.notes.save(); // while they are theirs
    await api.post(`${path}/transfer`, asked);
    leaveThem(them, "Handed over.");
  });
});
// Who could take over is asked for when somebody thinks of it.
at("hand-over").addEventListener("toggle", async () => {
  if (!at("hand-over").open || !shown) return;
  const [them, path] = [shown, open()];
  try {
    const { data } = await api.get(`${path}/colleagues`);
    if (shown !== them) return;
    at("colleagues").replaceChildren(at("anybody"), ...data.results.map(({ id, name }) => make("option", { value: id }, name)));
  } catch (error) {
    say(error.message);
  }
});
at("escalate").addEventListener("submit", (event) => {
  event.preventDefault();
  const { advice, note } = event.target.elements;
  const them = shown;
  act(async () => {
    await api.post(`${open()}/escalate`, { advice: advice.value, note: note.value });
    leaveThem(them, "The patient was told where to turn.");
  });
});
at("finish").addEventListener("click", () => {
  const [them, path] = [shown, open()];
  act(async () => {
    await them.chat.finish();
    await them.notes.save();
    await api.post(`${path}/complete`, { summary: them.notes.summary() });
    leaveThem(them, "The summary is with the patient.");
  });
});
at("find-slots").addEventListener("submit", (event) => {
  event.preventDefault();
  const type = event.target.elements.type.value;
  const [them, path] = [shown, open()];
  act(async () => {
    const { data } = await api.get(`${path}/slots?visit_type=${encodeURIComponent(type)}`);
    if (shown !== them) return;
    at("slots").replaceChildren(
      ...data.results.map((slot) =>
        make(
          "li",
          {},
          make(
            "button",
            { type: "button", class: "plain", onclick: () => act(() => bookSlot(path, slot)) },
            `${new Date(slot.start).toLocaleString([], { weekday: "short", hour: "numeric", minute: "2-digit" })}, ${slot.clinic.name}`,
          ),
        ),
      ),
    );
    if (!data.results.length) at("slots").replaceChildren(make("li", {}, "No time is free today or tomorrow nearby."));
  });
});

async function bookSlot(path, slot) {
  await api.post(`${path}/book`, { slot: slot.id });
  if (shown && open() === path) at("slots").replaceChildren(make("li", {}, "Booked: the patient is told."));
}

// By keyboard, while nobody writes: N next, A accept, D decline, 1-9 a patient in hand, V available.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  const button = { n: "next", a: "accept", d: "decline", v: "available" }[key];
  if (button && !at(button).disabled && !at(button).closest("[hidden]")) {
    event.preventDefault();
    ACTS[button]();
  }
  const chosen = /^[1-9]$/.test(key) && work?.in_hand[Number(key) - 1];
  if (chosen) care(chosen);
});

line.addEventListener("frame", ({ detail }) => detail.type === "news" && look());
line.addEventListener("open", look);
line.open();
look();
