// The manifests of deploy/kubernetes/citus-ha as kustomize renders them: against Kubernetes' own schemas, against one another, against
// the environment of the image, and against what the Patroni in it does with groups of Citus. No cluster is needed, so none is tried.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IStatefulSet } from "kubernetes-models/apps/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IRole, IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1";
import type { IService, IServiceAccount } from "kubernetes-models/v1";
import { beforeAll, describe, expect, it } from "vitest";
import { type KubernetesObject, kubectl, type Labels, patroniSource, render, selects } from "./kubernetes-manifests.js";
import { faultsOf } from "./kubernetes-schemas.js";
import { must, ROOT } from "./scratch.js";

const FOLDER = join(ROOT, "deploy/kubernetes/citus-ha");
const labelsOf = (set: IStatefulSet): Labels => set.spec!.template.metadata!.labels as Labels;
const podOf = (set: IStatefulSet) => set.spec!.template.spec!;
const containerOf = (set: IStatefulSet) => podOf(set).containers[0]!;
/** Variables of the container: their text, or the field that they are taken from. */
const variables = (set: IStatefulSet): Record<string, string | undefined> =>
  Object.fromEntries(
    containerOf(set).env!.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef?.fieldPath]),
  );

describe.skipIf(!kubectl)("the manifests of Citus with Patroni (needs kubectl)", () => {
  let objects: KubernetesObject[];
  let sets: IStatefulSet[];
  const all = <T>(kind: string): T[] => objects.filter((object) => object.kind === kind) as T[];
  const named = <T extends { metadata?: { name?: string } }>(kind: string, name: string): T =>
    all<T>(kind).find(({ metadata }) => metadata!.name === name)!;

  beforeAll(async () => {
    objects = await render("citus-ha");
    sets = all<IStatefulSet>("StatefulSet");
  });

  it("are what Kubernetes' schemas accept, in one namespace, with every folder of a group", async () => {
    expect(faultsOf(objects)).toEqual([]);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(["citus-ha"]));
    const folders = (await readdir(FOLDER, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const groups = folders.map(({ name }) => name).filter((name) => name !== "group");
    expect(sets.map(({ metadata }) => metadata!.name).sort()).toEqual(groups.map((name) => `citus-${name}`).sort());
  });

  it("give each group its number, its part, two pods, and nothing of another group", () => {
    expect(sets.map((set) => [labelsOf(set)["citus-group"], variables(set).CITUS_ROLE, set.spec!.replicas])).toEqual([
      ["0", "coordinator", 2],
      ["1", "worker", 2],
      ["2", "worker", 2],
    ]);
    for (const set of sets) {
      expect(variables(set).CITUS_GROUP).toBe("metadata.labels['citus-group']");
      expect(set.spec!.selector.matchLabels).toEqual(labelsOf(set));
      const [apart] = podOf(set).affinity!.podAntiAffinity!.requiredDuringSchedulingIgnoredDuringExecution!;
      expect(apart!.labelSelector!.matchLabels).toEqual(labelsOf(set));
      const budget = named<IPodDisruptionBudget>("PodDisruptionBudget", set.metadata!.name!);
      expect(budget.spec).toMatchObject({ maxUnavailable: 1, selector: { matchLabels: labelsOf(set) } });
    }
  });

  it("are found by Patroni by the labels of all groups, and the group's", async () => {
    const image = containerOf(sets[0]!).image!;
    expect(await patroniSource(image, "patroni.postgresql.mpp")).toContain("return self.type.lower() + '-group'");
    for (const set of sets) {
      const given = variables(set);
      const { "citus-group": group, ...labels } = labelsOf(set);
      const scope = { [given.PATRONI_KUBERNETES_SCOPE_LABEL!]: given.PATRONI_SCOPE };
      expect({ ...JSON.parse(given.PATRONI_KUBERNETES_LABELS!), ...scope }).toEqual(labels);
      expect(group).toMatch(/^\d$/);
    }
  });

  it("lead clients to the coordinator, and nodes to one another", () => {
    const coordinator = labelsOf(sets[0]!);
    for (const [name, role] of [
      ["citus", "primary"],
      ["citus-replica", "replica"],
    ] as const)
      expect(named<IService>("Service", name).spec!.selector).toEqual({ ...coordinator, role });
    const pods = named<IService>("Service", "citus-pods").spec!;
    expect([pods.clusterIP, pods.publishNotReadyAddresses]).toEqual(["None", true]);
    for (const set of sets) expect(selects(pods.selector as Labels, labelsOf(set))).toBe(true);
    expect(new Set(sets.map(({ spec }) => spec!.serviceName))).toEqual(new Set(["citus-pods"]));
    const allows = (set: IStatefulSet): number =>
      all<INetworkPolicy>("NetworkPolicy").filter(({ spec }) =>
        selects(spec!.podSelector!.matchLabels as Labels, labelsOf(set)),
      ).length;
    expect(sets.map(allows)).toEqual([2, 1, 1]);
  });

  it("give Patroni the config maps of each group and its own pods, and no more", async () => {
    const rules = all<IRole>("Role")[0]!.rules!;
    const names = (kind: string): string[] =>
      rules.filter(({ resources }) => resources!.includes(kind)).flatMap(({ resourceNames }) => resourceNames ?? []);
    const source = await patroniSource(containerOf(sets[0]!).image!, "patroni.dcs.kubernetes");
    const paths = new Set([...source.matchAll(/self\.([a-z]+)_path\b(?!\()/g)].map(([, name]) => name!));
    const groups = sets.map((set) => labelsOf(set)["citus-group"]);
    const maps = groups.flatMap((group) => [...paths].map((path) => `citus-${group}-${path}`));
    expect(names("configmaps").sort()).toEqual(maps.sort());
    for (const set of sets)
      for (let pod = 0; pod < set.spec!.replicas!; pod++)
        expect(names("pods")).toContain(`${set.metadata!.name}-${pod}`);
    expect(names("pods").filter((name) => !sets.some(({ metadata }) => name.startsWith(metadata!.name!)))).toEqual([]);
    const account = all<IServiceAccount>("ServiceAccount")[0]!.metadata!.name;
    expect(all<IRoleBinding>("RoleBinding")[0]!.subjects).toMatchObject([{ name: account }]);
    for (const set of sets) expect(podOf(set).serviceAccountName).toBe(account);
  });

  it("set variables that the image knows, and the password as a file that Git ignores", async () => {
    const image = containerOf(sets[0]!).image!;
    const variant = image.slice(image.indexOf(":") + 1);
    const plan = JSON.parse(await readFile(join(ROOT, "images/postgresql/dist", variant, "image.json"), "utf8"));
    const known = Object.keys(plan.environment);
    const families = known.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    for (const set of sets) {
      const own = Object.keys(variables(set)).map((name) => name.replace(/_FILE$/, ""));
      expect(own.filter((name) => !known.includes(name) && !families.some((one) => name.startsWith(one)))).toEqual([]);
      expect(podOf(set).volumes!.find(({ name }) => name === "secret")!.secret!.secretName).toBe("citus");
    }
    const file = join(FOLDER, "postgres-password");
    expect(await must(ROOT, "git", "check-ignore", "--no-index", file)).toContain(file);
  });

  it("run under the restricted Pod Security Standard, with time to stop", () => {
    for (const set of sets) {
      expect(podOf(set).securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(containerOf(set).securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(podOf(set).terminationGracePeriodSeconds).toBeGreaterThan(Number(variables(set).TIMEOUT));
    }
  });
});
