// The manifests of deploy/kubernetes: against Kubernetes' own schemas, against one another, against the environment of the
// image that they run, and against what the Patroni in it does. No cluster is needed, so none is tried here.
import { cp, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IRole, IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1";
import type { IProbe, IService, IServiceAccount } from "kubernetes-models/v1";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type KubernetesObject,
  kubectl,
  type Labels,
  Manifests,
  patroniSource,
  render,
  selects,
} from "./kubernetes-manifests.js";
import { faultsOf } from "./kubernetes-schemas.js";
import { must, ROOT, Scratch, sh } from "./scratch.js";

const ha = await Manifests.read("ha");
const IMAGE = ha.container.image!;

/** What a fragment declares about a variable. */
interface Declared {
  readonly type: string;
  readonly values?: readonly string[];
  readonly secret?: boolean;
  readonly file?: boolean;
}

const probes = (): IProbe[] => {
  const { startupProbe, livenessProbe, readinessProbe } = ha.container;
  return [startupProbe!, livenessProbe!, readinessProbe!];
};
const portNames = (): string[] => ha.container.ports!.map(({ name }) => name!);

const patroni = (module: string): Promise<string> => patroniSource(IMAGE, module);

describe("Kubernetes' schemas", () => {
  it("accept every object, and the files are those of the kustomization", async () => {
    expect(faultsOf(ha.objects)).toEqual([]);
    expect(await ha.files()).toEqual([...ha.kustomization.resources, "kustomization.yaml"].sort());
  });

  it.each<[string, RegExp, (set: ReturnType<typeof mutable>) => void]>([
    ["a misspelt field of a container", /livenesProbe/, (set) => Object.assign(set.container, { livenesProbe: {} })],
    [
      "a misspelt field deep inside",
      /runAsNonroot/,
      (set) => Object.assign(set.pod.securityContext!, { runAsNonroot: true }),
    ],
    ["a field at the wrong place", /restartPolicies/, (set) => Object.assign(set.spec, { restartPolicies: "Always" })],
    ["a value of another type", /replicas/, (set) => Object.assign(set.spec, { replicas: "3" })],
    [
      "a word that is none of the field's",
      /podManagementPolicy/,
      (set) => Object.assign(set.spec, { podManagementPolicy: "Any" }),
    ],
    [
      "half a port",
      /containerPort must be integer/,
      (set) => Object.assign(set.container.ports![0]!, { containerPort: 1.5 }),
    ],
    ["a field that is missing", /selector/, (set) => Reflect.deleteProperty(set.spec, "selector")],
    ["a kind that there is none of", /Statefulset/, (set) => Object.assign(set.object, { kind: "Statefulset" })],
    ["a version that there is none of", /apps\/v2/, (set) => Object.assign(set.object, { apiVersion: "apps/v2" })],
  ])("refuse %s", (_, fault, change) => {
    const changed = mutable();
    change(changed);
    expect(faultsOf([changed.object as KubernetesObject]).join("\n")).toMatch(fault);
  });

  /** A copy of the stateful set, to do wrong to. */
  function mutable() {
    const object = structuredClone(ha.statefulSet);
    const spec = object.spec!;
    const pod = spec.template.spec!;
    return { object, spec, pod, container: pod.containers[0]! };
  }
});

