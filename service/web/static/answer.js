// The answer: the number, what the network saw of each digit and where, and ten bars.

const DOUBTFUL = 0.5; // less confidence: it may not be a digit

const byId = (id) => document.getElementById(id);
const percent = (share) => (share > 0.9999 ? "> 99.99%" : `${(100 * share).toFixed(share < 0.9 ? 1 : 2)}%`);

export class Answer {
  constructor(surface) {
    this.surface = surface;
    this.bars = [...Array(10).keys()].map(createBar);
    byId("bars").append(...this.bars.map((bar) => bar.item));
    this.empty("");
  }

  /** Say that an answer is awaited. */
  wait(isWaiting = true) {
    byId("answer").setAttribute("aria-busy", isWaiting);
  }

  /** Show the digits of an answer, the first one in detail. */
  show({ number, confidence, digits, milliseconds }) {
    this.wait(false);
    this.digits = digits;
    byId("answer").dataset.state = confidence < DOUBTFUL ? "doubtful" : "sure";
    byId("number").replaceChildren(...this.createDigits(digits));
    byId("number").style.setProperty("--count", Math.min(12, Math.max(2, digits.length)));
    byId("boxes").replaceChildren(...digits.map((digit) => this.createBox(digit)));
    byId("time").textContent = `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
    byId("sentence").textContent = describe(number, confidence);
    this.select(0);
  }

  /** Show no digit, and say why. isError: it is the service that says so. */
  empty(sentence, isError = false) {
    this.wait(false);
    this.digits = [];
    byId("answer").dataset.state = isError ? "error" : "empty";
    byId("number").replaceChildren();
    byId("boxes").replaceChildren();
    for (const id of ["time", "place"]) byId(id).textContent = "–";
    byId("input").removeAttribute("src");
    byId("input").alt = "";
    byId("sentence").textContent = sentence;
    byId("bars-title").textContent = "Probabilities";
    this.bars.forEach((bar) => bar.set());
  }

  /** Show one of several digits in detail. */
  select(index) {
    const { digit, probabilities, input, box } = this.digits[index];
    const [left, top, width, height] = box;
    byId("input").src = input;
    byId("input").alt = `The ${digit} as the network saw it, in 28 × 28 pixels`;
    byId("place").textContent = `x ${left}, y ${top}, ${width} × ${height} px`;
    const isOne = this.digits.length === 1;
    byId("bars-title").textContent = isOne ? "Probabilities" : `Probabilities at position ${index + 1}`;
    this.bars.forEach((bar, value) => bar.set(probabilities[value], value === digit));
    mark(byId("number").children, index, "aria-pressed", isOne);
    mark(byId("boxes").children, index, "data-selected", isOne);
  }

  createDigits(digits) {
    if (digits.length === 1) return [Object.assign(document.createElement("span"), { textContent: digits[0].digit })];
    return digits.map(({ digit, confidence }, index) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: digit });
      button.setAttribute("aria-label", `Digit ${index + 1}: ${digit}, ${percent(confidence)}. Show details`);
      button.addEventListener("click", () => this.select(index));
      return button;
    });
  }

  createBox({ box }) {
    const element = document.createElement("div");
    for (const [side, share] of Object.entries(this.surface.place(box))) element.style[side] = `${share}%`;
    return element;
  }
}

/** Set an attribute to "true" on the selected element, to "false" on the others. A lone element has no such state. */
function mark(elements, selected, attribute, isLone) {
  [...elements].forEach((element, index) => isLone || element.setAttribute(attribute, index === selected));
}

function describe(number, confidence) {
  if (confidence >= DOUBTFUL) return `Read as ${number} with ${percent(confidence).replace("> ", "over ")} confidence.`;
  return `Perhaps ${number}, with ${percent(confidence)} confidence. It may not be a ${number.length > 1 ? "number" : "digit"}.`;
}

function createBar(value) {
  const item = document.createElement("li");
  const [label, track, fill, share] = ["span", "span", "span", "span"].map((name) => document.createElement(name));
  label.textContent = value;
  track.className = "track";
  track.append(fill);
  item.append(label, track, share);
  const set = (probability, isBest = false) => {
    fill.style.setProperty("--share", probability ?? 0);
    share.textContent = probability === undefined ? "" : `${(100 * probability).toFixed(1)}%`;
    item.classList.toggle("best", isBest);
  };
  return { item, set };
}
