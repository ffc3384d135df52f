// Kubernetes' own schemas, from its OpenAPI: the types of kubernetes-models know every field, so TypeScript refuses one
// that there is none of, and its validators look at what types cannot say.
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import type { KubernetesObject } from "./kubernetes-manifests.js";
import { ROOT } from "./scratch.js";

const require = createRequire(import.meta.url);
const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
};

/** Files of packages, parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`;

/** An object as a program in which it is assigned to its type. */
function programOf(object: KubernetesObject): string {
  const type = `import(${JSON.stringify(`kubernetes-models/${object.apiVersion}`)}).I${object.kind}`;
  return `export const object: ${type} = ${JSON.stringify(object, undefined, 1)};\n`;
}

/** A message of the compiler, with the line that it is about. */
function said({ file, start, messageText }: ts.Diagnostic): string {
  const text = ts.flattenDiagnosticMessageText(messageText, " ");
  if (!file || start === undefined) return text;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${file.text.split("\n")[line]!.trim()}: ${text}`;
}

/** Fields that there are none of, fields that are missing, values of another type. */
function faultsOfTypes(objects: readonly KubernetesObject[]): string[] {
  // They are on no disk; this is where they would be, so that packages are found.
  const files = new Map(objects.map((object, at) => [join(ROOT, `e2e/test/.object-${at}.ts`), object]));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    const object = files.get(path);
    if (object) return ts.createSourceFile(path, programOf(object), OPTIONS.target!);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest));
    return parsed.get(path);
  };
  const program = ts.createProgram([...files.keys()], OPTIONS, host);
  return [...files].flatMap(([path, object]) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (diagnostic) => `${nameOf(object)}: ${said(diagnostic)}`,
    );
  });
}

/** Values that are none for their field, such as half a port. */
function faultsOfValues(object: KubernetesObject): string[] {
  try {
    const models = require(`kubernetes-models/${object.apiVersion}`);
    new models[object.kind](object).validate();
    return [];
  } catch (error) {
    return [`${nameOf(object)}: ${(error as Error).message}`];
  }
}

/** All that Kubernetes' schemas have against objects. */
export function faultsOf(objects: readonly KubernetesObject[]): string[] {
  return [...faultsOfTypes(objects), ...objects.flatMap(faultsOfValues)];
}
