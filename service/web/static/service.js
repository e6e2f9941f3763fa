// The service: its predictions, its errors, and whether it is there.

const PROBE_TIMEOUT = 4_000; // milliseconds
const PROBE_INTERVAL = 5_000;
const RETRY_INTERVAL = 2_000;
const IDLE = 300_000; // after so long without a user, the service is not asked any more
const GATEWAY_ERRORS = [502, 504];
const KEY = "digit-service-api-key";

/** A request that failed. status: 0 if there was no response. retryAfter: seconds until the next attempt, or 0. */
export class ServiceError extends Error {
  constructor(message, status, retryAfter = 0) {
    super(message);
    Object.assign(this, { status, retryAfter });
  }
}

/** The key of this tab, for a service with API_KEY. */
export const apiKey = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (key) => sessionStorage.setItem(KEY, key),
};

/** Have the digits of a picture read. Returns the answer, with the milliseconds that it took. */
export async function readNumber(body, signal) {
  const started = performance.now();
  const answer = await request("predict-number?explain=true", { method: "POST", body, signal });
  return { ...answer, milliseconds: performance.now() - started };
}

/** Describe the served model. */
export const describeModel = () => request("model", {});

async function request(path, options) {
  const headers = apiKey.get() ? { "X-API-Key": apiKey.get() } : {};
  const response = await fetch(path, { ...options, headers }).catch(() => {
    throw new ServiceError("The picture could not be sent. Give it again.", 0);
  });
  const content = await response.json().catch(() => ({}));
  if (response.ok) return content;
  throw toError(response, content.detail ?? `The service answered with status ${response.status}.`);
}

function toError({ status, headers }, detail) {
  if (GATEWAY_ERRORS.includes(status)) return new ServiceError(detail, 0);
  return new ServiceError(toSentence(detail), status, status === 503 ? Number(headers.get("Retry-After")) || 1 : 0);
}

/** Leave out what only a program needs: "Error processing image: no digit found." -> "No digit found." */
function toSentence(detail) {
  const text = detail.replace(/^Error processing image: /, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Ask now and then whether the service is ready, while someone looks at the page. onChange gets true or false. */
export class Watch {
  constructor(onChange) {
    this.onChange = onChange;
    this.isThere = true;
    this.used = performance.now();
    for (const type of ["pointermove", "keydown"]) addEventListener(type, () => this.use());
    document.addEventListener("visibilitychange", () => document.hidden || this.probe());
    this.plan();
  }

  /** Ask. Returns whether the service is ready. */
  async probe() {
    const options = { cache: "no-store", signal: AbortSignal.timeout(PROBE_TIMEOUT) };
    const isThere = await fetch("ready", options).then((response) => response.ok, () => false);
    this.plan(isThere ? PROBE_INTERVAL : RETRY_INTERVAL);
    if (isThere !== this.isThere) {
      this.isThere = isThere;
      this.onChange(isThere);
    }
    return isThere;
  }

  plan(milliseconds = PROBE_INTERVAL) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => document.hidden || this.isIdle || this.probe(), milliseconds);
  }

  use() {
    const wasIdle = this.isIdle;
    this.used = performance.now();
    if (wasIdle) this.probe();
  }

  get isIdle() {
    return performance.now() - this.used > IDLE;
  }
}
