// A call by a LiveKit server: the same events and methods as the built-in way (peers.js). LiveKit's own library
// (vendor/livekit-client.js) is loaded where it is needed and nowhere else. A participant's name is their side.

import "./vendor/livekit-client.js";

const { Room, RoomEvent, Track } = globalThis.LivekitClient;
const SOURCES = { audio: Track.Source.Microphone, video: Track.Source.Camera };
const KINDS = ["audio", "video"];
const AGAIN_FIRST = 1_000; // ms until it is tried again, doubled up to AGAIN_LAST
const AGAIN_LAST = 15_000;

export class LiveKit extends EventTarget {
  #tracks;
  #info;
  #room = null;
  #others = new Map(); // streams, by identity
  #timer = 0;
  #tries = 0;
  #isWanted = false;
  state = "connecting";

  constructor({ tracks }) {
    super();
    this.#tracks = tracks;
  }

  enter(info) {
    this.#info = info;
    this.#isWanted = true;
    this.#connect();
  }

  // LiveKit renews a token by itself while somebody is connected. Another call has another room.
  renew(info) {
    const isAnother = info.participant !== this.#info.participant;
    this.#info = info;
    if (isAnother) this.#disconnect();
    if (!this.#room && this.#isWanted) this.#connect();
  }

  leave() {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#disconnect();
  }

  async replace(kind, track) {
    this.#tracks[kind] = track;
    const me = this.#room?.localParticipant;
    if (!me || this.#room.state !== "connected") return; // published once it is
    const published = me.getTrackPublication(SOURCES[kind])?.track;
    if (published && track) await published.replaceTrack(track, true);
    else if (published) await me.unpublishTrack(published.mediaStreamTrack, false);
    else if (track) await me.publishTrack(track, { source: SOURCES[kind] });
  }

  // LiveKit tells the others of what is muted.
  tellSends() {
    for (const kind of KINDS) {
      const published = this.#room?.localParticipant.getTrackPublication(SOURCES[kind])?.track;
      const isOn = Boolean(this.#tracks[kind]?.enabled);
      if (published && published.isMuted === isOn) isOn ? published.unmute() : published.mute();
    }
  }

  stats() {
    const tracks = [...(this.#room?.remoteParticipants.values() ?? [])].flatMap((other) =>
      [...other.trackPublications.values()].map(({ track }) => track).filter(Boolean),
    );
    return Promise.all(tracks.map((track) => track.getRTCStatsReport()));
  }

  async #connect() {
    clearTimeout(this.#timer);
    const room = (this.#room = new Room({ stopLocalTrackOnUnpublish: false, disconnectOnPageLeave: false }));
    const at = (event, act) => room.on(event, (...said) => room === this.#room && act(...said));
    at(RoomEvent.TrackSubscribed, (_track, _publication, other) => this.#show(other));
    at(RoomEvent.TrackUnsubscribed, (_track, _publication, other) => this.#show(other));
    at(RoomEvent.TrackMuted, (_publication, other) => this.#show(other));
    at(RoomEvent.TrackUnmuted, (_publication, other) => this.#show(other));
    at(RoomEvent.ParticipantConnected, () => this.#look());
    at(RoomEvent.ParticipantDisconnected, (other) => this.#gone(other.identity));
    at(RoomEvent.Reconnecting, () => this.#become("mending"));
    at(RoomEvent.Reconnected, () => this.#look());
    at(RoomEvent.Disconnected, () => this.#lost());
    try {
      await room.connect(this.#info.url, this.#info.token);
      if (room !== this.#room) return;
      this.#tries = 0;
      for (const kind of KINDS) if (this.#tracks[kind]) await this.replace(kind, this.#tracks[kind]);
      this.tellSends();
      this.#look();
    } catch (error) {
      console.warn("LiveKit's server lets nobody in now", error.name);
      if (room === this.#room) this.#lost();
    }
  }

  // Whether the call still is, is asked of our server: with what it says, it is tried again.
  #lost() {
    this.#disconnect();
    if (!this.#isWanted) return;
    this.#become(this.#tries ? "connecting" : "mending");
    const wait = Math.min(AGAIN_LAST, AGAIN_FIRST * 2 ** this.#tries++);
    this.#timer = setTimeout(() => this.dispatchEvent(new Event("lost")), wait);
  }

  #disconnect() {
    const room = this.#room;
    this.#room = null;
    room?.disconnect(false);
    for (const identity of [...this.#others.keys()]) this.#gone(identity);
  }

  #look() {
    this.#become(this.#room.remoteParticipants.size ? "connected" : "alone");
  }

  #show(other) {
    if (other.isLocal) return;
    const stream = this.#others.get(other.identity) ?? new MediaStream();
    this.#others.set(other.identity, stream);
    const sends = {};
    for (const kind of KINDS) {
      const published = other.getTrackPublication(SOURCES[kind]);
      const track = published?.track?.mediaStreamTrack;
      sends[kind] = Boolean(track) && !published.isMuted;
      for (const old of stream.getTracks()) if (old.kind === kind && old !== track) stream.removeTrack(old);
      if (track) stream.addTrack(track);
    }
    const detail = { key: other.identity, by: other.name, stream, sends };
    this.dispatchEvent(new CustomEvent("remote", { detail }));
    this.#look();
  }

  #gone(identity) {
    if (this.#others.delete(identity)) {
      this.dispatchEvent(new CustomEvent("gone", { detail: { key: identity } }));
    }
    if (this.#room) this.#look();
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
