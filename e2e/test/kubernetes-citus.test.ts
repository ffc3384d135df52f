// The manifests of deploy/kubernetes/citus: against Kubernetes' own schemas, against one another, and against the environment of the
// image that they run. No cluster is needed, so none is tried here.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IStatefulSet } from "kubernetes-models/apps/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IService } from "kubernetes-models/v1";
import { describe, expect, it } from "vitest";
import { type Labels, Manifests, selects } from "./kubernetes-manifests.js";
import { faultsOf } from "./kubernetes-schemas.js";
import { must, ROOT } from "./scratch.js";

const citus = await Manifests.read("citus");
const sets = citus.all<IStatefulSet>("StatefulSet");
const labelsOf = (set: IStatefulSet): Labels => set.spec!.template.metadata!.labels as Labels;
const podOf = (set: IStatefulSet) => set.spec!.template.spec!;
const containerOf = (set: IStatefulSet) => podOf(set).containers[0]!;
const variables = (set: IStatefulSet): Record<string, string | undefined> =>
  Object.fromEntries(containerOf(set).env!.map(({ name, value }) => [name, value]));
const [coordinator, workers] = sets as [IStatefulSet, IStatefulSet];

describe("the manifests of Citus", () => {
  it("are what Kubernetes' schemas accept, and the files are those of the kustomization", async () => {
    expect(faultsOf(citus.objects)).toEqual([]);
    expect(await citus.files()).toEqual([...citus.kustomization.resources, "kustomization.yaml"].sort());
  });

  it("select the pods that they mean", () => {
    expect(sets).toHaveLength(2);
    for (const set of sets) expect(set.spec!.selector.matchLabels).toEqual(labelsOf(set));
    const [clients, pods] = citus.all<IService>("Service");
    expect(sets.map((set) => selects(clients!.spec!.selector as Labels, labelsOf(set)))).toEqual([true, false]);
    expect(sets.map((set) => selects(pods!.spec!.selector as Labels, labelsOf(set)))).toEqual([true, true]);
    expect(sets.map(({ spec }) => spec!.serviceName)).toEqual([pods!.metadata!.name, pods!.metadata!.name]);
    expect([pods!.spec!.clusterIP, pods!.spec!.publishNotReadyAddresses]).toEqual(["None", true]);
    const budget = citus.the<IPodDisruptionBudget>("PodDisruptionBudget").spec!.selector!.matchLabels as Labels;
    expect(sets.map((set) => selects(budget, labelsOf(set)))).toEqual([false, true]);
    const policies = citus.all<INetworkPolicy>("NetworkPolicy").map(({ spec }) => spec!.podSelector!.matchLabels);
    expect(policies).toEqual(sets.map(labelsOf));
  });

  it("give each node its part, a name that lasts, and the coordinator's", () => {
    const clients = citus.all<IService>("Service")[0]!.metadata!.name;
    expect(variables(coordinator).CITUS_ROLE).toBeUndefined();
    expect(variables(workers)).toMatchObject({ CITUS_ROLE: "worker", CITUS_COORDINATOR_HOST: clients });
    for (const set of sets) expect(variables(set).CITUS_ADDRESS).toBe(`$(POD_NAME).${set.spec!.serviceName}`);
    expect(sets.map(({ spec }) => spec!.replicas)).toEqual([1, 2]);
  });

  it("set variables that the image knows", async () => {
    const [{ newTag } = { newTag: "" }] = citus.kustomization.images;
    const plan = JSON.parse(await readFile(join(ROOT, "images/postgresql/dist", newTag, "image.json"), "utf8"));
    for (const set of sets) {
      expect(containerOf(set).image).toBe(`strata/postgresql:${newTag}`);
      const own = Object.keys(variables(set)).filter((name) => name !== "POD_NAME");
      expect(own.filter((name) => !(name.replace(/_FILE$/, "") in plan.environment))).toEqual([]);
    }
  });

  it("run under the restricted Pod Security Standard, with time to stop and folders to write to", () => {
    for (const set of sets) {
      const pod = podOf(set);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(containerOf(set).securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(variables(set).TIMEOUT));
      const mounts = containerOf(set).volumeMounts!.map(({ mountPath }) => mountPath);
      expect(mounts).toEqual(expect.arrayContaining(["/run", "/tmp", "/dev/shm", "/var/lib/postgresql/data"]));
    }
  });

  it("hold no password: the user makes the file, which Git ignores", async () => {
    const [secret] = citus.kustomization.secretGenerator;
    expect(citus.objects.map(({ kind }) => kind)).not.toContain("Secret");
    const file = join(citus.folder, secret!.files[0]!);
    expect(await must(ROOT, "git", "check-ignore", "--no-index", file)).toContain(file);
    for (const set of sets)
      expect(podOf(set).volumes!.find(({ name }) => name === "secret")!.secret!.secretName).toBe(secret!.name);
  });
});
