// The timeline of a run as a picture: an SVG that needs nothing else, drawn from the record alone. Pure.
import type { Mark, Moment, Recorded } from "./history.js";
import { type Bin, bins, type Placed, place, type Segment, segments, tickStep } from "./lanes.js";

/** What to draw, besides the record. */
export interface Frame {
  readonly title: string;
  readonly subtitle: string;
  readonly from: Moment;
  readonly to: Moment;
  /** The lanes, from above: servers first, then the nodes of etcd. */
  readonly servers: readonly string[];
  readonly stores: readonly string[];
}

const LEFT = 96;
const RIGHT = 24;
const LANE = 26;
const STORE = 14;
const GAP = 6;
const CHART = 110;
const LABEL = 15;
/** Where the first row of labels stands. */
const HEAD = 66;
// Colours of Okabe and Ito, which differ for every eye; a timeline has the one of its number.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"];

const STYLE = `
  text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .faint { fill: #59636e; }
  .page { fill: #ffffff; }
  .lane { fill: #eaeef2; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .on { fill: #ffffff; font-size: 11px; }
  .failure { stroke: #cf222e; stroke-width: 1.5; }
  .heal { stroke: #1a7f37; stroke-width: 1.5; stroke-dasharray: 4 3; }
  .note { stroke: #59636e; stroke-width: 1; stroke-dasharray: 1 3; }
  text.failure { fill: #cf222e; stroke: none; }
  text.heal { fill: #1a7f37; stroke: none; }
  text.note { fill: #59636e; stroke: none; }
  .acknowledged { fill: #1a7f37; }
  .refused { fill: #cf222e; }
  .unknown { fill: #8250df; }
  .store-leader { fill: #6e7781; }
  .store-follower { fill: #b6bec7; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint, text.note { fill: #9198a1; }
    .page { fill: #0d1117; }
    .lane { fill: #212830; }
    .grid { stroke: #30363d; }
    .failure { stroke: #ff7b72; }
    .heal { stroke: #56d364; }
    text.failure { fill: #ff7b72; }
    text.heal { fill: #56d364; }
    .acknowledged { fill: #3fb950; }
    .refused { fill: #ff7b72; }
    .unknown { fill: #b083f0; }
    .store-leader { fill: #9198a1; }
    .store-follower { fill: #4a525b; }
  }`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]!);
const number = (value: number): string => String(Math.round(value * 10) / 10);
const textWidth = (text: string): number => text.length * 6.6;

/** A word, at a place. */
const word = (x: number, y: number, text: string, kind = "", anchor = "start"): string =>
  `<text x="${number(x)}" y="${number(y)}" class="${kind}" text-anchor="${anchor}">${escaped(text)}</text>`;

/** A rectangle; what it means is told to whoever points at it. */
const box = (x: number, y: number, width: number, height: number, attributes: string, told = ""): string => {
  const shape = `<rect x="${number(x)}" y="${number(y)}" width="${number(Math.max(width, 0.5))}" height="${number(height)}" ${attributes}`;
  return told ? `${shape}><title>${escaped(told)}</title></rect>` : `${shape}/>`;
};

const colourOf = (timeline: number | undefined): string =>
  timeline === undefined ? "#8c959f" : COLOURS[(timeline - 1) % COLOURS.length]!;

const seconds = (milliseconds: number): string => (milliseconds / 1_000).toFixed(1);

/** A segment of a server's lane: its colour is the timeline's, a leader's full, a replica's pale. */
function serverSegment(node: string, segment: Segment, x: number, width: number, y: number): string {
  const { role, timeline, from, to } = segment;
  if (role === "none") return "";
  const leader = role === "leader";
  const what = `${leader ? "leader" : "replica"}${timeline === undefined ? ", not streaming" : `, timeline ${timeline}`}`;
  const told = `${node}: ${what}, ${seconds(to - from)} s`;
  const attributes = `fill="${colourOf(timeline)}" fill-opacity="${leader ? 1 : 0.35}"`;
  const inside = leader && width > textWidth(`timeline ${timeline}`) ? `timeline ${timeline}` : String(timeline);
  const named = leader && width > textWidth(inside) + 6 ? word(x + 4, y + LANE - 9, inside, "on") : "";
  return box(x, y, width, LANE, attributes, told) + named;
}

/** The bars of the writes; what was acknowledged stands below, what was not on top of it. */
function chart(list: readonly Bin[], x: (index: number) => number, width: number, y: number): string[] {
  const most = Math.max(1, ...list.map(({ acknowledged, refused, unknown }) => acknowledged + refused + unknown));
  return list.flatMap((bin, index) => {
    let top = y + CHART;
    return (["acknowledged", "refused", "unknown"] as const).flatMap((fate) => {
      if (bin[fate] === 0) return [];
      // One unanswered write among hundreds must be seen too.
      const height = Math.max(2, (bin[fate] / most) * CHART);
      top -= height;
      return [box(x(index), top, width, height, `class="${fate}"`, `${bin[fate]} ${fate}`)];
    });
  });
}

