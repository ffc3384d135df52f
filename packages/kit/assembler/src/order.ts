import type { Manifest, Problems } from "@strata/fragment";
import { nearest } from "./suggest.js";

type Node = Pick<Manifest, "name" | "dependsOn" | "installsAfter" | "conflictsWith">;

function checkRelations(nodes: readonly Node[], problems: Problems): void {
  const names = nodes.map((node) => node.name);
  const present = new Set(names);
  for (const node of nodes) {
    for (const needed of node.dependsOn.filter((name) => !present.has(name))) {
      const near = nearest(needed, names);
      problems.add(
        `fragment ${node.name}`,
        `depends on ${needed}, which is not in the image`,
        near ?? `add ${needed} to the image's fragments`,
      );
    }
    for (const enemy of node.conflictsWith)
      if (present.has(enemy))
        problems.add(
          `fragment ${node.name}`,
          `conflicts with ${enemy}, and both are in the image`,
          "take one of the two out",
        );
  }
}

/** One cycle among the nodes that are left, as `a → b → a`. */
function cycle(left: ReadonlyMap<string, ReadonlySet<string>>): string {
  const path: string[] = [];
  let at = [...left.keys()].sort()[0]!;
  while (!path.includes(at)) {
    path.push(at);
    at = [...left.get(at)!].sort()[0]!;
  }
  return [...path.slice(path.indexOf(at)), at].join(" → ");
}

/**
 * Fragments in the order in which they are built: what one depends on comes before it, and of those that are free
 * to come next, the first by name. Missing ones, conflicts, doubles and cycles are added to `problems`.
 */
export function order<T extends Node>(nodes: readonly T[], problems: Problems): T[] {
  checkRelations(nodes, problems);
  const byName = new Map<string, T>();
  for (const node of nodes) {
    if (byName.has(node.name))
      problems.add(`fragment ${node.name}`, "is in the image twice", "name each fragment once");
    byName.set(node.name, node);
  }
  const left = new Map<string, Set<string>>();
  for (const node of byName.values())
    left.set(node.name, new Set([...node.dependsOn, ...node.installsAfter].filter((name) => byName.has(name))));
  const sorted: T[] = [];
  while (left.size > 0) {
    const next = [...left]
      .filter(([, before]) => before.size === 0)
      .map(([name]) => name)
      .sort()[0];
    if (next === undefined) {
      const names = cycle(left);
      problems.add(
        `fragments ${names}`,
        "depend on one another in a circle",
        "take one dependsOn or installsAfter of the circle away",
      );
      return sorted;
    }
    left.delete(next);
    for (const before of left.values()) before.delete(next);
    sorted.push(byName.get(next)!);
  }
  return sorted;
}
