// Asking for a clinician by hand: the questions of a complaint, where somebody is, what they agree to and what it costs.

import { api, at, make } from "./api.js";

const form = at("form");
let asked = null;
let awaited = ""; // which questions were asked for last
let accepted = null;
let people = []; // { id, name, age }: whom the account acts for, its own person first

const dollars = (cents) => (cents / 100).toLocaleString("en-US", { style: "currency", currency: "USD" });

function field(question) {
  const id = `answer-${question.code}`;
  const common = { id, name: question.code, "data-kind": question.kind, required: question.required !== false };
  const input = {
    yes_no: () =>
      make("select", common, make("option", { value: "" }, "Choose"), make("option", { value: "no" }, "No"), make("option", { value: "yes" }, "Yes")),
    choice: () =>
      make("select", common, make("option", { value: "" }, "Choose"), ...options(question)),
    choices: () => make("select", { ...common, multiple: true, required: false }, ...options(question)),
    number: () => make("input", { ...common, type: "number", step: "any", min: question.min, max: question.max }),
    scale: () => make("input", { ...common, type: "number", min: question.min ?? 0, max: question.max ?? 10 }),
    text: () => make("textarea", { ...common, rows: 2, maxlength: question.max_length ?? 500 }),
  }[question.kind]();
  const unit = question.unit ? ` (${question.unit})` : "";
  return make("div", { class: "field" }, make("label", { for: id }, question.text + unit), input);
}

const options = (question) => question.options.map(({ code, text }) => make("option", { value: code }, text));

function answers() {
  const said = {};
  for (const input of at("questions").querySelectorAll("[data-kind]")) {
    const { kind } = input.dataset;
    if (kind === "choices") said[input.name] = [...input.selectedOptions].map((option) => option.value);
    else if (input.value === "") continue;
    else if (kind === "yes_no") said[input.name] = input.value === "yes";
    else if (kind === "number" || kind === "scale") said[input.name] = Number(input.value);
    else said[input.name] = input.value;
  }
  return said;
}

function drawPeople({ patient, dependents }) {
  const own = patient ? [{ id: "", name: `${patient.name} (you)`, age: ageOf(patient.birth_date) }] : [];
  people = [...own, ...dependents];
  form.elements.patient.replaceChildren(...people.map(({ id, name }) => make("option", { value: id }, name)));
  at("patient-part").hidden = people.length < 2 && own.length > 0;
  drawGuardian();
}

function ageOf(birthDate) {
  if (!birthDate) return null;
  const [year, month, day] = birthDate.split("-").map(Number);
  const now = new Date();
  const isBefore = now.getMonth() + 1 < month || (now.getMonth() + 1 === month && now.getDate() < day);
  return now.getFullYear() - year - isBefore;
}

// Of age is who can be cared for without somebody beside them.
function drawGuardian() {
  const { age } = people.find(({ id }) => id === form.elements.patient.value) ?? { age: null };
  const isYoung = age !== null && age < Number(document.querySelector("[data-of-age]").dataset.ofAge);
  at("guardian-part").hidden = !isYoung;
  form.elements.guardian.required = isYoung;
  form.elements.guardian.checked = false;
}

// What was agreed to for one person, or for one way to be seen, is not agreed to for another.
function forgetPrice() {
  accepted = null;
  at("price").hidden = true;
  at("send").textContent = "Ask for a clinician";
}

async function drawForm() {
  const { complaint, modality, state } = form.elements;
  if (!complaint.value) return;
  const query = state.value ? `?state=${state.value}&modality=${modality.value}` : "";
  const wanted = `/intake/${complaint.value}${query}`;
  awaited = wanted;
  const { data } = await api.get(wanted);
  if (awaited !== wanted) return; // something else was chosen meanwhile
  if (asked?.complaint !== data.complaint || asked?.version !== data.version) {
    at("questions").replaceChildren(make("legend", {}, "A few questions"), ...data.questions.map(field));
  }
  at("questions").hidden = !data.questions.length;
  asked = data;
  at("consents").replaceChildren(
    make("legend", {}, "Please read, and agree"),
    ...(data.consents ?? []).map((text) =>
      make(
        "div",
        { class: "field" },
        make("p", { class: "as-written soft" }, text.body),
        make("input", { type: "checkbox", id: `consent-${text.code}`, value: `${text.code}:${text.version}`, required: true }),
        make("label", { for: `consent-${text.code}` }, " I have read this, and agree."),
      ),
    ),
  );
  at("consents").hidden = !data.consents?.length;
}

