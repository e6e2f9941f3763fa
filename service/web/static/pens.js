// What draws on the surface: mouse, finger and pen as pointers, and the keyboard.

const STEP = 1 / 60; // of the surface's width, for one press of a key
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-1, -1],
  PageUp: [1, -1],
  End: [-1, 1],
  PageDown: [1, 1],
};

/** Draw with one pointer at a time. A pen takes over from the palm that touched before it. */
export function drawWithPointer(canvas, surface) {
  let active = null;

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (active && !(event.pointerType === "pen" && active.pointerType === "touch")) return;
    active = event;
    canvas.setPointerCapture(event.pointerId);
    surface.begin(position(event), pressure(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== active?.pointerId || !surface.stroke) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) surface.extend(position(each), pressure(each));
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => {
      if (event.pointerId !== active?.pointerId) return;
      active = null;
      if (type === "pointerup") surface.end();
      else surface.drop();
    });
  }

  function position(event) {
    const { left, top, width } = canvas.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / width };
  }
}

/** Return the factor of the pen width: 1 for mice and fingers, which have no pressure. */
function pressure(event) {
  return event.pointerType === "pen" && event.pressure > 0 ? 0.4 + 1.2 * event.pressure : 1;
}

/** Draw with the keyboard while the canvas has the focus. say: announces the state of the pen. */
export function drawWithKeyboard(canvas, surface, pen, say) {
  const at = { x: 0.5, y: 0.15 };
  let isDown = false;

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction) move(direction, event.shiftKey ? 4 * STEP : STEP);
    else if (event.key === " " || event.key === "Enter") event.repeat || (isDown ? lift() : putDown());
    else if (event.key === "Escape") lift();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", () => showPen());
  canvas.addEventListener("blur", () => {
    lift();
    pen.hidden = true;
  });
  canvas.addEventListener("pointerdown", () => {
    isDown = false;
    pen.hidden = true;
  });

  function move([across, down], step) {
    const bottom = canvas.clientHeight / canvas.clientWidth;
    at.x = Math.min(1, Math.max(0, at.x + across * step));
    at.y = Math.min(bottom, Math.max(0, at.y + down * step));
    if (isDown && surface.stroke) surface.extend(at);
    showPen();
  }

  function putDown() {
    isDown = true;
    surface.begin(at);
    say("Pen down");
    showPen();
  }

  function lift() {
    if (!isDown) return;
    isDown = false;
    if (surface.stroke) surface.end();
    say("Pen up");
    showPen();
  }

  function showPen() {
    pen.hidden = !canvas.matches(":focus-visible");
    pen.classList.toggle("down", isDown);
    pen.style.left = `${100 * at.x}%`;
    pen.style.top = `${(100 * at.y * canvas.clientWidth) / canvas.clientHeight}%`;
  }
}
