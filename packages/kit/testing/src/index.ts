export { Container, type Ended, engine, type Given, HEALTHCHECK, insideImage } from "./container.js";
export { type File, Folder } from "./folder.js";
export { Network } from "./network.js";
export { Volume } from "./volume.js";