async function send() {
  const { patient, guardian, complaint, modality, street, city, state, postal_code: zip } = form.elements;
  const body = {
    complaint: complaint.value,
    modality: modality.value,
    location: { street: street.value, city: city.value, state: state.value, postal_code: zip.value },
    answers: answers(),
    consents: [...at("consents").querySelectorAll("input:checked")].map((input) => input.value),
  };
  if (patient.value) body.patient = patient.value;
  if (guardian.checked) body.guardian_present = true;
  if (accepted !== null) body.accept_price = accepted;
  try {
    const { data } = await api.post("/consults", body);
    if (data.status === "diverted") return diverted(data);
    window.location.assign(`/consults/${data.id}`);
  } catch (error) {
    if (["membership_required", "price_changed"].includes(error.code) && Number.isInteger(error.said.price)) {
      accepted = error.said.price;
      at("price").hidden = false;
      at("price").textContent = `Without a membership this costs ${dollars(accepted)}, due once a clinician has cared for you. Send again to agree.`;
      at("send").textContent = `Ask for a clinician, for ${dollars(accepted)}`;
      at("send").focus();
      return;
    }
    if (error.code === "consult_open" && error.said.consult) return window.location.assign(`/consults/${error.said.consult}`);
    throw error;
  }
}

function diverted({ id, advice }) {
  form.hidden = true;
  const done = make("button", { type: "button", class: "quiet" }, "I have read this");
  done.addEventListener("click", async () => {
    done.disabled = true;
    at("problem").textContent = "";
    try {
      await api.post(`/consults/${id}/acknowledge`);
      done.replaceWith(make("p", { class: "soft" }, "Thank you. A nurse has been told."));
    } catch (error) {
      done.disabled = false;
      at("problem").textContent = error.message;
    }
  });
  at("diverted").hidden = false;
  at("diverted").replaceChildren(
    make("h2", { class: "advice", tabindex: -1 }, advice.title),
    make("p", {}, ...[advice.text ?? (advice.sentences ?? []).join(" ")]),
    ...(advice.phone ? [make("p", {}, make("a", { href: `tel:${advice.phone}` }, `Call ${advice.phone}`))] : []),
    done,
  );
  at("diverted").querySelector("h2").focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  at("problem").textContent = "";
  at("send").disabled = true;
  try {
    await send();
  } catch (error) {
    at("problem").textContent = error.message;
    at("problem").scrollIntoView();
  }
  at("send").disabled = false;
});
for (const name of ["patient", "modality"]) form.elements[name].addEventListener("change", forgetPrice);
form.elements.patient.addEventListener("change", drawGuardian);
for (const name of ["complaint", "modality", "state"]) {
  form.elements[name].addEventListener("change", () => drawForm().catch((error) => (at("problem").textContent = error.message)));
}

async function begin() {
  const [complaints, open, me] = await Promise.all([
    api.get("/intake"),
    api.get("/consults?open=true"),
    api.get("/me"),
  ]);
  drawPeople(me.data);
  form.elements.complaint.replaceChildren(
    make("option", { value: "" }, "Choose"),
    ...complaints.data.results.map(({ complaint, name }) => make("option", { value: complaint }, name)),
  );
  at("open").replaceChildren(
    ...open.data.results.map((consult) =>
      make("li", {}, make("a", { href: `/consults/${consult.id}` }, `${consult.patient.name}: ${consult.complaint?.name ?? consult.modality}`)),
    ),
  );
  at("open-part").hidden = !open.data.results.length;
}

begin().catch((error) => (at("problem").textContent = error.message));
