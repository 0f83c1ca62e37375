// Opens a page of brainmesh (a result, a list of results, a run) in Chromium from its file, without a network, and checks that it is
// drawn and that its controls work.
//   node --experimental-websocket tests/browser/page.mjs REPORT.html [FOLDER for screenshots]
// Speaks the DevTools protocol by itself, so that nothing has to be installed but Node (20.10 or later) and Chromium. Prints what it measured as JSON.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inflateSync } from "node:zlib";

const [file, shots] = process.argv.slice(2);
const browser = process.env.CHROMIUM ?? "chromium";
const home = mkdtempSync(join(tmpdir(), "report-"));
const chromium = spawn(browser, ["--headless=new", "--no-sandbox", "--disable-gpu-sandbox", "--enable-unsafe-swiftshader",
  "--remote-debugging-port=0", `--user-data-dir=${home}`, "--window-size=1280,900", "about:blank"], { stdio: "ignore" });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const fail = (why) => { throw new Error(why); };

const connect = async () => {
  const place = join(home, "DevToolsActivePort");
  for (let n = 0; n < 300 && !existsSync(place); n++) await sleep(100);
  const [port] = readFileSync(place, "utf8").split("\n");
  const pages = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const socket = new WebSocket(pages.find((page) => page.type === "page").webSocketDebuggerUrl);
  await new Promise((done) => { socket.onopen = done; });
  const waiting = new Map(), heard = [];
  let id = 0;
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    if (told.id) { waiting.get(told.id)(told); waiting.delete(told.id); } else heard.push(told);
  };
  const send = (method, params = {}) => new Promise((done, fault) => {
    waiting.set(++id, (told) => told.error ? fault(new Error(`${method}: ${told.error.message}`)) : done(told.result));
    socket.send(JSON.stringify({ id, method, params }));
  });
  return { send, heard };
};

// Pixels of a PNG as Chromium writes it: 8 bits, RGB or RGBA, not interlaced.
const pixels = (png) => {
  let at = 8, width, height, channels;
  const parts = [];
  while (at < png.length) {
    const length = png.readUInt32BE(at), name = png.toString("latin1", at + 4, at + 8), body = png.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") { width = body.readUInt32BE(0); height = body.readUInt32BE(4); channels = body[9] === 6 ? 4 : 3; }
    if (name === "IDAT") parts.push(body);
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts)), row = width * channels, out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x >= channels ? out[y * row + x - channels] : 0, up = y ? out[(y - 1) * row + x] : 0;
      const corner = x >= channels && y ? out[(y - 1) * row + x - channels] : 0;
      const p = left + up - corner, [a, b, c] = [left, up, corner].map((v) => Math.abs(p - v));
      const guess = [0, left, up, (left + up) >> 1, a <= b && a <= c ? left : b <= c ? up : corner][filter];
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, out };
};

