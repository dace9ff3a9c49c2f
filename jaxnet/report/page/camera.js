// The camera: pictures of a class while a button is held, and the one before it, live through the network.

import { make } from "./dom.js";
import { readBitmap } from "./input.js";

// Why there is no camera, by the name of the browser's error; the keys of texts.
const REASONS = {
  NotAllowedError: "camera.denied",
  SecurityError: "camera.denied",
  NotFoundError: "camera.none",
  OverconstrainedError: "camera.none",
  NotReadableError: "camera.busy",
  AbortError: "camera.busy",
};

/** Return the key of the text that says why this page can ask for no camera; null if it can. */
export function whyNoCamera() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  return isSecureContext ? "camera.missing" : "camera.insecure";
}

/** Make the camera: its picture, `open`, `close`, and `take`, the middle square of what it sees, at a size. */
export function makeCamera() {
  const video = make("video", { muted: true, playsinline: true, hidden: true });
  let stream = null;
  const camera = { element: video, isOpen: false };
  camera.close = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    [stream, video.srcObject, video.hidden, camera.isOpen] = [null, null, true, false];
  };
  /** Open it; the answer is null, or the key of the text that says why it cannot be. */
  camera.open = async () => {
    const reason = whyNoCamera();
    if (reason) return reason;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
      stream.getVideoTracks()[0].addEventListener("ended", camera.close); // it was unplugged
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      camera.close();
      return REASONS[error.name] ?? "camera.busy";
    }
    [video.hidden, camera.isOpen] = [false, true];
    return null;
  };
  camera.take = (size) => {
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.min(width, height);
    const square = { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), wide: side, high: side };
    return side ? readBitmap(video, square, size) : null;
  };
  return camera;
}
