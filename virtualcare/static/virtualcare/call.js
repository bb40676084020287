// The call of a consult, for a page that has its chat beside it.
//
//   import { Call } from "./call.js";
//   import { Line } from "./line.js";
//
//   const line = new Line({ address });   // the page's one socket: the chat hears its news by it, too
//   line.open();
//   const call = new Call({
//     consult: "0198…",                   // its id: asked at GET /api/v1/consults/{id}/video
//     line,
//     element: document.querySelector("#call"),   // filled with pictures and buttons; class "call" (call.css)
//     audio: "", video: "",               // ids of devices that were chosen before; empty: the browser's own choice
//   });
//   call.addEventListener("ended", ({ detail }) => …);   // { why: "hung_up" | "over" | "elsewhere", words }
//   call.addEventListener("state", () => call.state);    // joining, agreeing, waiting, connecting, connected, mending,
//                                                        // ended
//   await call.start();                   // on a press of a button, so that the browser lets it make a sound
//   call.hangUp();                        // leaves the call, not the consult: a new Call joins it again
//
// A patient whose conversation by text has become a call may have texts to agree to first ("agreeing"): the element shows
// them, or "consents" tells them, and `agree()` agrees.
//
// Besides: `mute(isMuted)`, `showCamera(isShown)`, `choose("audio" | "video", deviceId)`, `stats()` (a list of
// RTCStatsReport). With `element: null` it shows nothing, and tells "remote", "gone" and "local" instead.
// The page has its CSRF token where api.js looks for it.
//
// Who may be in the call is looked at again by the server each time that it is asked how to join: every minute, more
// often while the socket is down, and whenever the socket says that there is news. Once they may not, the call is over.
// When the socket drops, the call goes on without it.

import { api, Problem, Unreachable } from "./api.js";
import * as devices from "./devices.js";
import { Panel } from "./panel.js";
import { Peers } from "./peers.js";

const ASK_EVERY = 60_000; // ms between questions whether the call still is
const ASK_WITHOUT_LINE = 15_000;
const LOOKS_AGAIN_AT = ["call", "status", "again"]; // news
const ENDED_BY_SERVER = 4400; // the first of such codes of a socket (virtualcare/sockets/base.py)
const LEAVES = [401, 403, 404, 409, 410];
const AGREE_FIRST = "video_consent_required"; // one of them that is not for good

