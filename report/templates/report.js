// Surfaces.
const unpack = async (id) => {
  const bytes = Uint8Array.from(atob(byId(id).textContent.trim()), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};

// Packed as brainmesh's `Scene` says.
const readScene = async () => {
  const scene = JSON.parse(byId("scene").textContent);
  const buffer = await unpack("scene-data");
  let place = 0;
  const take = (Type, count) => {
    const part = new Type(buffer, place, count);
    place += count * Type.BYTES_PER_ELEMENT;
    return part;
  };
  const n = scene.vertices;
  scene.corners = Uint32Array.from(take(n > 65536 ? Uint32Array : Uint16Array, 3 * scene.triangles));
  for (const surface of scene.surfaces) {
    const axes = [0, 1, 2].map(() => take(Uint16Array, n));
    surface.points = new Float32Array(3 * n);
    for (let v = 0; v < n; v++) for (let a = 0; a < 3; a++) surface.points[3 * v + a] = scene.low[a] + scene.step * axes[a][v];
  }
  for (const map of scene.maps) {
    map.values = Array.from({ length: map.each ? scene.surfaces.length : 1 }, () => take(Uint8Array, n));
    map.table = Array.from({ length: 256 }, (_, i) => [0, 2, 4].map((d) => parseInt(map.colors.substr(6 * i + d, 2), 16)));
  }
  scene.marks = scene.labels.length ? take(Uint8Array, n) : null;
  return scene;
};

const GREY = [150, 150, 150];

// Red, green, blue, opacity of every vertex of a surface.
const colorsOf = (scene, k, choice) => {
  const n = scene.vertices;
  const rgba = new Uint8Array(4 * n);
  const put = (v, [r, g, b]) => { rgba[4 * v] = r; rgba[4 * v + 1] = g; rgba[4 * v + 2] = b; rgba[4 * v + 3] = 255; };
  if (choice === "layers") for (let v = 0; v < n; v++) put(v, scene.surfaces[k].color);
  else if (choice === "defects") for (let v = 0; v < n; v++) put(v, scene.labels[scene.marks[v]].color);
  else {
    const map = scene.maps[choice];
    const values = map.values[map.each ? k : 0];
    for (let v = 0; v < n; v++) put(v, values[v] === 255 ? GREY : map.table[values[v]]);
  }
  return rgba;
};

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const swatch = ([r, g, b]) => {
  const made = element("span", { className: "swatch" });
  made.style.background = `rgb(${r} ${g} ${b})`;
  return made;
};

const describeColors = (scene, choice) => {
  const key = byId("map-key");
  key.replaceChildren();
  if (choice === "defects") {
    const seen = new Set(scene.marks);
    key.append(...scene.labels.flatMap((label, n) => seen.has(n) ? [element("div", {}, swatch(label.color), ` ${label.name}`)] : []));
  } else if (choice !== "layers") {
    const map = scene.maps[choice];
    const bar = element("div", { className: "bar" });
    bar.style.background = `linear-gradient(to right, ${map.table.filter((_, n) => n % 15 === 0).map((c) => `rgb(${c.join(" ")})`).join(", ")})`;
    const end = (value) => element("span", { textContent: `${Number(value.toPrecision(3))} ${map.unit}` });
    key.append(bar, element("div", { className: "bar-ends" }, end(map.low), end(map.high)), element("div", { className: "soft" }, swatch(GREY), " no value"));
  }
};

const drawSurfaces = async () => {
  const scene = await readScene();
  const code = new TextDecoder().decode(await unpack("niivue"));
  document.head.append(element("script", { textContent: code }));
  const canvas = byId("canvas");
  const nv = new niivue.Niivue({
    backColor: [0.08, 0.085, 0.105, 1],
    show3Dcrosshair: false,
    isOrientCube: true,
    isColorbar: false,
    dragAndDropEnabled: false,
    loadingText: "",
    logLevel: "error",
  });
  await nv.attachToCanvas(canvas, true);
  const meshes = scene.surfaces.map((surface, k) =>
    new niivue.NVMesh(surface.points, scene.corners, surface.name, colorsOf(scene, k, "layers"), 1, true, nv.gl));
  meshes.forEach((mesh) => nv.addMesh(mesh));
  nv.setSliceType(nv.sliceTypeRender);

  const state = { choice: "layers", visible: meshes.map(() => true), opacity: 1, azimuth: 0, elevation: 0 };
  const draw = () => {
    meshes.forEach((mesh, k) => { mesh.visible = state.visible[k]; mesh.opacity = state.opacity; });
    nv.drawScene();
    canvas.dataset.drawn = JSON.stringify({ choice: state.choice, visible: state.visible.filter(Boolean).length });
  };
  const look = (azimuth, elevation) => { nv.setRenderAzimuthElevation(azimuth, elevation); };
  const choose = (choice) => {
    state.choice = choice;
    meshes.forEach((mesh, k) => { mesh.rgba255 = colorsOf(scene, k, choice); mesh.updateMesh(nv.gl); });
    describeColors(scene, choice);
    const radio = document.querySelector(`#maps input[value="${choice}"]`);
    radio.checked = true;
    draw();
  };

  const maps = [["layers", "Which surface"], ...scene.maps.map((map, n) => [String(n), map.name])];
  if (scene.marks) maps.push(["defects", "Defects"]);
  for (const [value, name] of maps) {
    const radio = element("input", { type: "radio", name: "map", value });
    radio.addEventListener("change", () => choose(value));
    byId("maps").append(element("label", {}, radio, name));
  }
  const boxes = scene.surfaces.map((surface, k) => {
    const box = element("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { state.visible[k] = box.checked; draw(); });
    byId("layers").append(element("label", {}, box, swatch(surface.color), surface.name));
    return box;
  });
  const setVisible = (visible) => {
    state.visible = visible;
    boxes.forEach((box, k) => { box.checked = visible[k]; });
    draw();
  };
  byId("all").addEventListener("click", () => setVisible(meshes.map(() => true)));
  byId("peel").addEventListener("click", () => {
    const outermost = state.visible.indexOf(true);
    const left = state.visible.map((on, k) => on && k !== outermost);
    setVisible(left.some(Boolean) ? left : meshes.map(() => true));
  });
  byId("opacity").addEventListener("input", (event) => { state.opacity = Number(event.target.value); draw(); });
  for (const button of document.querySelectorAll("#views button")) {
    button.addEventListener("click", () => look(Number(button.dataset.azimuth), Number(button.dataset.elevation)));
  }
  const turn = (da, de) => look(nv.scene.renderAzimuth + da, Math.max(-90, Math.min(90, nv.scene.renderElevation + de)));
  const size = (factor) => { nv.setScale(nv.volScaleMultiplier * factor); };
  byId("turn-left").addEventListener("click", () => turn(-15, 0));
  byId("turn-right").addEventListener("click", () => turn(15, 0));
  byId("turn-up").addEventListener("click", () => turn(0, 15));
  byId("turn-down").addEventListener("click", () => turn(0, -15));
  byId("nearer").addEventListener("click", () => size(1.2));
  byId("further").addEventListener("click", () => size(1 / 1.2));
  for (const button of document.querySelectorAll("button.show")) {
    button.addEventListener("click", () => {
      choose("defects");
      setVisible(meshes.map((_, k) => k === 0));
      look(Number(button.dataset.azimuth), Number(button.dataset.elevation));
      byId("surfaces").scrollIntoView();
    });
  }
  const first = document.querySelector("#views button");
  if (first) look(Number(first.dataset.azimuth), Number(first.dataset.elevation));
  choose(scene.maps.length ? "0" : "layers");
  byId("said").textContent = "";
};

drawSurfaces().catch((error) => {
  // An old browser, or one without WebGL: the pictures made beforehand take its place.
  document.body.classList.add("no-3d");
  byId("said").textContent = `The surfaces cannot be drawn here: ${error.message}`;
});
