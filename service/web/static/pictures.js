// Pictures: chosen, photographed, dropped or pasted.

const SENT_TYPES = ["image/png", "image/jpeg"];
const MAX_SIDE = 2_000; // pixels of a converted picture

/** Call onPicture with each file that the user gives, and onNothing if a drop holds none. */
export function acceptPictures({ choose, file, camera, photo }, onPicture, onNothing) {
  for (const [button, input] of [[choose, file], [camera, photo]]) {
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files[0]) onPicture(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  acceptDrops(onPicture, onNothing);
  addEventListener("paste", (event) => {
    const [pasted] = event.clipboardData.files;
    if (!pasted) return;
    event.preventDefault();
    onPicture(pasted);
  });
}

/** Convert a picture that the browser can read and the service cannot, such as WebP, to PNG. Keep any other file. */
export async function toSentType(file) {
  if (!file.type.startsWith("image/") || SENT_TYPES.includes(file.type)) return file;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return file;
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function acceptDrops(onPicture, onNothing) {
  const mark = (isOver) => document.body.classList.toggle("dropping", isOver);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped) onPicture(dropped);
    else onNothing();
  });
}
