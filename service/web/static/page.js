// The page: draw or give a picture, and it is read.

import { Answer } from "./answer.js";
import { drawWithKeyboard, drawWithPointer } from "./pens.js";
import { acceptPictures, toSentType } from "./pictures.js";
import { apiKey, describeModel, readNumber, Watch } from "./service.js";
import { Surface } from "./surface.js";

const BLANK = "The page is blank. Draw a digit, or choose a picture of one.";
const HINT = "Draw here";
const AWAY = "The service is not available. What you draw is kept, and read as soon as the service is back.";
const BACK_SECONDS = 5;
const MAX_ATTEMPTS = 3; // if a picture cannot be sent, although the service is there

const byId = (id) => document.getElementById(id);
const say = (text) => (byId("spoken").textContent = text);
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

const surface = new Surface(byId("canvas"), update);
const answer = new Answer(surface);
const watch = new Watch(tellConnection);
let reading = new AbortController(); // of the newest drawing
let isUnread = false; // there is no response to it yet

/** Show the state of the drawing, and have it read. */
function update() {
  byId("undo").disabled = !surface.canUndo;
  byId("clear").disabled = surface.isBlank;
  const { picture } = surface.state;
  byId("placeholder").textContent = surface.isBlank ? HINT : picture && !picture.image ? picture.file.name : "";
  reading.abort();
  reading = new AbortController();
  isUnread = false;
  if (surface.isBlank) answer.empty(BLANK);
  else read(reading.signal);
}

/** Have the drawing read, again and again while the service is busy, until it is answered or there is a newer one. */
async function read(signal) {
  isUnread = true;
  answer.wait();
  const picture = await surface.toBlob();
  for (let unsent = 0, seconds = 1; seconds; ) {
    const result = await readNumber(picture, signal).catch((error) => error);
    unsent += result.status === 0;
    if (result.status === 0 && !signal.aborted) result.isThere = await watch.probe();
    if (signal.aborted) return;
    seconds = result instanceof Error ? fail(result, unsent < MAX_ATTEMPTS) : succeed(result);
    await pause(seconds);
  }
}

function succeed(result) {
  isUnread = false;
  answer.show(result);
  return 0;
}

/** Say what went wrong. Returns the seconds until the next attempt, or 0 if there is none. */
function fail({ message, status, retryAfter, isThere }, maySendAgain) {
  const isSent = status !== 0;
  const seconds = isSent ? retryAfter : Number(isThere && maySendAgain);
  isUnread = seconds > 0 || (!isSent && !isThere);
  if (status === 401) askForKey();
  else if (isSent) answer.empty(seconds ? `${message} Trying again …` : message, true);
  else if (!seconds) answer.empty(isThere ? message : "", true);
  return seconds;
}

/** Say that the service went away or is back. Then what was not read is read. */
function tellConnection(isThere) {
  const element = byId("connection");
  element.className = isThere ? "back" : "away";
  element.textContent = isThere ? "The service is back." : AWAY;
  if (!isThere) return;
  setTimeout(() => element.className === "back" && (element.textContent = ""), 1000 * BACK_SECONDS);
  if (isUnread) update();
}

function askForKey() {
  const sentence = apiKey.get() ? "The service does not accept this API key." : "The service needs an API key.";
  answer.empty(sentence, true);
  byId("key").hidden = false;
  byId("secret").focus();
}

byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  apiKey.set(byId("secret").value.trim());
  byId("key").hidden = true;
  byId("canvas").focus();
  showModel();
  update();
});

byId("undo").addEventListener("click", () => surface.undo());
byId("clear").addEventListener("click", () => surface.clear());
byId("width").addEventListener("input", showWidth);

addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input:not([type=range])");
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && !isTyping) surface.undo();
  else if (event.key === "Delete" && !isTyping) surface.clear();
  else return;
  event.preventDefault();
});

function showWidth() {
  const share = byId("width").value / 100;
  surface.penWidth = share;
  byId("width").setAttribute("aria-valuetext", `${byId("width").value} percent of the drawing's width`);
  byId("sample").style.transform = `scale(${share / 0.07})`;
}

/** Name the served model below the page. Without a key there may be no answer, and the page does without it. */
async function showModel() {
  const { model, precision, accuracy, version } = await describeModel().catch(() => ({}));
  if (!model) return;
  const mnist = accuracy?.["mnist-test"];
  const share = mnist ? `, ${((100 * mnist.correct) / mnist.images).toFixed(2)}% of MNIST's test images right` : "";
  byId("model").textContent = `digit-service ${version} · ${model} (${precision})${share}`;
}

drawWithPointer(byId("canvas"), surface);
drawWithKeyboard(byId("canvas"), surface, byId("pen"), say);
acceptPictures(
  { choose: byId("choose"), file: byId("file"), camera: byId("camera"), photo: byId("photo") },
  async (file) => surface.show(await toSentType(file)),
  () => answer.empty("That was not a picture file. Drop a PNG or JPEG file.", true),
);
showWidth();
update();
showModel();
