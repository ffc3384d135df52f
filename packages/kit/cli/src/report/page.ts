import { type Change, changesSince, nothingChanged, type SizeChange } from "./changes.js";
import { isStage, ORIGINS, outcome, parallel } from "./figures.js";
import { bytesText, count, differenceText, shortDigest, spanText, timeText } from "./format.js";
import { graphSection } from "./graph.js";
import { breakable, type Content, html, Markup } from "./html.js";
import { LOGO, stateMark } from "./marks.js";
import type { BuildRecord } from "./record.js";
import { sizesSection } from "./sizes.js";
import { STYLE } from "./style.js";
import { timelineSection } from "./timeline.js";

const BASES = { registry: "from a registry", bootstrap: "bootstrapped here", given: "given by hand" } as const;

function tile(name: string, value: string, note: Content): Markup {
  return html`<div class="tile"><dt>${name}</dt><dd><b>${value}</b><span>${note}</span></dd></div>
`;
}

function tiles(record: BuildRecord, previous?: BuildRecord): Markup {
  const { parts, size, seconds } = record;
  const built = parts.filter(({ state }) => state === "built");
  const cached = parts.filter(({ state }) => state === "cached").length;
  const { work, most } = parallel(record);
  const image = previous && changesSince(record, previous).image;
  const stages = built.filter(isStage).length;
  return html`<dl class="tiles">
${tile("Time", spanText(seconds), most > 1 ? `for ${spanText(work)} of work` : "from start to end")}${tile(
  "Image",
  size > 0 ? bytesText(size) : "none",
  image
    ? `${differenceText(image.now - image.before)} since the last build`
    : size > 0
      ? "uncompressed"
      : "the build made no image",
)}${tile("Built", count(built.length, "part"), `${count(stages, "stage")}, ${count(built.length - stages, "layer")}`)}${tile(
  "Cached",
  count(cached, "part"),
  `of ${parts.length} in all`,
)}</dl>
`;
}

const change = ({ what, names, reason }: Change): Markup =>
  html`<li><span class="tag ${what}">${what}</span><span>${names.map((name) => html`<code>${breakable(name)}</code> `)}${reason ? html`<span class="why">${reason}</span>` : undefined}</span></li>
`;

const sizeRow = ({ name, before, now }: SizeChange): Markup =>
  html`<tr><th scope="row">${breakable(name)}</th><td class="number">${before > 0 ? bytesText(before) : "–"}</td><td class="number">${now > 0 ? bytesText(now) : "–"}</td><td class="number">${differenceText(now - before)}</td></tr>
`;

function changesSection(record: BuildRecord, previous?: BuildRecord): Markup {
  if (!previous) return html`<p>No build before this one is on record, so there is nothing to compare with.</p>`;
  const changes = changesSince(record, previous);
  const than = html`<p class="dim">Compared with the build of ${timeText(previous.began)}.</p>`;
  if (nothingChanged(changes))
    return html`<p><strong>Nothing changed.</strong> No part is new, gone or was built again, and every size is the same.</p>
${than}`;
  const list =
    changes.changes.length > 0
      ? html`<ul class="changes">
${changes.changes.map(change)}</ul>
`
      : html`<p>No part is new, gone or was built again.</p>`;
  const { image, sizes } = changes;
  if (!image)
    return html`${than}${list}<p class="dim">One of the two builds made no image, so sizes are not compared.</p>`;
  if (sizes.length === 0 && image.now === image.before)
    return html`${than}${list}<p>No fragment takes more or less room than before.</p>`;
  return html`${than}${list}<table><caption>Sizes that differ</caption>
<thead><tr><th scope="col">Fragment</th><th scope="col" class="number">Before</th><th scope="col" class="number">Now</th><th scope="col" class="number">Change</th></tr></thead>
<tbody>
${sizes.map(sizeRow)}</tbody>
<tfoot>${sizeRow({ ...image, name: "In all" })}</tfoot></table>
`;
}

function fact(name: string, value: Content): Markup {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>
`;
}

function about(record: BuildRecord): Markup {
  const { engine, base, artifacts, without } = record;
  return html`<dl class="facts">
${fact("Began", html`<time datetime="${record.began}">${timeText(record.began)}</time>`)}${fact(
  "Tags",
  record.tags.map((tag) => html`<code>${breakable(tag)}</code> `),
)}${
  record.id ? fact("Image", html`<code>${record.id}</code>`) : undefined
}${fact("Base", html`<code>${breakable(base.reference)}</code> ${BASES[base.origin]}<br><code>${base.digest}</code>`)}${fact(
  "Engine",
  html`client ${engine.client}, server ${engine.server}, dialect ${engine.dialect}`,
)}${artifacts.map(({ fragment, origin, bytes }) =>
  fact("Artifact", html`<code>${fragment}</code> ${bytesText(bytes)}, ${ORIGINS[origin]}`),
)}${without.map(({ fragment, reason }) => fact("Left out", html`<code>${fragment}</code> ${reason}`))}</dl>
`;
}

function section(id: string, title: string, content: Markup): Markup {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>
`;
}

/** The whole page. No script, and nothing that it would have to load: its own policy forbids both. */
export function page(record: BuildRecord, previous?: BuildRecord): string {
  const title = record.tags[0] ?? `${record.image}:${record.variant}`;
  const end = outcome(record);
  const { without } = record;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}: build report</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<p class="brand">${LOGO}Strata build report</p>
<h1>${breakable(title)}</h1>
<p class="outcome ${end.state.replace(" ", "-")}">${stateMark(end.state)}<strong>${end.text}</strong></p>
<p class="dim">${timeText(record.began)} · engine ${record.engine.server} · dialect ${record.engine.dialect} · base ${record.base.reference} <span class="nobreak">${shortDigest(record.base.digest)}</span></p>
${without.length > 0 ? html`<p class="left-out">Built without ${without.map(({ fragment }) => fragment).join(", ")}: see <a href="#about">about this build</a>.</p>` : undefined}
${tiles(record, previous)}</header>
<main>
${section("changes", "Since the last build", changesSection(record, previous))}${section("graph", "Stages and layers", graphSection(record))}${section(
  "timeline",
  "Timeline",
  timelineSection(record),
)}${section("sizes", "Sizes by fragment", sizesSection(record, previous))}${section("about", "About this build", about(record))}</main>
</body>
</html>
`.text;
}
