// The manifests of deploy/kubernetes as data, and what is asked of them.
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, findEngine } from "@strata/engine";
import type { IStatefulSet } from "kubernetes-models/apps/v1";
import type { IContainer, IPodSpec } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";
import { must, ROOT, Scratch, sh } from "./scratch.js";

/** Labels, or what they have to be. */
export type Labels = Readonly<Record<string, string>>;

/** What every object of Kubernetes has. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
}

/** A file for `kubectl apply -k`, as far as we use it. */
export interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
  readonly secretGenerator: readonly {
    readonly name: string;
    readonly files: readonly string[];
    readonly options: { readonly disableNameSuffixHash: boolean; readonly immutable: boolean };
  }[];
}

/** The documents of a file, read as Kubernetes reads it: YAML 1.1, where 0440 is octal and a bare `on` is true. */
async function documentsOf(file: string): Promise<unknown[]> {
  const documents = parseAllDocuments(await readFile(file, "utf8"), { version: "1.1", uniqueKeys: true });
  return documents.map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.map(String).join("\n")}`);
    return document.toJS();
  });
}

/** A folder with a kustomization and the objects that it brings. */
export class Manifests {
  private constructor(
    readonly folder: string,
    readonly kustomization: Kustomization,
    readonly objects: readonly KubernetesObject[],
  ) {}

  /** Reads a folder of deploy/kubernetes. */
  static async read(name: string): Promise<Manifests> {
    const folder = join(ROOT, "deploy/kubernetes", name);
    const [kustomization] = (await documentsOf(join(folder, "kustomization.yaml"))) as [Kustomization];
    const documents = await Promise.all(kustomization.resources.map((file) => documentsOf(join(folder, file))));
    return new Manifests(folder, kustomization, documents.flat() as KubernetesObject[]);
  }

  /** The names of the folder's YAML files. */
  async files(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => name.endsWith(".yaml")).sort();
  }

  /** All objects of a kind. */
  all<T>(kind: string): T[] {
    return this.objects.filter((object) => object.kind === kind) as T[];
  }

  /** The only object of a kind. */
  the<T>(kind: string): T {
    const found = this.all<T>(kind);
    if (found.length !== 1) throw new Error(`expected one ${kind} in ${this.folder}, found ${found.length}`);
    return found[0]!;
  }

  get statefulSet(): IStatefulSet {
    return this.the("StatefulSet");
  }

  get pod(): IPodSpec {
    return this.statefulSet.spec!.template.spec!;
  }

  get podLabels(): Labels {
    return this.statefulSet.spec!.template.metadata!.labels!;
  }

  get container(): IContainer {
    if (this.pod.containers.length !== 1) throw new Error("expected one container in the pod");
    return this.pod.containers[0]!;
  }

  /** What a variable of the container is: its text, or the field that it is taken from. */
  variable(name: string): string {
    const found = this.container.env?.find((variable) => variable.name === name);
    return found?.value ?? found?.valueFrom?.fieldRef?.fieldPath ?? "";
  }

  /** Where a volume is in the container. */
  mount(volume: string): string {
    return this.container.volumeMounts?.find((mount) => mount.name === volume)?.mountPath ?? "";
  }
}

/** Whether kubectl is here, which has kustomize in it. */
export const kubectl = (await sh(ROOT, "kubectl", ["version", "--client"])).code === 0;

/** What `kubectl apply -k` would send of a folder of deploy/kubernetes, with a password of the test. */
export async function render(name: string): Promise<KubernetesObject[]> {
  await using scratch = await Scratch.empty();
  await cp(join(ROOT, "deploy/kubernetes", name), scratch.folder, { recursive: true });
  await scratch.write("postgres-password", "a password of the test\n");
  const text = await must(scratch.folder, "kubectl", "kustomize", ".");
  return parseAllDocuments(text, { version: "1.1" }).map((one) => one.toJS() as KubernetesObject);
}

/** The source of a module of the Patroni in an image. */
export async function patroniSource(image: string, module: string): Promise<string> {
  const { client } = await findEngine();
  const read = `import importlib.util as u; print(open(u.find_spec("${module}").origin).read())`;
  const run = ["run", "--rm", "--network=none", "--entrypoint=python3", image, "-I", "-c", read];
  const { ok, stdout, reason } = await attempt(client, run);
  if (!ok) throw new Error(`${image}: expected Patroni's source, found none: ${reason}`);
  return stdout;
}

/** Whether labels are what a selector asks for. */
export function selects(wanted: Labels | undefined, labels: Labels): boolean {
  const pairs = Object.entries(wanted ?? {});
  return pairs.length > 0 && pairs.every(([name, value]) => labels[name] === value);
}
