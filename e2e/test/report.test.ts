/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { reportHtml } from "../../packages/kit/cli/src/report/index.js";
import type { BuildRecord } from "../../packages/kit/cli/src/report/record.js";
import { BUILDS } from "../../packages/kit/cli/test/report-example.js";
import { ROOT, sh } from "./scratch.js";

const REPORTS = join(ROOT, "e2e/reports");
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const WIDTHS = [390, 820, 1280];
const SCHEMES = ["light", "dark"] as const;

let browser: Browser | undefined;
let missing = "";

/** The first browser that answers: Ubuntu has a `chromium-browser` that only says where to get one. */
async function findBrowser(): Promise<string | undefined> {
  for (const name of NAMES) {
    const { code } = await sh(ROOT, name, ["--version"]);
    if (code === 0) return (await sh(ROOT, "which", [name])).stdout.trim();
  }
  return undefined;
}

async function installBrowser(): Promise<void> {
  if (process.getuid?.() !== 0) {
    missing = "no Chromium is here; to have one: sudo apt-get install chromium";
    return;
  }
  process.stderr.write("no Chromium is here: installing Debian's (apt-get install chromium)\n");
  const packages = ["chromium", "fonts-dejavu-core"];
  const words = ["install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60", ...packages];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await sh(ROOT, "apt-get", ["update", "-qq"], { env, timeout: 60_000 });
  const { stderr } = await sh(ROOT, "apt-get", words, { env, timeout: 240_000 });
  missing = `no Chromium is here and it cannot be installed: ${stderr.trim().split("\n").at(-1) || "no apt-get"}`;
}

beforeAll(async () => {
  let path = await findBrowser();
  if (!path) {
    await installBrowser();
    path = await findBrowser();
  }
  if (!path) return;
  await mkdir(REPORTS, { recursive: true });
  // Chromium's own sandbox does not run as root, and containers rarely allow it. The page is ours.
  browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"], timeout: 120_000 });
}, 420_000);

afterAll(() => browser?.close());

/** What a page said and asked for beside its own text. */
interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