describe("the pods", () => {
  it("are the ones that every selector means", () => {
    const { spec } = ha.statefulSet;
    const spread = [
      ...spec!.template.spec!.affinity!.podAntiAffinity!.requiredDuringSchedulingIgnoredDuringExecution!,
      ...spec!.template.spec!.topologySpreadConstraints!,
    ];
    const selectors = [
      spec!.selector,
      ...spread.map(({ labelSelector }) => labelSelector!),
      ha.the<IPodDisruptionBudget>("PodDisruptionBudget").spec!.selector!,
      ha.the<INetworkPolicy>("NetworkPolicy").spec!.podSelector!,
    ].map(({ matchLabels }) => matchLabels as Labels);
    expect(selectors).toHaveLength(5);
    for (const selector of selectors) expect(selector).toEqual(ha.podLabels);
  });

  it("are found by Patroni, and so are its config maps, by the same labels", () => {
    const labels = JSON.parse(ha.variable("PATRONI_KUBERNETES_LABELS"));
    const scope = { [ha.variable("PATRONI_KUBERNETES_SCOPE_LABEL")]: ha.variable("PATRONI_SCOPE") };
    expect({ ...labels, ...scope }).toEqual(ha.podLabels);
    expect(ha.variable("PATRONI_NAME")).toBe("metadata.name");
    expect(ha.variable("PATRONI_ADDRESS")).toBe("status.podIP");
    expect(ha.variable("PATRONI_KUBERNETES_NAMESPACE")).toBe("metadata.namespace");
  });

  it("are reached by ports that they have", () => {
    const services = ha.all<IService>("Service");
    for (const { metadata, spec } of services)
      for (const { name, port, targetPort } of spec!.ports!) {
        expect(portNames(), metadata!.name!).toContain(targetPort);
        expect(ha.container.ports!.find((own) => own.name === targetPort)?.containerPort, name).toBe(port);
      }
    const rules = ha.the<INetworkPolicy>("NetworkPolicy").spec!.ingress!;
    expect(rules.flatMap(({ ports }) => ports!.map(({ port }) => port))).toEqual(portNames());
    for (const { httpGet } of probes()) expect(portNames()).toContain(httpGet?.port);
    const own = services.find(({ metadata }) => metadata!.name === ha.statefulSet.spec!.serviceName);
    expect(own?.spec).toMatchObject({ clusterIP: "None", selector: ha.podLabels });
  });

  it("get writes or reads by the label that Patroni gives them", async () => {
    const source = await patroni("patroni.dcs.kubernetes");
    const role = ha.variable("PATRONI_KUBERNETES_ROLE_LABEL");
    const label = (which: string): string => new RegExp(`'${which}_label_value', '(\\w+)'`).exec(source)![1]!;
    for (const [name, value] of [
      ["postgresql", label("leader")],
      ["postgresql-replica", label("follower")],
    ] as const) {
      const { spec } = ha.all<IService>("Service").find(({ metadata }) => metadata!.name === name)!;
      expect(spec!.selector).toEqual({ ...ha.podLabels, [role]: value });
      expect(selects(spec!.selector as Labels, ha.podLabels)).toBe(false);
    }
  });

  it("have time to stop, stay on nodes of their own, and leave one at a time", () => {
    const { replicas, template, podManagementPolicy } = ha.statefulSet.spec!;
    expect(template.spec!.terminationGracePeriodSeconds).toBeGreaterThan(Number(ha.variable("TIMEOUT")));
    expect(replicas).toBe(3);
    expect(podManagementPolicy).toBe("Parallel");
    expect(ha.the<IPodDisruptionBudget>("PodDisruptionBudget").spec!.maxUnavailable).toBe(1);
    const { topologyKey } =
      template.spec!.affinity!.podAntiAffinity!.requiredDuringSchedulingIgnoredDuringExecution![0]!;
    expect(topologyKey).toBe("kubernetes.io/hostname");
  });

  it("run under the restricted Pod Security Standard, with folders to write to", () => {
    const { pod, container } = ha;
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const { name, ...volume } of pod.volumes!)
      expect(["emptyDir", "secret"], name).toContain(Object.keys(volume)[0]);
    const claims = ha.statefulSet.spec!.volumeClaimTemplates!.map(({ metadata }) => metadata!.name!);
    const volumes = [...pod.volumes!.map(({ name }) => name), ...claims];
    expect(container.volumeMounts!.map(({ name }) => name).sort()).toEqual(volumes.sort());
    expect(["run", "tmp", "shm"].map((name) => ha.mount(name))).toEqual(["/run", "/tmp", "/dev/shm"]);
    expect(dirname(ha.variable("PGDATA"))).toBe(ha.mount("data"));
  });
});

