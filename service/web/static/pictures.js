// Pictures: chosen, photographed, dropped or pasted.

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