/** The report in a browser without JavaScript: a page that needed any would stay empty. */
async function open(name: string, width: number, scheme: "light" | "dark"): Promise<Opened> {
  const [record, previous] = BUILDS[name] as readonly [BuildRecord, BuildRecord?];
  const path = join(REPORTS, `report-${name.replaceAll(" ", "-")}.html`);
  await writeFile(path, reportHtml(record, previous));
  const context = await browser!.newContext({
    viewport: { width, height: 800 },
    colorScheme: scheme,
    javaScriptEnabled: false,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  const url = pathToFileURL(path).href;
  page.on("console", (message) => complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== url) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** A piece of text as it lies on the page. */
interface Text {
  readonly text: string;
  readonly size: number;
  readonly contrast: number;
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** The box of a graph's node that it stands in. */
  readonly node?: readonly [left: number, top: number, right: number, bottom: number];
}

/** Everything that can be read, line by line. Runs in the page. */
function readTexts(): Text[] {
  const numbers = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = numbers(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const surface = (element: Element | null): string => {
    if (!element) return "rgb(255, 255, 255)";
    const color = getComputedStyle(element).backgroundColor;
    return numbers(color)[3] === 0 ? surface(element.parentElement) : color;
  };
  const edges = ({ left, top, right, bottom }: DOMRect) => [left, top, right, bottom] as const;
  const texts: Text[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let at = walker.nextNode(); at; at = walker.nextNode()) {
    const element = at.parentElement!;
    if (!at.nodeValue!.trim() || element.closest("title, style, .unseen") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const drawn = element instanceof SVGTextElement;
    const rect = element.closest(".node")?.querySelector("rect");
    const [fore, back] = [
      luminance(drawn ? style.fill : style.color),
      luminance(rect ? getComputedStyle(rect).fill : surface(element)),
    ];
    const range = document.createRange();
    range.selectNodeContents(at);
    for (const box of drawn ? [element.getBoundingClientRect()] : range.getClientRects())
      texts.push({
        text: at.nodeValue!.trim(),
        size: Number.parseFloat(style.fontSize) * (drawn ? element.getScreenCTM()!.a : 1),
        contrast: (Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05),
        box: edges(box),
        ...(rect ? { node: edges(rect.getBoundingClientRect()) } : {}),
      });
  }
  return texts;
}

/** Pairs that lie on one another. Only the middle half of a line counts: fonts differ in the room above and below. */
function collisions(texts: readonly Text[]): string[] {
  const core = texts.map(({ text, box: [left, top, right, bottom] }) => {
    const quarter = (bottom - top) / 4;
    return { text, left: left + 0.5, right: right - 0.5, top: top + quarter, bottom: bottom - quarter };
  });
  return core.flatMap((a, index) =>
    core
      .slice(index + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => `${a.text} / ${b.text}`),
  );
}

/** The boxes of all elements that are to be seen, by a selector. */
async function boxes(page: Page, selector: string): Promise<{ x: number; y: number; width: number; height: number }[]> {
  const all = await page.locator(selector).filter({ visible: true }).all();
  return Promise.all(all.map(async (each) => (await each.boundingBox())!));
}

/** How many colours a picture has, and how light it is. Asked of the browser itself, which can read it. */
async function look(picture: Buffer): Promise<{ colours: number; light: number }> {
  await using context = await browser!.newContext();
  const page = await context.newPage();
  return await page.evaluate(
    async (data) => {
      const image = new Image();
      image.src = data;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d")!;
      context.drawImage(image, 0, 0);
      const { data: bytes } = context.getImageData(0, 0, image.width, image.height);
      const colours = new Set<number>();
      let sum = 0;
      for (let at = 0; at < bytes.length; at += 4) {
        const [red, green, blue] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
        colours.add(((red >> 4) << 8) | ((green >> 4) << 4) | (blue >> 4));
        sum += red + green + blue;
      }
      return { colours: colours.size, light: sum / (bytes.length / 4) / 765 };
    },
    `data:image/png;base64,${picture.toString("base64")}`,
  );
}

const CASES = Object.keys(BUILDS).flatMap((name) => WIDTHS.map((width) => [name, width] as const));

it.for(CASES)("the page of the build %s is whole and readable at %d pixels", async ([name, width], { skip }) => {
  skip(!browser, missing);
  const { page, complaints } = await open(name, width, "light");
  const parts = BUILDS[name]![0].parts;
  expect(await boxes(page, "svg.graph")).toHaveLength(parts.length > 0 ? 1 : 0);
  if (parts.length > 0) await page.locator("summary").click();

  const texts = await page.evaluate(readTexts);
  expect(texts.length).toBeGreaterThan(20);
  expect(texts.filter(({ box: [left, , right] }) => left < 0 || right > width)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  expect(collisions(texts)).toEqual([]);
  expect(texts.filter(({ size }) => size < 10.5)).toEqual([]);

  const nodes = texts.filter(({ node }) => node);
  expect(nodes).toHaveLength(2 * parts.length);
  const outside = ({ box, node }: Text): boolean =>
    box[0] < node![0] || box[1] < node![1] || box[2] > node![2] || box[3] > node![3];
  expect(nodes.filter(outside)).toEqual([]);

  const lanes = await boxes(page, ".timeline tbody .track");
  const bars = await boxes(page, ".timeline .bar");
  const ran = parts.filter(({ state }) => state === "built" || state === "failed").length;
  expect(bars).toHaveLength(ran);
  for (const [index, bar] of bars.entries()) {
    const lane = lanes[index]!;
    expect(bar.width).toBeGreaterThanOrEqual(3);
    expect(bar.height).toBeGreaterThanOrEqual(8);
    expect(bar.x).toBeGreaterThanOrEqual(Math.max(lane.x, bars[index - 1]?.x ?? 0) - 1);
    expect(bar.x + bar.width).toBeLessThanOrEqual(lane.x + lane.width + 5);
    expect(lane.width).toBeGreaterThan(width / 3);
  }
  expect(complaints).toEqual([]);
  await page.context().close();
});

const PICTURES = ["first", "edit", "failed"].flatMap((name) =>
  [390, 1280].flatMap((width) => SCHEMES.map((scheme) => [name, width, scheme] as const)),
);

it.for(PICTURES)("the build %s at %d pixels has a picture in %s colours", async ([name, width, scheme], { skip }) => {
  skip(!browser, missing);
  const { page, complaints } = await open(name, width, scheme);
  const texts = await page.evaluate(readTexts);
  expect(texts.filter(({ contrast }) => contrast < 4.5)).toEqual([]);
  const path = join(REPORTS, `report-${name}-${width}-${scheme}.png`);
  const { colours, light } = await look(await page.screenshot({ path, fullPage: true }));
  expect(colours).toBeGreaterThan(20);
  if (scheme === "light") expect(light).toBeGreaterThan(0.8);
  else expect(light).toBeLessThan(0.3);
  expect(complaints).toEqual([]);
  await page.context().close();
});
