export { type ArchiveFile, archive, FILE_TIME } from "./archive.js";
export * from "./definition.js";
export {
  addArchive,
  archivePath,
  argLine,
  buildStage,
  COMPONENT_MARK,
  contextPath,
  copyOut,
  IMAGE_MARK,
  quote,
  SETUP_ROOT,
  STAGE_MARK,
  seenBy,
  sourcesPath,
  TOOLCHAIN_STAGE,
} from "./dockerfile.js";
export {
  type Emission,
  emission,
  emit,
  fragmentFolder,
  packageName,
  packageVersion,
} from "./emit.js";
export {
  contractText,
  type Environment,
  env,
  type Variable,
  type VariableType,
} from "./environment.js";
export * from "./errors.js";
export { sha256 } from "./files.js";
export { type FragmentFile, type Manifest, ManifestSchema, type ManifestSetup } from "./manifest.js";
export {
  type Option,
  type Options,
  type OptionValue,
  type OptionValues,
  option,
  optionProblem,
} from "./option.js";
export { type EmittedFragment, readFragment } from "./read.js";
export { replaceFolder } from "./replace.js";
export { isReservedArg } from "./validate.js";
