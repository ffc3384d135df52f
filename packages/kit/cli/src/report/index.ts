import { page } from "./page.js";
import type { BuildRecord } from "./record.js";

export type { BuildRecord, PartRecord } from "./record.js";
export { reportText } from "./text.js";

/** The report of a build as one HTML page that needs nothing beside itself. Pure: the same records give the same page. */
export function reportHtml(record: BuildRecord, previous?: BuildRecord): string {
  return page(record, previous);
}
