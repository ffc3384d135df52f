import { describe, expect, it } from "vitest";
import { BOX_HEIGHT, narrowLayout, wideLayout } from "../src/report/layout.js";
import { BUILDS, COLD, change } from "./report-example.js";

describe("layout", () => {
  const overlap = (layout: ReturnType<typeof wideLayout>): number =>
    layout.boxes.filter((a, index) =>
      layout.boxes
        .slice(index + 1)
        .some((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + BOX_HEIGHT && b.y < a.y + BOX_HEIGHT),
    ).length;

  it.each(Object.entries(BUILDS))("keeps the boxes of the %s build apart, inside of the drawing", (_name, [record]) => {
    for (const layout of [wideLayout(record), narrowLayout(record)]) {
      expect(layout.boxes).toHaveLength(record.parts.length);
      expect(overlap(layout)).toBe(0);
      expect(layout.boxes.filter(({ x, y, width }) => x < 0 || y < 0 || x + width > layout.width)).toEqual([]);
      expect(layout.arrows.join("")).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it("puts the stages left of the layers, each beside the layer that it flows into", () => {
    const boxes = new Map(wideLayout(COLD).boxes.map((box) => [box.part.id, box]));
    const x = (id: string): number => boxes.get(id)!.x;
    expect(x("stage/setup-toolchain")).toBeLessThan(x("stage/setup-citus"));
    expect(x("stage/setup-citus")).toBeLessThan(x("component/setup-citus"));
    expect(boxes.get("stage/setup-citus")!.y).toBe(boxes.get("component/setup-citus")!.y);
  });

  it("draws an arrow for every need that is a part of the build", () => {
    const needs = COLD.parts.flatMap(({ needs }) => needs).length;
    expect(wideLayout(COLD).arrows).toHaveLength(needs);
    expect(narrowLayout(COLD).arrows).toHaveLength(needs);
    const parts = change(COLD, ({ id }) => (id === "base" ? { needs: ["nowhere"] } : undefined));
    expect(wideLayout({ ...COLD, parts }).arrows).toHaveLength(needs);
  });

  it("ends on stages that need one another, and on a layer that needs one far before it", () => {
    const circle = change(COLD, ({ id }) => {
      if (id === "stage/setup-toolchain") return { needs: ["stage/setup-citus"] };
      return id === "metadata" ? { needs: ["base"] } : undefined;
    });
    const record = { ...COLD, parts: circle };
    expect(overlap(wideLayout(record))).toBe(0);
    expect(overlap(narrowLayout(record))).toBe(0);
  });
});
