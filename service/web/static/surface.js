// The drawing surface: strokes or a picture, with undo. Lengths are shares of the surface's width.

const ASPECT = 3 / 2;
const SENT = { width: 480, height: 480 / ASPECT }; // pixels of the drawing that the service gets
const MAX_PREVIEW = 1200; // pixels: a decoded photo takes 50 MB
const MAX_STATES = 200;
const BLANK = { strokes: [], picture: null };

export class Surface {
  /** onChange is called after every stroke, picture, undo and clear. */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.penWidth = 0.03;
    this.states = [BLANK];
    this.stroke = null; // points of the stroke that is being drawn
    new ResizeObserver(() => this.repaint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  get state() {
    return this.states.at(-1);
  }

  get isBlank() {
    return !this.state.picture && this.state.strokes.length === 0;
  }

  get canUndo() {
    return this.states.length > 1;
  }

  begin(point, pressure = 1) {
    this.stroke = [];
    this.extend(point, pressure);
  }

  extend({ x, y }, pressure = 1) {
    this.stroke.push({ x, y, width: this.penWidth * pressure });
    this.repaint();
  }

  end() {
    const stroke = this.stroke;
    this.stroke = null;
    if (stroke) this.push({ strokes: [...this.state.strokes, stroke], picture: null });
  }

  drop() {
    this.stroke = null;
    this.repaint();
  }

  clear() {
    this.stroke = null;
    if (!this.isBlank) this.push(BLANK);
  }

  undo() {
    if (!this.canUndo) return;
    this.states.pop();
    this.repaint();
    this.onChange();
  }

  async show(file) {
    this.push({ strokes: [], picture: { file, ...(await preview(file)) } });
  }

  push(state) {
    this.states = [...this.states, state].slice(-MAX_STATES);
    this.repaint();
    this.onChange();
  }

  /** Return what the service gets: the chosen file as it is, or the drawing as a PNG file, black on white. */
  toBlob() {
    if (this.state.picture) return Promise.resolve(this.state.picture.file);
    const canvas = Object.assign(document.createElement("canvas"), SENT);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SENT.width, SENT.height);
    paint(context, this.state.strokes, SENT.width, "#000");
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** Convert a box in pixels of what was sent to percent of the surface. */
  place([left, top, width, height]) {
    const size = this.state.picture ?? SENT;
    const area = contain(size.width / size.height);
    return {
      left: 100 * (area.x + (left / size.width) * area.width),
      top: 100 * (area.y + (top / size.height) * area.height) * ASPECT,
      width: (100 * width * area.width) / size.width,
      height: ((100 * height * area.height) / size.height) * ASPECT,
    };
  }

  repaint() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paintNow());
  }

  paintNow() {
    const width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    Object.assign(this.canvas, { width, height: Math.round(width / ASPECT) }); // which blanks it
    const context = this.canvas.getContext("2d");
    const { strokes, picture } = this.state;
    if (picture?.image && !this.stroke) {
      const area = contain(picture.width / picture.height);
      context.drawImage(picture.image, area.x * width, area.y * width, area.width * width, area.height * width);
    }
    const ink = getComputedStyle(this.canvas).color;
    paint(context, this.stroke ? [...strokes, this.stroke] : strokes, width, ink);
  }
}

/** Decode and reduce a picture. One that the browser cannot decode is sent all the same: the service says why not. */
async function preview(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const { width, height } = bitmap;
    const scale = Math.min(1, MAX_PREVIEW / Math.max(width, height));
    const image = document.createElement("canvas");
    Object.assign(image, { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
    image.getContext("2d").drawImage(bitmap, 0, 0, image.width, image.height);
    bitmap.close();
    return { image, width, height };
  } catch {
    return { image: null, width: SENT.width, height: SENT.height };
  }
}

/** Return the centered area of the surface that shows a picture of this aspect. */
function contain(aspect) {
  const width = Math.min(1, aspect / ASPECT);
  const height = width / aspect;
  return { x: (1 - width) / 2, y: (1 / ASPECT - height) / 2, width, height };
}

/** Paint strokes as smooth curves through the middles between their points. */
function paint(context, strokes, scale, ink) {
  Object.assign(context, { strokeStyle: ink, lineCap: "round", lineJoin: "round" });
  for (const points of strokes) {
    let from = points[0];
    points.forEach((point, index) => {
      const next = points[index + 1] ?? point;
      const middle = { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
      context.lineWidth = point.width * scale;
      context.beginPath();
      context.moveTo(from.x * scale, from.y * scale);
      context.quadraticCurveTo(point.x * scale, point.y * scale, middle.x * scale + 0.01, middle.y * scale); // a dot has a length
      context.stroke();
      from = middle;
    });
  }
}
