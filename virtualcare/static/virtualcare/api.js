// The API, from a page that is signed in by its cookie.
//
//   const { data } = await api.get("/consults/0198…");
//   await api.post("/consults/0198…/leave");
//
// What it refuses is thrown as Problem, with the server's own words; what did not arrive as Unreachable.

const ROOT = "/api/v1";
const FINAL = [401, 403, 404, 410];

export class Problem extends Error {
  constructor(status, said) {
    super(status === 401 ? "You are signed out. Reload this page to sign in." : said.detail || "Something went wrong. Try again.");
    this.status = status;
    this.code = said.code || "";
    this.said = said;
    this.isFinal = FINAL.includes(status);
  }
}

export class Unreachable extends Error {
  constructor() {
    super("No connection. What you see may be out of date; this page tries again by itself.");
    this.isFinal = false;
  }
}

const token = () => document.querySelector("[data-csrf]").dataset.csrf;

async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRFToken"] = token();
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    const sent = method === "GET" ? undefined : JSON.stringify(body ?? {});
    answer = await fetch(ROOT + path, { method, headers, body: sent, cache: "no-store" });
  } catch {
    throw new Unreachable();
  }
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    throw new Unreachable(); // something between here and the server answered in its place
  }
  if (!answer.ok) throw new Problem(answer.status, data || {});
  return { status: answer.status, data };
}

export const api = {
  get: (path) => call("GET", path),
  post: (path, body) => call("POST", path, body),
  put: (path, body) => call("PUT", path, body),
};

// An element, with attributes and children: text is text, whoever wrote it.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const at = (name, root = document) => root.querySelector(`[data-at="${name}"]`);

export const clock = (instant) => new Date(instant).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
