import { describe, expect, it } from "vitest";
import { escapeHtml } from "../src/report/html.js";
import { reportHtml } from "../src/report/index.js";
import { BUILDS, COLD, EDIT, EMPTY, FAILED, HOSTILE, NASTY, WARM } from "./report-example.js";

const each = Object.entries(BUILDS);

/** The page's text, without what a reader does not see. */
function seen(page: string): string {
  const body = page.slice(page.indexOf("<body>")).replace(/<title>[^<]*<\/title>/g, "");
  return body
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&amp;", "&")
    .replace(/\s+/g, " ");
}

/** The content of the section with this heading. */
function section(page: string, id: string): string {
  return page.match(new RegExp(`<section aria-labelledby="${id}">([\\s\\S]*?)</section>`))?.[1] ?? "";
}

describe("reportHtml", () => {
  it.each(each)("needs nothing beside itself: the %s build", (_name, builds) => {
    const page = reportHtml(...builds);
    // Quoted values first: they may hold what looks like an attribute.
    const attributes = [...page.matchAll(/\s([a-z:-]+)="([^"]*)"/gi)];
    const loading = attributes.filter(([, name]) => /^(src|srcset|data|poster|action|style|on.*)$|:href$/i.test(name!));
    expect(loading.map(([whole]) => whole)).toEqual([]);
    const links = attributes.filter(([, name]) => name === "href").map(([, , value]) => value!);
    expect(links.filter((link) => !link.startsWith("#"))).toEqual([]);
    expect(page).not.toMatch(/<(script|link|iframe|object|embed|img|image|use|base)\b/i);
    expect(page.match(/<style>([\s\S]*?)<\/style>/)![1]).not.toMatch(/@import|url\(|<\//i);
    expect(page).toContain("default-src 'none'");
  });

  it.each(each)("closes what it opens: the %s build", (_name, builds) => {
    const open: string[] = [];
    const page = reportHtml(...builds).replace(/<style>[\s\S]*?<\/style>/, "");
    for (const [whole, end, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:\s[a-z-]+(?:="[^"<>]*")?)*\/?>/gi)) {
      if (whole.endsWith("/>") || ["meta", "br", "wbr"].includes(name!)) continue;
      if (end) expect(open.pop(), whole).toBe(name);
      else open.push(name!);
    }
    expect(open).toEqual([]);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it("says the same every time", () => {
    expect(reportHtml(EDIT, COLD)).toBe(reportHtml(structuredClone(EDIT), structuredClone(COLD)));
  });

  it("escapes everything that a record holds", () => {
    const page = reportHtml(HOSTILE, EDIT);
    expect(page).not.toContain("<img");
    expect(page).not.toContain('onerror="');
    expect(page.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(page).toContain(escapeHtml(NASTY));
    expect(escapeHtml(`<a href="x">'&`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  });

  it("has a section for each question, named by its heading", () => {
    const page = reportHtml(EDIT, COLD);
    const headings = [...page.matchAll(/<section aria-labelledby="(\w+)"><h2 id="\1">([^<]+)/g)].map(
      ([, , text]) => text,
    );
    expect(headings).toEqual([
      "Since the last build",
      "Stages and layers",
      "Timeline",
      "Sizes by fragment",
      "About this build",
    ]);
    expect(page).toMatch(/<html lang="en">/);
    expect(page.match(/<h1>/g)).toHaveLength(1);
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("gives every drawing a text or hides it from who cannot see it", () => {
    const drawings = reportHtml(EDIT, COLD).match(/<svg(?![^>]*aria-hidden="true")[^>]*>/g)!;
    expect(drawings).toHaveLength(2);
    for (const drawing of drawings) expect(drawing).toMatch(/role="img" aria-label="Graph of 12 layers and 3 stages/);
  });

  it("draws every part, and tells it in a table", () => {
    const graph = section(reportHtml(COLD), "graph");
    expect(graph.match(/<g class="node /g)).toHaveLength(2 * COLD.parts.length);
    const [, table] = graph.split("<details>");
    expect(table!.match(/<th scope="row">/g)).toHaveLength(COLD.parts.length);
    expect(seen(`<body>${table}`)).toContain("from setup/setup-patroni, stage/setup-citus");
  });

  it("has a lane with a bar for what ran and a name for what was cached", () => {
    const timeline = section(reportHtml(EDIT, COLD), "timeline");
    expect(timeline.match(/<g class="bar built">/g)).toHaveLength(8);
    expect(timeline).toContain("From the cache: 7 parts");
    expect(timeline).toContain("1 min 14 s<span");
    const first = seen(reportHtml(COLD));
    expect(first).toContain("Up to 3 parts ran at one time: 3 min 51 s of work were done in 2 min 13 s.");
  });

  it("says so where nothing changed, nothing ran, or there was no build before", () => {
    expect(seen(reportHtml(WARM, COLD))).toContain("Nothing changed.");
    expect(seen(reportHtml(WARM, COLD))).toContain("No part ran.");
    expect(seen(reportHtml(COLD))).toContain("No build before this one is on record");
    expect(seen(reportHtml(EMPTY))).toContain("the engine told of none");
  });

  it("shows what failed, why, and what was not reached", () => {
    const page = reportHtml(FAILED, COLD);
    expect(page).toContain('<p class="outcome failed">');
    expect(page).toContain('<g class="bar failed">');
    expect(seen(page)).toContain("build.sh ended with 2: icu.h not found");
    expect(seen(page)).toContain("One of the two builds made no image");
    expect(page.match(/class="node not-reached"/g)).toHaveLength(2 * 8);
  });

  it("tells what was left out, and where compiled files came from", () => {
    const text = seen(reportHtml({ ...COLD, artifacts: [{ fragment: "setup-citus", origin: "turbo", bytes: 1_000 }] }));
    expect(text).toContain("Built without setup-decoderbufs");
    expect(text).toContain("setup-decoderbufs its sources are not on this machine");
    expect(text).toContain("setup-citus 1.0 kB, from Turbo&#39;s cache");
  });
});
