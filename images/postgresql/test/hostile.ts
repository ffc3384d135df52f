// Values that somebody might put into a variable to make it more than a value.

const COMMAND = "touch /tmp/pwned";
const TABLE = "create table pwned()";

/** One line each, without control characters: PostgreSQL takes every one of them as a name and as a password. */
export const LINES: readonly string[] = [
  `$(${COMMAND})`,
  `\`${COMMAND}\``,
  `"$(${COMMAND})"`,
  `'$(${COMMAND})'`,
  `x'; ${TABLE}; --`,
  `x"; ${TABLE}; --`,
  `x\\'; ${TABLE}; --`,
  `$$; ${TABLE}; $$`,
  `\\! ${COMMAND}`,
  `\\gexec \\copy \\i`,
  `:name :'name' :"name"`,
  `a; ${COMMAND};`,
  `| ${COMMAND}`,
  `> /tmp/pwned`,
  `&& ${COMMAND} &`,
  `a[$(${COMMAND})]`,
  `\${x:=$(${COMMAND})}`,
  "-c listen_addresses=",
  "--help",
  "--show",
  "-",
  "--",
  "*",
  "*?[a-z]{1,2} ~root",
  "%s%n%p%d%%",
  "ünïcödé 数据库 🐘",
  "a\u202eb\u200bc",
  "back\\slash \\n \\x41 \\",
  "$HOME ${PATH} $$ $0",
  "a # b -- c /* d */",
  "dbname=postgres host=/tmp",
  "postgresql://a:b@c/d",
  "  two  spaces  ",
  "!! !$ ^a^b",
  '{"a":"b\\"}',
  "it's",
  'say "it"',
  "@/etc/passwd",
  "NULL",
];

/** With control characters, the first three with more than one line. */
export const CONTROLS: readonly string[] = [
  `one\n${COMMAND}`,
  `x\r\n2026-01-01T00:00:00.000Z INFO  entrypoint: nothing is wrong`,
  `x'\n; ${TABLE};\n\\! ${COMMAND}\n`,
  "tab\tand \u001b[31mcolour\u001b[0m and bell\u0007",
];

/** 64 kB each. */
export const LARGE: readonly string[] = [
  "x".repeat(65_536),
  `'"$(${COMMAND})\``.repeat(3_277).slice(0, 65_536),
  "\\".repeat(65_536),
];

export const ALL: readonly string[] = [...LINES, ...CONTROLS, ...LARGE];

/** A value short enough to read in a message. */
export const brief = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
