export {
  type Base,
  type BaseOptions,
  type BaseOrigin,
  type BaseRequest,
  ensureBase,
  ORIGIN_LABEL,
} from "./base.js";
export { steadyBridge } from "./bridge.js";
export { BuildFailure, type BuildRequest, build } from "./build.js";
export * from "./container.js";
export {
  installCommand,
  installEngine,
  installPackages,
  isDebian,
  isRoot,
} from "./install.js";
export {
  candidates,
  type Engine,
  findEngine,
  knowsLinks,
  type Probe,
  probe,
  probeClient,
  type Rejected,
  remedy,
} from "./probe.js";
export {
  type LayerReport,
  layerCount,
  type Part,
  type ProgressEvent,
  ProgressReader,
  reportLayers,
  type Step,
  stepOwners,
} from "./progress.js";
export { attempt, type Outcome } from "./run.js";
export { readSite, type Site, sourcesFor } from "./site.js";