export class Call extends EventTarget {
  #consult;
  #line;
  #chosen;
  #panel;
  #way = null;
  #info = null;
  #tracks = { audio: null, video: null };
  #timer = 0;
  #asking = null;
  #isReady = false; // camera and microphone were opened, or cannot be
  #consents = [];
  #news = ({ detail }) => {
    if (detail.type === "news" && LOOKS_AGAIN_AT.includes(detail.what)) this.#ask();
  };
  #lost = ({ detail }) => (detail >= ENDED_BY_SERVER ? this.#ask() : this.#askIn(ASK_WITHOUT_LINE));
  #found = () => this.#ask();
  #leaving = () => this.hangUp();

  constructor({ consult, line, element = null, audio = "", video = "" }) {
    super();
    this.#consult = consult;
    this.#line = line;
    this.#chosen = { audio, video };
    this.state = "idle";
    this.isMuted = false;
    this.isCameraOn = true;
    this.problems = {};
    this.#panel = element && new Panel(element, this);
  }

  async start() {
    this.#become("joining");
    this.#line.addEventListener("frame", this.#news);
    this.#line.addEventListener("lost", this.#lost);
    this.#line.addEventListener("open", this.#found);
    window.addEventListener("pagehide", this.#leaving);
    const opened = devices.open(this.#chosen);
    await this.#ask();
    const { stream, problems } = await opened;
    if (this.state === "ended") return devices.stop(stream);
    this.problems = problems;
    for (const track of stream.getTracks()) this.#tracks[track.kind] = track;
    this.isCameraOn = Boolean(this.#tracks.video);
    this.isMuted = !this.#tracks.audio;
    this.#tell("local", { stream, problems });
    this.#isReady = true;
    if (this.state === "joining") this.#become("waiting");
    if (this.#info) await this.#enter();
  }

  // The patient agrees to what is told by "consents", and joins. Throws what api.js throws.
  async agree() {
    const consents = this.#consents.map(({ code, version }) => `${code}:${version}`);
    await api.post(`/consults/${this.#consult}/video`, { consents });
    await this.#ask();
  }

  hangUp() {
    this.#end("hung_up", "You left the call.");
  }

  // What the other side hears.
  async mute(isMuted) {
    if (!isMuted && !(await this.#have("audio"))) return;
    this.isMuted = isMuted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !isMuted;
    this.#changed();
  }

  // What the other side sees. The camera is closed, not only covered: its light goes out.
  async showCamera(isShown) {
    if (isShown) {
      if (!(await this.#have("video"))) return;
    } else if (this.#tracks.video) {
      this.#tracks.video.stop();
      await this.#replace("video", null);
    }
    this.isCameraOn = isShown;
    this.#changed();
  }

  // Go on with another microphone or camera.
  async choose(kind, id) {
    this.#chosen[kind] = id;
    const earlier = this.#tracks[kind];
    if (kind === "video" && !this.isCameraOn) return;
    earlier?.stop(); // some devices are given to one at a time
    await this.#replace(kind, null);
    if (await this.#have(kind)) this.#tracks.audio.enabled = !this.isMuted;
    this.#changed();
  }

  stats() {
    return this.#way ? this.#way.stats() : Promise.resolve([]);
  }

  // Whether there is a track of a kind, opened where it has to be.
  async #have(kind) {
    if (this.#tracks[kind]) return true;
    try {
      const track = await devices.openOne(kind, this.#chosen[kind]);
      delete this.problems[kind];
      await this.#replace(kind, track);
      return true;
    } catch (error) {
      this.problems[kind] = devices.words(error, kind);
      this.#changed();
      return false;
    }
  }

  async #replace(kind, track) {
    this.#tracks[kind] = track;
    await this.#way?.replace(kind, track);
    const stream = new MediaStream(Object.values(this.#tracks).filter(Boolean));
    this.#tell("local", { stream, problems: this.problems });
  }

  #changed() {
    this.#way?.tellSends();
    this.#panel?.draw();
  }

  // How to join, once at a time. What the server does not let in is over; what does not answer is asked again.
  #ask() {
    this.#asking ??= this.#asked().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #asked() {
    clearTimeout(this.#timer);
    if (this.state === "ended") return;
    try {
      const { data } = await api.get(`/consults/${this.#consult}/video`);
      await this.#joined(data);
    } catch (error) {
      if (error.code === AGREE_FIRST) return this.#asksToAgree(error.said.consents);
      if (LEAVES.includes(error.status)) return this.#end("over", error.message);
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    }
    this.#askIn(this.#line.isOpen ? ASK_EVERY : ASK_WITHOUT_LINE);
  }

  #askIn(most) {
    clearTimeout(this.#timer);
    if (this.state === "ended") return;
    const left = this.#info ? new Date(this.#info.expires_at) - Date.now() : Infinity;
    this.#timer = setTimeout(() => this.#ask(), Math.max(1_000, Math.min(most, left / 2)));
  }

  async #joined(info) {
    this.#info = info;
    if (info.notice) this.#tell("notice", info.notice);
    if (this.state === "agreeing") this.#become("waiting");
    if (this.#way) this.#way.renew(info);
    else if (this.#isReady) await this.#enter();
  }

  #asksToAgree(consents) {
    this.#consents = consents;
    this.#become("agreeing");
    this.#tell("consents", consents);
  }

  async #enter() {
    if (this.#way) return;
    const way = this.#info.provider === "livekit" ? (await import("./livekit.js")).LiveKit : Peers;
    if (this.#way || this.state === "ended") return;
    this.#way = new way({ line: this.#line, tracks: this.#tracks });
    this.#way.addEventListener("remote", ({ detail }) => this.#tell("remote", detail));
    this.#way.addEventListener("gone", ({ detail }) => this.#tell("gone", detail));
    this.#way.addEventListener("state", () => this.#become(this.#way.state === "alone" ? "waiting" : this.#way.state));
    this.#way.addEventListener("lost", () => this.#ask());
    this.#way.addEventListener("elsewhere", () => this.#end("elsewhere", "This call goes on in another window of yours."));
    this.#way.enter(this.#info);
  }

  #end(why, words) {
    if (this.state === "ended") return;
    clearTimeout(this.#timer);
    this.#line.removeEventListener("frame", this.#news);
    this.#line.removeEventListener("lost", this.#lost);
    this.#line.removeEventListener("open", this.#found);
    window.removeEventListener("pagehide", this.#leaving);
    this.#become("ended");
    this.#way?.leave();
    for (const track of Object.values(this.#tracks)) track?.stop();
    this.#tell("ended", { why, words });
  }

  #become(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.#tell("state");
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}
