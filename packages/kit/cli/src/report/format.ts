/** The text on one line: a control or a direction mark in a name must not steer the reader's terminal or page. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");

/** The text, with an ellipsis where it is longer than this. */
export const shorten = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(width - 1, 0))}…` : text;

/** Bytes in decimal units, as Docker counts them, with three digits. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  // 999.5 would be written as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1)} ${units[unit]}`;
}

/** A difference in bytes with its sign. */
export const differenceText = (bytes: number): string =>
  bytes === 0 ? "no difference" : `${bytes > 0 ? "+" : "−"}${bytesText(Math.abs(bytes))}`;

/** A time span as one says it: `0.4 s`, `2 min 33 s`, `1 h 5 min`. */
export function spanText(seconds: number): string {
  if (seconds > 0 && seconds < 0.05) return "< 0.1 s";
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A share as a percentage. */
export const shareText = (part: number, whole: number): string => {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  return percent > 0 && percent < 0.5 ? "< 1 %" : `${percent.toFixed(0)} %`;
};

/** A number and its noun. */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** An ISO time as one reads it, in UTC: the report is the same on every machine. */
export function timeText(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** The first digits of a digest. */
export const shortDigest = (digest: string): string => digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
