export {
  buildImage,
  chooseVariants,
  defaultVariant,
  type Prepared,
  planImage,
  prepareImage,
  variantFolder,
} from "./build.js";
export * from "./definition.js";
export { explain, rebuilt } from "./explain.js";
export {
  loadFragment,
  loadFragments,
  loadImage,
  loadImagePackage,
} from "./load.js";
export { order } from "./order.js";
export {
  type ImagePackage,
  type Layer,
  type LayerKind,
  type LeftOut,
  type Plan,
  type PlannedSource,
  type PlannedVariable,
  plan,
  type Stage,
  WITHOUT_LABEL,
} from "./plan.js";
export {
  type Contract,
  ENVIRONMENT_INTRO,
  environmentDifferences,
  environmentReference,
  environmentSections,
} from "./reference.js";
export {
  artifactPath,
  artifactStageName,
  type Dialect,
  DOCKERFILES,
  neededStages,
  type RenderOptions,
  render,
  renderStages,
} from "./render.js";
export { sourcesText } from "./sources.js";
export { nearest, pick, suggestion } from "./suggest.js";
