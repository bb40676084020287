// Camera and microphone: opening them, saying in words what is wrong, and how loud somebody is.

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const NAMES = { audio: "microphone", video: "camera" };

// What a person can do about it, by what getUserMedia throws (W3C Media Capture and Streams, 10.2).
export function words(error, kind) {
  const device = NAMES[kind];
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return `This page may not use your ${device}. Allow it in your browser (the icon beside the address) and try again.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `There is no ${device}. Connect one and try again.`;
    case "NotReadableError":
    case "AbortError":
      return `Your ${device} does not answer. Close other programs that use it, and try again.`;
    case "NoDevices":
      return "This browser gives no page a camera or microphone here. Use a current browser, and https.";
    default:
      return `Your ${device} cannot be used (${error.name}).`;
  }
}

const wanted = (kind, id) => ({ ...(kind === "audio" ? AUDIO : VIDEO), ...(id ? { deviceId: { exact: id } } : {}) });

// One track of a kind. Throws what getUserMedia throws.
export async function openOne(kind, id = "") {
  if (!navigator.mediaDevices) throw Object.assign(new Error("No devices"), { name: "NoDevices" });
  const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wanted(kind, id) });
  return stream.getTracks()[0];
}

// As much of camera and microphone as there is: { stream, problems: { audio?: words, video?: words } }.
// Both are asked for at once, so that a browser asks its user once.
export async function open({ audio = "", video = "" } = {}) {
  const problems = {};
  if (navigator.mediaDevices) {
    try {
      const both = { audio: wanted("audio", audio), video: wanted("video", video) };
      return { stream: await navigator.mediaDevices.getUserMedia(both), problems };
    } catch {
      // Which of the two it was is found by asking for each.
    }
  }
  const stream = new MediaStream();
  for (const [kind, id] of [["audio", audio], ["video", video]]) {
    try {
      stream.addTrack(await openOne(kind, id));
    } catch (error) {
      problems[kind] = words(error, kind);
    }
  }
  return { stream, problems };
}

// What can be chosen: { audio: [{ id, label }], video: […] }. Browsers name devices only once one was opened.
export async function list() {
  const found = { audio: [], video: [] };
  if (!navigator.mediaDevices) return found;
  for (const { kind, deviceId, label } of await navigator.mediaDevices.enumerateDevices()) {
    const of = { audioinput: "audio", videoinput: "video" }[kind];
    if (of) found[of].push({ id: deviceId, label: label || `${NAMES[of]} ${found[of].length + 1}` });
  }
  return found;
}

export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

// Calls `tell` ten times a second with how loud a stream is, from 0 to 1. Returns what stops it.
export function listen(stream, tell) {
  if (!stream.getAudioTracks().length) return () => {};
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibels = 10 * Math.log10(power || 1e-10);
    tell(Math.min(1, Math.max(0, (decibels + 60) / 60)));
  }, 100);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