describe("the image", () => {
  let declared: Map<string, Declared>;

  beforeAll(async () => {
    const variant = IMAGE.slice(IMAGE.indexOf(":") + 1);
    const plan = JSON.parse(await readFile(join(ROOT, "images/postgresql/dist", variant, "image.json"), "utf8"));
    declared = new Map(Object.entries(plan.environment));
    expect(ha.kustomization.images).toEqual([{ name: "strata/postgresql", newTag: variant }]);
  });

  /** What is declared about a variable: by its name, by that of the secret in a file, or by its family. */
  function contract(name: string): Declared | undefined {
    const secret = name.endsWith("_FILE") ? declared.get(name.slice(0, -"_FILE".length)) : undefined;
    const family = [...declared].find(([known]) => known.endsWith("*") && name.startsWith(known.slice(0, -1)));
    return declared.get(name) ?? (secret?.secret || secret?.file ? { type: "path" } : family?.[1]);
  }

  it("knows every variable, and takes its value", () => {
    for (const { name, value } of ha.container.env!) {
      const known = contract(name);
      expect(known, name).toBeDefined();
      if (known!.type === "boolean") expect(["true", "false"], name).toContain(value);
      if (known!.type === "integer") expect(value, name).toMatch(/^\d+$/);
      if (known!.type === "path") expect(value, name).toMatch(/^\//);
      if (known!.type === "enum") expect(known!.values, name).toContain(value);
    }
    expect(contract("PATRONI_SCOPES")).toBeUndefined();
  });

  it("is spared the variables that Kubernetes makes of Services", () => {
    expect(ha.pod.enableServiceLinks).toBe(false);
  });

  it("has a Patroni that answers what the probes ask", async () => {
    const source = await patroni("patroni.api");
    for (const { httpGet } of probes()) expect(source).toContain(`def do_GET_${httpGet!.path!.slice(1)}(`);
  });
});

describe("the rights of the pods", () => {
  const rules = ha.the<IRole>("Role").rules!;

  it("are the service account's", () => {
    const account = ha.the<IServiceAccount>("ServiceAccount");
    const { roleRef, subjects } = ha.the<IRoleBinding>("RoleBinding");
    expect(ha.pod.serviceAccountName).toBe(account.metadata!.name);
    expect([account.automountServiceAccountToken, ha.pod.automountServiceAccountToken]).toEqual([false, true]);
    expect(roleRef).toMatchObject({ kind: "Role", name: ha.the<IRole>("Role").metadata!.name });
    expect(subjects).toEqual([{ kind: "ServiceAccount", name: account.metadata!.name }]);
  });

  it("are what Patroni's source asks the API for, and no more", async () => {
    expect(ha.variable("PATRONI_KUBERNETES_USE_ENDPOINTS")).toBe("false");
    const source = await patroni("patroni.dcs.kubernetes");
    const verbs: Labels = { read: "get", list: "list watch", delete_collection: "deletecollection" };
    const kinds: Labels = { kind: "configmaps", pod: "pods", service: "services" };
    const asked = [...source.matchAll(/self\._api\.(\w+?)_namespaced_(\w+)/g)].flatMap(([, verb, kind]) =>
      (verbs[verb!] ?? verb!).split(" ").map((word) => `${word} ${kinds[kind!] ?? kind}`),
    );
    // The one is for endpoints, the other for `patronictl remove`.
    const without = new Set(["create services", "deletecollection configmaps"]);
    const given = rules.flatMap(({ verbs, resources }) => verbs.map((verb) => `${verb} ${resources}`));
    expect(asked).toEqual(expect.arrayContaining([...without]));
    expect(given.sort()).toEqual([...new Set(asked)].filter((right) => !without.has(right)).sort());
    expect(new Set(rules.flatMap(({ apiGroups }) => apiGroups))).toEqual(new Set([""]));
  });

  it("are for the cluster's own config maps and pods", async () => {
    const source = await patroni("patroni.dcs.kubernetes");
    const paths = new Set([...source.matchAll(/self\.([a-z]+)_path\b(?!\()/g)].map(([, name]) => name!));
    const named = (verb: string, kind: string): readonly string[] =>
      rules.find((rule) => rule.verbs.includes(verb) && rule.resources!.includes(kind))!.resourceNames!;
    const scope = ha.variable("PATRONI_SCOPE");
    expect([...named("patch", "configmaps")].sort()).toEqual([...paths].map((path) => `${scope}-${path}`).sort());
    expect(named("get", "configmaps")).toEqual(named("patch", "configmaps"));
    const { replicas } = ha.statefulSet.spec!;
    for (let pod = 0; pod < replicas!; pod++)
      expect(named("patch", "pods")).toContain(`${ha.statefulSet.metadata!.name}-${pod}`);
  });
});

describe("the password", () => {
  const [secret] = ha.kustomization.secretGenerator;

  it("is in no file of the repository: the user makes one, which Git ignores", async () => {
    expect(ha.objects.map(({ kind }) => kind)).not.toContain("Secret");
    expect(secret!.options).toEqual({ disableNameSuffixHash: true, immutable: true });
    for (const file of secret!.files) {
      expect(await must(ROOT, "git", "check-ignore", "--no-index", join(ha.folder, file))).toContain(file);
      expect(await must(ROOT, "git", "ls-files", join(ha.folder, file))).toBe("");
    }
  });

  it("reaches the image as a file", () => {
    const { secretName } = ha.pod.volumes!.find(({ name }) => name === "secret")!.secret!;
    expect(secretName).toBe(secret!.name);
    expect(ha.variable("POSTGRES_PASSWORD_FILE")).toBe(join(ha.mount("secret"), secret!.files[0]!));
  });
});

describe("kustomize", () => {
  it.skipIf(!kubectl)("makes of it objects of one namespace that the schemas accept", async () => {
    await using scratch = await Scratch.empty();
    await cp(ha.folder, scratch.folder, { recursive: true });
    const missing = await sh(scratch.folder, "kubectl", ["kustomize", "."]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("postgres-password")]);
    const objects = await render("ha");
    expect(faultsOf(objects)).toEqual([]);
    expect(objects).toHaveLength(ha.objects.length + 1);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set([ha.kustomization.namespace]));
    const binding = objects.find(({ kind }) => kind === "RoleBinding") as unknown as IRoleBinding;
    expect(binding.subjects![0]!.namespace).toBe(ha.kustomization.namespace);
  });
});
