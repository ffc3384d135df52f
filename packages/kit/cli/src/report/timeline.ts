import { type Lane, lanes, lastMoment, parallel, ticks } from "./figures.js";
import { count, spanText } from "./format.js";
import { breakable, html, type Markup, percent } from "./html.js";
import { stateMark } from "./marks.js";
import type { BuildRecord } from "./record.js";

const BAR = 14;

function bar({ part, from, to }: Lane, end: number): Markup | undefined {
  if (from === undefined || to === undefined) return undefined;
  const shape = html`x="${percent(from, end)}" y="4" height="${BAR}" rx="3"`;
  // The second one keeps a short part visible.
  return html`<g class="bar ${part.state}"><rect ${shape} width="${percent(to - from, end)}"/><rect ${shape} width="4"/></g>`;
}

function lane(lane: Lane, end: number, marks: readonly number[]): Markup {
  const { part, from, to } = lane;
  const when =
    from === undefined || to === undefined ? "when is not known" : `${from.toFixed(1)} s to ${to.toFixed(1)} s`;
  const grid = marks.map(
    (mark) => html`<line class="grid" x1="${percent(mark, end)}" x2="${percent(mark, end)}" y2="22"/>`,
  );
  return html`<tr><th scope="row"><div class="lane"><span class="label">${stateMark(part.state)}<span>${breakable(part.id)}</span></span>
<svg class="track" aria-hidden="true" height="22">${grid}${bar(lane, end)}</svg></div></th>
<td class="number">${spanText(part.seconds)}<span class="unseen">, ${part.state}, ${when}</span></td></tr>
`;
}

function moment(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)}${rest > 0 ? `:${String(rest).padStart(2, "0")}` : ""} min`;
}

function axis(end: number, marks: readonly number[]): Markup {
  const labels = marks.map((mark) => {
    const side = mark === 0 ? "start" : mark / end > 0.94 ? "end" : "middle";
    return html`<text x="${percent(mark, end)}" y="13" text-anchor="${side}">${moment(mark)}</text>`;
  });
  return html`<svg class="track axis" aria-hidden="true" height="18">${labels}</svg>`;
}

function summary(record: BuildRecord): string {
  const { work, span, most } = parallel(record);
  if (most > 1) return `Up to ${most} parts ran at one time: ${spanText(work)} of work were done in ${spanText(span)}.`;
  return most === 1 ? "The parts ran one after another." : "";
}

/** A timeline of what ran, and the names of what did not have to. */
export function timelineSection(record: BuildRecord): Markup {
  const all = lanes(record);
  const end = lastMoment(record);
  const marks = ticks(end);
  const cached = record.parts.filter(({ state }) => state === "cached");
  const names = html`<ul class="chips">${cached.map(({ id }) => html`<li>${stateMark("cached")}${breakable(id)}</li>`)}</ul>`;
  const fromCache = html`<h3>From the cache: ${count(cached.length, "part")}</h3>
${names}`;
  if (all.length === 0)
    return html`<p>No part ran.</p>
${cached.length > 0 ? fromCache : undefined}`;
  const table = html`<p>${summary(record)}</p>
<table class="timeline"><thead><tr><th scope="col"><div class="lane"><span class="label">Part</span>${axis(end, marks)}</div></th><th scope="col" class="number">Took</th></tr></thead>
<tbody>
${all.map((each) => lane(each, end, marks))}</tbody></table>
`;
  return html`${table}${cached.length > 0 ? fromCache : undefined}`;
}
