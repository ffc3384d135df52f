import { isStage, ran } from "./figures.js";
import { bytesText, count, shorten, spanText } from "./format.js";
import { breakable, html, type Markup, round } from "./html.js";
import { BOX_HEIGHT, type Box, type Layout, narrowLayout, wideLayout } from "./layout.js";
import { stateMark, stateShape } from "./marks.js";
import type { BuildRecord, PartRecord } from "./record.js";

const KINDS: Readonly<Record<PartRecord["kind"], string>> = {
  base: "base",
  setup: "setup",
  component: "component",
  runtime: "runtime",
  metadata: "metadata",
  toolchain: "toolchain",
  build: "stage",
};

// Room for one character, as wide as the widest of the fonts that a reader may have.
const NAME_CHAR = 7.6;
const NAME_LEFT = 34;

const took = (part: PartRecord): string => (ran(part) ? `${part.state} in ${spanText(part.seconds)}` : part.state);

function box({ part, x, y, width }: Box): Markup {
  const name = part.fragment ?? part.id;
  const room = Math.floor((width - NAME_LEFT - 6) / NAME_CHAR);
  return html`<g class="node ${part.state.replace(" ", "-")}" transform="translate(${round(x)} ${round(y)})">
<title>${part.id}: ${took(part)}</title>
<rect width="${round(width)}" height="${BOX_HEIGHT}" rx="8"/>
<g transform="translate(18 ${BOX_HEIGHT / 2})">${stateShape(part.state)}</g>
<text class="name" x="${NAME_LEFT}" y="16">${shorten(name, room)}</text>
<text class="note" x="${NAME_LEFT}" y="30">${name === KINDS[part.kind] ? "" : `${KINDS[part.kind]} · `}${took(part)}</text>
</g>
`;
}

function drawing(layout: Layout, name: string, label: string): Markup {
  const { width, height, boxes, arrows } = layout;
  // A pixel around it, so that no border is cut.
  const view = `-1 -1 ${round(width + 2)} ${round(height + 2)}`;
  return html`<svg class="graph ${name}" role="img" aria-label="${label}" viewBox="${view}" width="${round(width + 2)}" height="${round(height + 2)}">
${arrows.map((path) => html`<path class="arrow" d="${path}"/>`)}
${boxes.map(box)}</svg>
`;
}

function row(part: PartRecord): Markup {
  const from = part.needs.length > 0 ? html`<span class="why">from ${part.needs.join(", ")}</span>` : undefined;
  return html`<tr><th scope="row">${breakable(part.id)}${from}${part.reason ? html`<span class="why">${part.reason}</span>` : undefined}</th>
<td>${stateMark(part.state)}${part.state}</td><td class="number">${ran(part) ? spanText(part.seconds) : "–"}</td>
<td class="number">${part.bytes === undefined ? "–" : bytesText(part.bytes)}</td></tr>
`;
}

/** The stages and layers as a graph, drawn for wide and for narrow pages, and as a table for who does not see it. */
export function graphSection(record: BuildRecord): Markup {
  const { parts } = record;
  if (parts.length === 0) return html`<p>There is no part to draw: the engine told of none.</p>`;
  const stages = parts.filter(isStage).length;
  const what = `${count(parts.length - stages, "layer")}${stages > 0 ? ` and ${count(stages, "stage")} that flow into them` : ""}`;
  const label = `Graph of ${what}. The table below it says the same.`;
  const states = (["built", "cached", "failed", "not reached"] as const).filter((state) =>
    parts.some((part) => part.state === state),
  );
  return html`<p class="legend">${states.map((state) => html`<span>${stateMark(state)}${state}</span> `)}</p>
${drawing(wideLayout(record), "wide", label)}${drawing(narrowLayout(record), "narrow", label)}
<details><summary>Every part as a table</summary>
<table class="parts"><thead><tr><th scope="col">Part</th><th scope="col">State</th><th scope="col" class="number">Took</th><th scope="col" class="number">Size</th></tr></thead>
<tbody>
${parts.map(row)}</tbody></table></details>
`;
}
