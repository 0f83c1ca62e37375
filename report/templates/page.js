"use strict";
const byId = (id) => document.getElementById(id);

// Dark or light: as the system has it, until the button is pressed.
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// Texts to copy; without a clipboard they are selected.
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const from = byId(button.dataset.copies);
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(from.innerText);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(from);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = label; }, 2500);
  });
}

// Pictures, enlarged.
if (byId("enlarged")) {
  const dialog = byId("enlarged");
  const zoom = dialog.querySelector(".zoom");
  let svg = null, whole = null, box = null;
  const show = () => svg.setAttribute("viewBox", box.join(" "));
  const scale = (factor, fx = 0.5, fy = 0.5) => {
    const w = Math.min(whole[2], Math.max(whole[2] / 200, box[2] * factor));
    const h = w * whole[3] / whole[2];
    box = [box[0] + (box[2] - w) * fx, box[1] + (box[3] - h) * fy, w, h];
    keep();
  };
  const keep = () => {
    for (const n of [0, 1]) box[n] = Math.min(whole[n + 2] - box[n + 2], Math.max(0, box[n]));
    show();
  };
  const move = (dx, dy) => { box[0] += dx * box[2]; box[1] += dy * box[3]; keep(); };
  const reset = () => { box = [...whole]; show(); };
  for (const button of document.querySelectorAll(".enlarge")) {
    button.addEventListener("click", () => {
      svg = button.querySelector("svg").cloneNode(true);
      whole = svg.getAttribute("viewBox").split(" ").map(Number);
      box = [...whole];
      zoom.replaceChildren(svg);
      byId("enlarged-title").textContent = svg.getAttribute("aria-label");
      dialog.showModal();
      zoom.focus();
    });
  }
  // Where in the drawing, 0 to 1, an event is.
  const at = (event) => {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [(p.x - box[0]) / box[2], (p.y - box[1]) / box[3]];
  };
  zoom.addEventListener("wheel", (event) => {
    event.preventDefault();
    scale(event.deltaY > 0 ? 1.25 : 0.8, ...at(event));
  }, { passive: false });
  let held = null;
  zoom.addEventListener("pointerdown", (event) => { held = at(event); zoom.setPointerCapture(event.pointerId); });
  zoom.addEventListener("pointermove", (event) => {
    if (!held) return;
    const now = at(event);
    move(held[0] - now[0], held[1] - now[1]);
  });
  zoom.addEventListener("pointerup", () => { held = null; });
  const act = { in: () => scale(0.67), out: () => scale(1.5), whole: reset, close: () => dialog.close() };
  for (const button of dialog.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => act[button.dataset.zoom]());
  zoom.addEventListener("keydown", (event) => {
    const keys = { "+": act.in, "=": act.in, "-": act.out, "0": reset, ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1) };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
}
