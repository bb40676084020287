// The built-in way of a call: from device to device, by the signals that the page's socket carries
// (virtualcare/video/signalling.py says which there are). Events: "remote" { key, by, stream, sends } , "gone" { key },
// "state", "elsewhere" (this call goes on in another page of the same person).

import { Peer } from "./peer.js";

export class Peers extends EventTarget {
  #line;
  #tracks;
  #info;
  #me = crypto.randomUUID();
  #since = Date.now();
  #others = new Map(); // by their page: { from, by, since, peer, sends }
  #isEntered = false;
  #heard = ({ detail }) => detail.type === "signal" && this.#signal(detail);
  #opened = () => {
    if (!this.#isEntered) return;
    this.#hello(true);
    for (const { peer } of this.#others.values()) peer.again();
  };

  constructor({ line, tracks }) {
    super();
    this.#line = line;
    this.#tracks = tracks;
  }

  enter(info) {
    this.#info = info;
    this.#isEntered = true;
    this.#line.addEventListener("frame", this.#heard);
    this.#line.addEventListener("open", this.#opened);
    this.#hello(false);
  }

  // New credentials; or another call of the same consult, in which everybody begins anew.
  renew(info) {
    const isAnother = info.participant !== this.#info.participant;
    this.#info = info;
    if (isAnother) {
      for (const page of [...this.#others.keys()]) this.#drop(page);
      this.#hello(false);
    } else {
      for (const { peer } of this.#others.values()) peer.configure(this.#configuration());
    }
  }

  leave() {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#say({ kind: "bye" });
    this.#line.removeEventListener("frame", this.#heard);
    this.#line.removeEventListener("open", this.#opened);
    for (const page of [...this.#others.keys()]) this.#drop(page);
  }

  async replace(kind, track) {
    this.#tracks[kind] = track;
    await Promise.all([...this.#others.values()].map(({ peer }) => peer.replace(kind, track)));
    this.tellSends();
  }

  // What this page sends now, for what the others show.
  tellSends() {
    const isOn = (kind) => Boolean(this.#tracks[kind]?.enabled);
    this.#say({ kind: "sends", audio: isOn("audio"), video: isOn("video") });
  }

  // "alone" | "connecting" | "connected" | "mending"
  get state() {
    const peers = [...this.#others.values()].map(({ peer }) => peer);
    if (!peers.length) return "alone";
    if (peers.some((peer) => peer.isConnected)) return "connected";
    return peers.some((peer) => peer.wasConnected) ? "mending" : "connecting";
  }

  // RTCStatsReport of each connection.
  stats() {
    return Promise.all([...this.#others.values()].map(({ peer }) => peer.connection.getStats()));
  }

  #configuration() {
    const iceServers = this.#info.ice_servers.map(({ urls, username, credential }) => ({ urls, username, credential }));
    return { iceServers, iceTransportPolicy: this.#info.relay_only ? "relay" : "all", bundlePolicy: "max-bundle" };
  }

  #say(data) {
    this.#line.send({ type: "signal", data: { ...data, peer: this.#me } });
  }

  #hello(again, to) {
    this.#say({ kind: "hello", since: this.#since, again, ...(to ? { to } : {}) });
  }

  #signal({ from, by, data }) {
    if (data.to && data.to !== this.#me) return;
    const page = data.peer;
    switch (data.kind) {
      case "hello":
        return this.#greeted(page, from, by, data);
      case "description":
        return (this.#others.get(page) ?? this.#meet(page, from, by, 0)).peer.description(data.description);
      case "candidate":
        return this.#others.get(page)?.peer.candidate(data.candidate);
      case "sends":
        return this.#sends(page, data);
      case "elsewhere":
        this.leave();
        return this.dispatchEvent(new Event("elsewhere"));
      case "bye":
        return this.#drop(page);
    }
  }

  #greeted(page, from, by, { since, again, to }) {
    for (const [other, known] of this.#others) {
      if (known.from !== from || other === page) continue;
      // The same person in two pages: the later one has the call.
      if (known.since > since) return this.#say({ kind: "elsewhere", to: page });
      this.#say({ kind: "elsewhere", to: other });
      this.#drop(other);
    }
    const known = this.#others.get(page);
    if (known) {
      known.since = since;
      if (again) known.peer.again();
    } else this.#meet(page, from, by, since);
    // Answered to them alone; an answer needs none.
    if (!to) this.#hello(Boolean(known), page);
    this.tellSends();
  }

  #meet(page, from, by, since) {
    const peer = new Peer({
      configuration: this.#configuration(),
      isPolite: this.#me < page,
      send: (data) => this.#say({ ...data, to: page }),
      tracks: this.#tracks,
    });
    const other = { from, by, since, peer, sends: { audio: true, video: true } };
    this.#others.set(page, other);
    peer.addEventListener("stream", () => this.#show(page));
    peer.addEventListener("state", () => this.dispatchEvent(new Event("state")));
    peer.addEventListener("silent", () => this.#hello(true, page));
    this.dispatchEvent(new Event("state"));
    return other;
  }

  #sends(page, { audio, video }) {
    const other = this.#others.get(page);
    if (!other) return;
    other.sends = { audio, video };
    this.#show(page);
  }

  #show(page) {
    const { by, peer, sends } = this.#others.get(page) ?? {};
    if (peer) this.dispatchEvent(new CustomEvent("remote", { detail: { key: page, by, stream: peer.stream, sends } }));
  }

  #drop(page) {
    this.#others.get(page)?.peer.close();
    if (!this.#others.delete(page)) return;
    this.dispatchEvent(new CustomEvent("gone", { detail: { key: page } }));
    this.dispatchEvent(new Event("state"));
  }
}
