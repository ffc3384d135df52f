import { isStage } from "./figures.js";
import type { BuildRecord, PartRecord } from "./record.js";

/** Where a part stands in the drawing. */
export interface Box {
  readonly part: PartRecord;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** A drawing before it is drawn: boxes of one height, and the paths of the arrows between them. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly arrows: readonly string[];
}

/** The height of a box. */
export const BOX_HEIGHT = 38;
const PITCH = 50;
const TIP = 5;

/** The parts by their place: layers from the base down, stages by how many stages lie before them. */
class Graph {
  readonly layers: readonly PartRecord[];
  readonly stages: readonly PartRecord[];
  readonly #byId: ReadonlyMap<string, PartRecord>;
  readonly #depths = new Map<string, number>();

  constructor(record: BuildRecord) {
    this.#byId = new Map(record.parts.map((part) => [part.id, part]));
    this.layers = record.parts.filter((part) => !isStage(part));
    this.stages = record.parts.filter(isStage);
  }

  needs(part: PartRecord): PartRecord[] {
    return part.needs.flatMap((id) => this.#byId.get(id) ?? []);
  }

  depth(stage: PartRecord): number {
    const known = this.#depths.get(stage.id);
    if (known !== undefined) return known;
    // Stands in for the answer while it is worked out, so that a circle in a broken record ends.
    this.#depths.set(stage.id, 0);
    const before = this.needs(stage).filter(isStage);
    const depth = before.length === 0 ? 0 : 1 + Math.max(...before.map((part) => this.depth(part)));
    this.#depths.set(stage.id, depth);
    return depth;
  }

  /** Does a layer need one that is not the one before it? Then an arrow goes around on the right. */
  get margin(): number {
    const long = this.layers.some((part, row) =>
      this.needs(part).some((need) => !isStage(need) && need !== this.layers[row - 1]),
    );
    return long ? 22 : 0;
  }

  get depths(): number {
    return Math.max(0, ...this.stages.map((stage) => 1 + this.depth(stage)));
  }

  /** Every stage after what it needs and just before the first layer that it flows into. */
  get sequence(): PartRecord[] {
    const placed = new Set<PartRecord>();
    const place = (part: PartRecord): void => {
      if (placed.has(part)) return;
      if (isStage(part)) {
        const stages = this.needs(part).filter((need) => isStage(need) && this.depth(need) < this.depth(part));
        for (const need of stages) place(need);
      } else for (const need of this.needs(part).filter(isStage)) place(need);
      placed.add(part);
    };
    for (const part of [...this.layers, ...this.stages]) place(part);
    return [...placed];
  }
}

const middle = ({ y }: Box): number => y + BOX_HEIGHT / 2;

/** A head whose tip is at this point. */
const head = (x: number, y: number, dx: number, dy: number): string =>
  `M${x - dx * TIP - dy * 4} ${y - dy * TIP - dx * 4}L${x} ${y}L${x - dx * TIP + dy * 4} ${y - dy * TIP + dx * 4}`;

/** From a box to the one below it. */
function down(from: Box, to: Box, x: number): string {
  return `M${x} ${from.y + BOX_HEIGHT}V${to.y - 1}${head(x, to.y - 1, 0, 1)}`;
}

/** From the side of a box to the facing side of another. */
function across(from: Box, to: Box): string {
  const dx = from.x < to.x ? 1 : -1;
  const start = dx > 0 ? from.x + from.width : from.x;
  const end = dx > 0 ? to.x - 1 : to.x + to.width + 1;
  const [y, rise] = [middle(from), middle(to) - middle(from)];
  const dy = Math.sign(rise);
  // It turns close to its end, so that the arrows of one source share their way.
  const turn = end - dx * 20;
  const bent = `H${turn - dx * 8}q${dx * 8} 0 ${dx * 8} ${dy * 8}V${middle(to) - dy * 8}q0 ${dy * 8} ${dx * 8} ${dy * 8}`;
  return `M${start} ${y}${rise === 0 ? "" : bent}H${end}${head(end, middle(to), dx, 0)}`;
}

/** Down and then to the right, into the side of a box. */
function elbow(from: Box, to: Box, x: number): string {
  const end = to.x - 1;
  return `M${x} ${from.y + BOX_HEIGHT}V${middle(to) - 8}q0 8 8 8H${end}${head(end, middle(to), 1, 0)}`;
}

/** From the left side of a layer down into the top of a stage. */
function elbowLeft(from: Box, to: Box): string {
  const x = to.x + 8;
  return `M${from.x} ${middle(from)}H${x + 8}q-8 0 -8 8V${to.y - 1}${head(x, to.y - 1, 0, 1)}`;
}

/** Around other boxes, on the right of the layers. */
function around(from: Box, to: Box): string {
  const [start, end] = [from.x + from.width, to.x + to.width + 1];
  const y = middle(to);
  return `M${start} ${middle(from)}h8q8 0 8 8V${y - 8}q0 8 -8 8H${end}${head(end, y, -1, 0)}`;
}

function arrows(graph: Graph, boxes: readonly Box[], path: (from: Box, to: Box) => string): string[] {
  const byId = new Map(boxes.map((box) => [box.part.id, box]));
  return boxes.flatMap((to) => graph.needs(to.part).map((need) => path(byId.get(need.id)!, to)));
}

/** Are these two layers with no layer between them? */
function follow(graph: Graph, from: Box, to: Box): boolean {
  return graph.layers.indexOf(to.part) - graph.layers.indexOf(from.part) === 1;
}

/** For a wide page: the layers in a column, and to their left a column for every depth of stages. */
export function wideLayout(record: BuildRecord): Layout {
  const graph = new Graph(record);
  const [stageWidth, layerWidth, gap] = [206, 256, graph.depths > 2 ? 40 : 64];
  const left = graph.depths * (stageWidth + gap);
  const layers = graph.layers.map((part, row): Box => ({ part, x: left, y: row * PITCH, width: layerWidth }));
  const rowOf = (part: PartRecord): number => graph.layers.indexOf(part);
  const taken = new Set<string>();
  const stages = graph.stages.map((part): Box => {
    const column = graph.depth(part);
    // Beside the layer that it flows into; a stage for other stages beside what it starts from.
    const into = graph.layers.findIndex(({ needs }) => needs.includes(part.id));
    let row = into >= 0 ? into : Math.max(0, ...graph.needs(part).map(rowOf));
    while (taken.has(`${column} ${row}`)) row += 1;
    taken.add(`${column} ${row}`);
    return { part, x: column * (stageWidth + gap), y: row * PITCH, width: stageWidth };
  });
  const boxes = [...layers, ...stages];
  const path = (from: Box, to: Box): string => {
    // Below a stage its own arrows begin, so that none of them meets one that ends at its side.
    const stages = isStage(from.part) && isStage(to.part);
    if (stages && to.y > from.y && to.x > from.x) return elbow(from, to, from.x + stageWidth - 28);
    if (isStage(from.part) || isStage(to.part)) return across(from, to);
    return follow(graph, from, to) ? down(from, to, to.x + layerWidth / 2) : around(from, to);
  };
  const bottom = Math.max(0, ...boxes.map(({ y }) => y + BOX_HEIGHT));
  return { width: left + layerWidth + graph.margin, height: bottom, boxes, arrows: arrows(graph, boxes, path) };
}

/** For a phone: every part in a row of its own, stages at the left, layers at the right. */
export function narrowLayout(record: BuildRecord): Layout {
  const graph = new Graph(record);
  const [width, indent, stageWidth] = [336, 22, 224];
  const layerLeft = graph.stages.length > 0 ? 20 + graph.depths * indent : 0;
  const boxes = graph.sequence.map((part, row): Box => {
    const y = row * PITCH;
    if (!isStage(part)) return { part, x: layerLeft, y, width: width - layerLeft - graph.margin };
    return { part, x: graph.depth(part) * indent, y, width: stageWidth };
  });
  const path = (from: Box, to: Box): string => {
    // An arrow from a stage starts below its left corner, where no deeper stage stands in its way.
    if (isStage(from.part) && (to.y > from.y || !isStage(to.part))) return elbow(from, to, from.x + 8);
    if (isStage(to.part)) return elbowLeft(from, to);
    return follow(graph, from, to) ? down(from, to, width - 44) : around(from, to);
  };
  const bottom = Math.max(0, ...boxes.map(({ y }) => y + BOX_HEIGHT));
  return { width, height: bottom, boxes, arrows: arrows(graph, boxes, path) };
}
