export {
  buildImage,
  chooseVariants,
  defaultVariant,
  planImage,
  variantFolder,
} from "./build.js";
export * from "./definition.js";
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
  type Plan,
  type PlannedVariable,
  plan,
  type Stage,
} from "./plan.js";
export {
  type Contract,
  ENVIRONMENT_INTRO,
  environmentDifferences,
  environmentReference,
  environmentSections,
} from "./reference.js";
export { render } from "./render.js";
export { nearest, pick, suggestion } from "./suggest.js";
