export { partsOf } from "./parts.js";
export { type BuildRecord, type PartRecord, reportHtml, reportText } from "./report/index.js";