/** The legend, as a row of samples. */
function legend(y: number): string[] {
  const samples: [string, string][] = [
    ["leader (the colour is its timeline's)", `fill="${COLOURS[0]}"`],
    ["replica", `fill="${COLOURS[0]}" fill-opacity="0.35"`],
    ["replica, not streaming", `fill="${colourOf(undefined)}" fill-opacity="0.35"`],
    ["no answer", 'class="lane"'],
    ["etcd leader", 'class="store-leader"'],
    ["etcd follower", 'class="store-follower"'],
    ["write acknowledged", 'class="acknowledged"'],
    ["refused", 'class="refused"'],
    ["without an answer", 'class="unknown"'],
  ];
  let x = LEFT;
  return samples.map(([text, attributes]) => {
    const at = x;
    x += 26 + textWidth(text);
    return box(at, y, 12, 12, attributes) + word(at + 17, y + 10, text, "faint");
  });
}

/** The lanes of the nodes, and where they end. */
function lanes(record: Recorded, frame: Frame, x: (at: Moment) => number, top: number): [parts: string[], y: number] {
  const { from, to, servers, stores } = frame;
  const parts: string[] = [];
  let y = top;
  for (const [node, life] of segments(record.looks, [...servers, ...stores], from, to)) {
    const server = servers.includes(node);
    const height = server ? LANE : STORE;
    parts.push(word(LEFT - 10, y + height / 2 + 4, node, "", "end"));
    parts.push(box(LEFT, y, x(to) - LEFT, height, 'class="lane"', `${node}: no answer`));
    for (const segment of life) {
      const [left, wide] = [x(segment.from), x(segment.to) - x(segment.from)];
      if (server) parts.push(serverSegment(node, segment, left, wide, y));
      else if (segment.role !== "none")
        parts.push(box(left, y, wide, height, `class="store-${segment.role}"`, `${node}: ${segment.role}`));
    }
    y += height + GAP;
  }
  return [parts, y];
}

/** The seconds below the chart. */
function axis(length: number, scale: number, y: number): string[] {
  const step = tickStep(scale, 60);
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step).flatMap((second) => {
    const at = LEFT + second * scale;
    return [
      `<line x1="${number(at)}" y1="${y}" x2="${number(at)}" y2="${y + 6}" class="grid"/>`,
      word(at, y + 20, `${second} s`, "faint", "middle"),
    ];
  });
}

/** What was done, as lines through everything with their labels above. */
function events(marks: readonly Mark[], placed: readonly Placed[], bottom: number): string[] {
  return marks.flatMap(({ kind, label }, index) => {
    const { x, row } = placed[index]!;
    const y = HEAD + row * LABEL;
    return [
      `<line x1="${number(x)}" y1="${y - 10}" x2="${number(x)}" y2="${bottom}" class="${kind}"/>`,
      word(x + 3, y, label, kind),
    ];
  });
}

/** The pixels that one second gets: enough for a short run to be read, few enough for a long one to be opened. */
const scaleFor = (length: number): number => Math.min(100, Math.max(5, 1_120 / length));

/** Draws a run. */
export function picture(record: Recorded, frame: Frame): string {
  const { from, to } = frame;
  const scale = scaleFor((to - from) / 1_000);
  const x = (at: Moment): number => LEFT + ((at - from) / 1_000) * scale;
  const marks = record.marks.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
  const placed = place(marks.map(({ at, label }) => ({ x: x(at), width: textWidth(label) })));
  const width = Math.max(1_240, x(to), ...marks.map(({ at, label }) => x(at) + textWidth(label))) + RIGHT;
  const top = HEAD + Math.max(1, ...placed.map(({ row }) => row + 1)) * LABEL;

  const [lives, under] = lanes(record, frame, x, top);
  const upper = under + GAP;
  const lower = upper + CHART;
  const bin = Math.max(200, 2_000 / scale);
  const bar = (bin / 1_000) * scale;
  const counted = bins(record.writes, from, to, bin);
  const height = lower + 60;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${number(width)}" height="${number(height)}" viewBox="0 0 ${number(width)} ${number(height)}" role="img">`,
    `<title>${escaped(frame.title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect width="100%" height="100%" class="page"/>`,
    word(LEFT, 24, frame.title, "title"),
    word(LEFT, 42, frame.subtitle, "faint"),
    ...lives.filter(Boolean),
    word(LEFT - 10, upper + 14, "writes", "", "end"),
    word(LEFT - 10, upper + 30, `per ${seconds(bin)} s`, "faint", "end"),
    box(LEFT, upper, x(to) - LEFT, CHART, 'class="lane" fill-opacity="0.5"'),
    ...chart(counted, (index) => LEFT + index * bar, bar < 4 ? bar : bar - 1, upper),
    ...axis((to - from) / 1_000, scale, lower),
    ...events(marks, placed, lower),
    ...legend(lower + 34),
    "</svg>\n",
  ].join("\n");
}