try {
  const { send, heard } = await connect();
  await Promise.all(["Runtime.enable", "Log.enable", "Page.enable", "Network.enable"].map((method) => send(method)));
  await send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    return exceptionDetails ? fail(`${expression}: ${exceptionDetails.text}`) : result.value;
  };
  const began = Date.now();
  await send("Page.navigate", { url: pathToFileURL(resolve(file)).href });
  const until = async (expression, what, ms = 180000) => {
    for (const start = Date.now(); Date.now() - start < ms; await sleep(100)) if (await evaluate(expression).catch(() => false)) return;
    fail(`${what}: not within ${ms / 1000} s; the page says: ${await evaluate("document.getElementById('said')?.textContent")}`);
  };
  await until("document.readyState === 'complete'", "loaded");
  const kind = await evaluate("document.getElementById('canvas') ? 'layers' : document.getElementById('group') ? 'group' : 'run'");
  if (kind === "layers") await until("document.getElementById('canvas').dataset.drawn !== undefined && document.getElementById('said').textContent === ''", "surfaces drawn");
  const loadSeconds = (Date.now() - began) / 1000;
  await evaluate("document.documentElement.style.scrollBehavior = 'auto'");

  const click = async (selector) => {
    await evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: 'center' })`);
    const [x, y] = JSON.parse(await evaluate(`(() => { const r = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect(); return JSON.stringify([r.x + r.width / 2, r.y + r.height / 2]); })()`));
    for (const type of ["mousePressed", "mouseReleased"]) await send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    await sleep(300);
  };
  const press = async (key, text) => {
    for (const type of ["keyDown", "keyUp"]) await send("Input.dispatchKeyEvent", { type, key, text: type === "keyDown" ? text : undefined });
    await sleep(200);
  };
  const shot = async (name, clip, captureBeyondViewport = true) => {
    const { data } = await send("Page.captureScreenshot", clip ? { format: "png", clip, captureBeyondViewport } : { format: "png" });
    const png = Buffer.from(data, "base64");
    if (shots) writeFileSync(join(shots, `${name}.png`), png);
    return png;
  };

  // What the canvas shows: pixels that are not its background, and their mean colour.
  const canvas = async (name) => {
    await evaluate("document.getElementById('canvas').scrollIntoView({ block: 'center' })");
    await sleep(700);
    const clip = JSON.parse(await evaluate("(() => { const r = document.getElementById('canvas').getBoundingClientRect(); return JSON.stringify({ x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1 }); })()"));
    const { width, height, channels, out } = pixels(await shot(name, clip));
    const sum = [0, 0, 0];
    let seen = 0;
    for (let n = 0; n < width * height; n++) {
      const [r, g, b] = out.subarray(n * channels, n * channels + 3);
      if (Math.abs(r - 20) + Math.abs(g - 22) + Math.abs(b - 27) > 40) { seen++; [r, g, b].forEach((v, c) => { sum[c] += v; }); }
    }
    return { share: seen / (width * height), mean: sum.map((v) => Math.round(v / Math.max(seen, 1))) };
  };
  const differs = (a, b) => Math.max(...a.mean.map((v, c) => Math.abs(v - b.mean[c]))) > 6 || Math.abs(a.share - b.share) > 0.01;

  const surfaces = async () => {
    const drawn = async () => JSON.parse(await evaluate("document.getElementById('canvas').dataset.drawn"));
    const first = await canvas("thickness");
    if (first.share < 0.05) fail(`canvas: ${(100 * first.share).toFixed(1)} % drawn`);
    const looks = { thickness: first };
    for (const [name, selector] of [["layers", "#maps input[value=layers]"], ["uncertainty", "#maps label:nth-last-of-type(2) input"], ["defects", "#maps input[value=defects]"]]) {
      await click(selector);
      looks[name] = await canvas(name);
      if ((await drawn()).choice !== await evaluate(`document.querySelector(${JSON.stringify(selector)}).value`)) fail(`${name}: not chosen by a click`);
      if (!differs(looks[name], first)) fail(`${name}: looks as before the click`);
    }
    await click("#maps input[value=layers]");
    looks.layers = await canvas("layers");
    await click("#layers label:nth-of-type(1) input");
    if ((await drawn()).visible !== 6) fail("a layer off: expected six surfaces");
    await click("#layers label:nth-of-type(1) input");
    if ((await drawn()).visible !== 7) fail("a layer on: expected seven surfaces");
    await click("#peel");
    if ((await drawn()).visible !== 6) fail("peel: expected six surfaces");
    looks.peeled = await canvas("peeled");
    if (!differs(looks.peeled, looks.layers)) fail("peel: looks as before");
    await click("#views button:nth-child(5)");
    looks.superior = await canvas("superior");
    if (!differs(looks.superior, looks.peeled)) fail("another side: looks as before");
    return looks;
  };

  const enlarged = async () => {
    if (!await evaluate("document.querySelector('.enlarge') !== null")) return;
    await click(".enlarge");
    if (!await evaluate("document.getElementById('enlarged').open")) fail("picture: does not open");
    const box = () => evaluate("document.querySelector('#enlarged svg').getAttribute('viewBox').split(' ').map(Number).join(' ')");
    const whole = await box();
    await click("[data-zoom=in]");
    const nearer = await box();
    if (nearer === whole) fail("picture: is not enlarged by its button");
    await evaluate("document.querySelector('#enlarged .zoom').focus()");
    await press("+", "+");
    if (await box() === nearer) fail("picture: is not enlarged by a key");
    await shot("enlarged");
    await press("0", "0");
    if (await box() !== whole) fail("picture: 0 does not show all of it");
    await click("[data-zoom=close]");
    if (await evaluate("document.getElementById('enlarged').open")) fail("picture: does not close");
  };

  const sorted = async () => {
    const keys = () => evaluate("[...document.querySelectorAll('#group tbody tr')].map((row) => row.cells[1].dataset.key)");
    await click("#group thead th:nth-child(2) button");
    const up = (await keys()).map(Number);
    if (up.some((key, n) => n && key < up[n - 1])) fail(`list: not sorted: ${up}`);
    await click("#group thead th:nth-child(2) button");
    const down = (await keys()).map(Number);
    if (down.some((key, n) => n && key > down[n - 1])) fail(`list: not sorted the other way: ${down}`);
    if (await evaluate("document.querySelector('#group thead th:nth-child(2)').getAttribute('aria-sort')") !== "descending") fail("list: does not say how it is sorted");
  };

  // What cannot be used without eyes or without a mouse: names that are missing.
  const nameless = await evaluate(`[...document.querySelectorAll("button, input, canvas, svg[role=img], a")].filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.closest("label")?.textContent.trim() || e.querySelector("[aria-label]"))).map((e) => e.outerHTML.slice(0, 80))`);
  if (nameless.length) fail(`without a name: ${nameless.join("; ")}`);

  const looks = kind === "layers" ? await surfaces() : undefined;
  if (kind === "group") await sorted(); else await enlarged();
  const theme = () => evaluate("getComputedStyle(document.body).backgroundColor");
  const before = await theme();
  await click("#theme");
  if (await theme() === before) fail("dark or light: looks as before");
  if (shots) {
    const page = async (name) => {
      await evaluate("scrollTo(0, 0)");
      const { cssContentSize: size } = await send("Page.getLayoutMetrics");
      await shot(name, { x: 0, y: 0, width: size.width, height: Math.min(size.height, 9000), scale: 1 });
    };
    for (const theme of ["dark", "light"]) {
      await evaluate(`document.documentElement.dataset.theme = '${theme}'`);
      await page(`page-${theme}`);
    }
    await send("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
    await sleep(700);
    await page("page-narrow");
    const wide = await evaluate("document.documentElement.scrollWidth - innerWidth");
    if (wide > 1) fail(`a narrow page is ${wide} pixels too wide`);
    await send("Emulation.clearDeviceMetricsOverride");
    const { data } = await send("Page.printToPDF", { printBackground: false });
    writeFileSync(join(shots, "page.pdf"), Buffer.from(data, "base64"));
  }
  const asked = heard.filter((told) => told.method === "Network.requestWillBeSent").map((told) => told.params.request.url).filter((url) => !/^(file|data|blob):/.test(url));
  const errors = heard.flatMap((told) => {
    if (told.method === "Runtime.exceptionThrown") return [told.params.exceptionDetails.exception?.description ?? told.params.exceptionDetails.text];
    if (told.method === "Log.entryAdded" && told.params.entry.level === "error") return [told.params.entry.text];
    if (told.method === "Runtime.consoleAPICalled" && ["error", "assert"].includes(told.params.type)) return [told.params.args.map((a) => a.value ?? a.description).join(" ")];
    return [];
  });
  if (asked.length) fail(`asked the network for ${asked.join(", ")}`);
  if (errors.length) fail(`console: ${errors.join("; ")}`);
  console.log(JSON.stringify({ kind, bytes: statSync(file).size, loadSeconds, looks }));
} catch (error) {
  console.error(`${file}: ${error.message}`);
  process.exitCode = 1;
} finally {
  chromium.kill();
  await sleep(300);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
