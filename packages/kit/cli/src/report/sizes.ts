import { changesSince } from "./changes.js";
import { type FragmentSize, sizesByFragment, wholeSize } from "./figures.js";
import { bytesText, differenceText, shareText } from "./format.js";
import { breakable, html, type Markup, percent } from "./html.js";
import type { BuildRecord } from "./record.js";

/** The image as one bar, a piece for every fragment. */
function strata(sizes: readonly FragmentSize[], whole: number): Markup {
  let before = 0;
  const pieces = sizes.map(({ name, kind, bytes }) => {
    const piece = html`<rect class="kind ${kind}" x="${percent(before, whole)}" width="${percent(bytes, whole)}" height="28"><title>${name}: ${bytesText(bytes)}</title></rect>`;
    before += bytes;
    return piece;
  });
  return html`<svg class="strata" aria-hidden="true" height="28">${pieces}</svg>`;
}

/** Layer sizes by fragment, with what they were before. */
export function sizesSection(record: BuildRecord, previous?: BuildRecord): Markup {
  const sizes = sizesByFragment(record);
  if (sizes.length === 0) return html`<p>No layer has a known size.</p>`;
  const whole = wholeSize(record);
  const largest = Math.max(...sizes.map(({ bytes }) => bytes));
  const changed = new Map(
    (previous ? changesSince(record, previous).sizes : []).map(({ name, before, now }) => [name, now - before]),
  );
  const kinds = [...new Set(sizes.map(({ kind }) => kind))];
  const rows = sizes.map(({ name, kind, bytes }) => {
    const difference = changed.get(name);
    return html`<tr><th scope="row"><div class="lane"><span class="label">${breakable(name)}</span>
<svg class="track" aria-hidden="true" height="22"><g class="kind ${kind}"><rect y="5" height="12" rx="3" width="${percent(bytes, largest)}"/><rect y="5" height="12" rx="3" width="3"/></g></svg></div></th>
<td class="number">${bytesText(bytes)}${difference === undefined ? undefined : html`<span class="why">${differenceText(difference)}</span>`}</td>
<td class="number">${shareText(bytes, whole)}</td></tr>
`;
  });
  return html`${strata(sizes, whole)}
<p class="legend">${kinds.map((kind) => html`<span><svg class="sign-box" aria-hidden="true" width="14" height="14"><rect class="kind ${kind}" width="14" height="14" rx="3"/></svg>${kind}</span> `)}</p>
<table class="sizes"><thead><tr><th scope="col"><div class="lane"><span class="label">Fragment</span></div></th><th scope="col" class="number">Size</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>
${rows}</tbody>
<tfoot><tr><th scope="row">In all</th><td class="number">${bytesText(whole)}</td><td class="number"></td></tr></tfoot></table>
`;
}
