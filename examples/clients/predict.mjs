// Read a digit with fetch in Node 18 or later: node predict.mjs IMAGE [URL]
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const ATTEMPTS = 4;
const TIMEOUT_MS = 30_000;
const MAX_WAIT_SECONDS = 20;
const KEY = process.env.API_KEY ? { "X-API-Key": process.env.API_KEY } : {};

/**
 * Return {digit, confidence} for the bytes of a PNG or JPEG file.
 * Retries 503 after the seconds in Retry-After. Throws an Error with the service's sentence otherwise.
 */
export async function predict(image, url = "http://localhost:8000") {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${url.replace(/\/+$/, "")}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", ...KEY }, // the service judges by the bytes
      body: image,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response.json();
    const text = await response.text();
    if (response.status !== 503 || attempt === ATTEMPTS) throw new Error(`${response.status} ${detail(text)}`);
    await sleep(response.headers.get("Retry-After"));
  }
}

// Wait one second if the header is missing or a date.
function sleep(retryAfter) {
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Math.min(Number(retryAfter), MAX_WAIT_SECONDS) : 1;
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

// Return the sentence of an error, or the text itself if a proxy wrote it.
function detail(text) {
  try {
    return JSON.parse(text).detail ?? text;
  } catch {
    return text;
  }
}

async function main([image, url]) {
  if (!image) throw new Error("Name an image: node predict.mjs IMAGE [URL]");
  console.log(JSON.stringify(await predict(await readFile(image), url)));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`predict.mjs: ${error.cause?.message ?? error.message}`);
    process.exitCode = 1;
  });
}
