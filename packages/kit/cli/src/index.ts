export { partsOf } from "./commands/image.js";
