import { html, Markup } from "./html.js";
import type { PartRecord } from "./record.js";

// Shape and colour both tell the state: not everybody sees the colours.
const SHAPES: Readonly<Record<PartRecord["state"], string>> = {
  built: '<circle class="full" r="8"/><path class="sign" d="M-3.5 .3L-1 2.8L3.6 -2.4"/>',
  cached: '<circle class="ring" r="6"/><circle class="dot" r="2"/>',
  failed: '<circle class="full" r="8"/><path class="sign" d="M-2.8 -2.8L2.8 2.8M2.8 -2.8L-2.8 2.8"/>',
  "not reached": '<circle class="ring dashed" r="6"/>',
};

/** The sign of a state around the origin, for a drawing. */
export const stateShape = (state: PartRecord["state"]): Markup =>
  html`<g class="mark ${state.replace(" ", "-")}">${new Markup(SHAPES[state])}</g>`;

/** The sign of a state before its word. */
export const stateMark = (state: PartRecord["state"]): Markup =>
  html`<svg class="sign-box" aria-hidden="true" width="18" height="18" viewBox="-9 -9 18 18">${stateShape(state)}</svg>`;

/** The sign of Strata: three layers. */
export const LOGO = new Markup(
  '<svg class="logo" aria-hidden="true" width="28" height="28" viewBox="0 0 28 28"><path d="M14 3L26 9L14 15L2 9Z"/><path d="M2 14L14 20L26 14"/><path d="M2 19L14 25L26 19"/></svg>',
);
