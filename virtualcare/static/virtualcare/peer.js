// One connection to one other page, kept up for as long as both want it.
//
// Perfect negotiation (W3C WebRTC 1.0, section 10.7): either side may begin at any time, and where both do, the polite
// one gives way. The impolite one makes the first offer, of one microphone and one camera each way, so that both sides
// speak of the same two lines for good; what they carry changes without negotiating. What is lost while the socket is
// down is said again by `again`; a connection that breaks is mended by restarting ICE, again and again.

const GIVEN = 3_000; // ms in which a broken connection may come back by itself
const MEND_FIRST = 6_000; // ms to mend it, doubled up to MEND_LAST
const MEND_LAST = 15_000;

export class Peer extends EventTarget {
  #send;
  #tracks;
  #isPolite;
  #isOffering = false;
  #isIgnoring = false;
  #taking = Promise.resolve();
  #timer = 0;
  #tries = 0;
  isClosed = false;
  wasConnected = false;
  stream = new MediaStream();

  // `send` takes a signal to the other page; `tracks` are what this one sends, { audio, video }: null where nothing.
  constructor({ configuration, isPolite, send, tracks }) {
    super();
    this.#send = send;
    this.#tracks = tracks;
    this.#isPolite = isPolite;
    const connection = (this.connection = new RTCPeerConnection(configuration));
    connection.addEventListener("negotiationneeded", () => this.#offer());
    connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate) this.#send({ kind: "candidate", candidate: candidate.toJSON() });
    });
    connection.addEventListener("track", ({ track }) => {
      this.stream.addTrack(track);
      this.dispatchEvent(new Event("stream"));
    });
    connection.addEventListener("connectionstatechange", () => this.#look());
    if (!isPolite) {
      for (const kind of ["audio", "video"]) {
        connection.addTransceiver(tracks[kind] ?? kind, { direction: "sendrecv" });
      }
    }
    this.#mendIn(MEND_FIRST);
  }

  get isConnected() {
    return this.connection.connectionState === "connected";
  }

  async #offer() {
    try {
      this.#isOffering = true;
      await this.connection.setLocalDescription();
      this.#describe();
    } catch (error) {
      if (!this.isClosed) console.warn("No offer was made", error.name, error.message);
    } finally {
      this.#isOffering = false;
    }
  }

  #describe() {
    const { type, sdp } = this.connection.localDescription;
    this.#send({ kind: "description", description: { type, sdp } });
  }

  // One after the other: what is said again may come while the first is still being taken.
  #inTurn(take) {
    this.#taking = this.#taking.then(() => {
      if (!this.isClosed) return take();
    });
    return this.#taking;
  }

  description(description) {
    return this.#inTurn(() => this.#take(description));
  }

  async #take(description) {
    const { connection } = this;
    const isOffer = description.type === "offer";
    const mayTake = !this.#isOffering && connection.signalingState === "stable";
    this.#isIgnoring = isOffer && !mayTake && !this.#isPolite;
    if (this.#isIgnoring) {
      // Ours goes before theirs; it may have been lost.
      if (connection.signalingState === "have-local-offer") this.#describe();
      return;
    }
    if (!isOffer && connection.signalingState !== "have-local-offer") return; // an answer that came twice
    try {
      await connection.setRemoteDescription(description);
      if (!isOffer) return;
      await this.#fill();
      await connection.setLocalDescription();
      this.#describe();
    } catch (error) {
      // What cannot be agreed on now is tried again, by an offer of ours or theirs.
      if (!this.isClosed) console.warn("A description was not taken", error.name, error.message);
    }
  }

  // Send what we have on the lines of an offer.
  async #fill() {
    for (const line of this.connection.getTransceivers()) {
      line.direction = "sendrecv";
      const track = this.#tracks[line.receiver.track.kind];
      if (line.sender.track !== track) await line.sender.replaceTrack(track);
    }
  }

  candidate(candidate) {
    return this.#inTurn(() => this.#add(candidate));
  }

  async #add(candidate) {
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // Of an offer that was not taken, or of one that never came: the next restart has new ones.
      if (!this.#isIgnoring && !this.isClosed) console.warn("A candidate was not taken", error.name);
    }
  }

  // The socket is there again, or the other page says that theirs is: say what may have been lost.
  again() {
    if (this.isClosed) return;
    if (this.connection.signalingState === "have-local-offer") this.#describe();
    else if (!this.isConnected) this.#restart();
  }

  configure(configuration) {
    if (!this.isClosed) this.connection.setConfiguration(configuration);
  }

  async replace(kind, track) {
    for (const { receiver, sender } of this.connection.getTransceivers()) {
      if (receiver.track.kind === kind) await sender.replaceTrack(track);
    }
  }

  #look() {
    const state = this.connection.connectionState;
    if (state === "connected") {
      clearTimeout(this.#timer);
      this.#tries = 0;
      this.wasConnected = true;
    } else if (state === "disconnected") this.#mendIn(GIVEN);
    else if (state === "failed") this.#mend();
    this.dispatchEvent(new Event("state"));
  }

  #mendIn(wait) {
    clearTimeout(this.#timer);
    if (!this.isClosed) this.#timer = setTimeout(() => this.#mend(), wait);
  }

  #mend() {
    if (this.isClosed || this.isConnected) return;
    if (this.connection.signalingState === "have-local-offer") this.#describe();
    else this.#restart();
    this.#mendIn(Math.min(MEND_LAST, MEND_FIRST * 2 ** this.#tries++));
  }

  // Nothing was agreed yet: then there is nothing to restart, and the impolite side is asked for its offer.
  #restart() {
    if (this.connection.currentRemoteDescription || !this.#isPolite) this.connection.restartIce();
    else this.dispatchEvent(new Event("silent"));
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.#timer);
    this.connection.close();
  }
}
