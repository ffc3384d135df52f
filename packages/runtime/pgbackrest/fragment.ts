import { defineFragment, env } from "@strata/fragment";

/** The options of one repository that nobody may see; pgBackRest itself marks the same ones. */
const SECRETS = {
  CIPHER_PASS: "Passphrase that encrypts the repository",
  S3_KEY: "Access key of the S3 repository",
  S3_KEY_SECRET: "Secret access key of the S3 repository",
  S3_TOKEN: "Session token of the S3 repository",
  S3_SSE_CUSTOMER_KEY: "Key that the S3 server encrypts with",
  AZURE_KEY: "Account key or SAS token of the Azure repository",
  SFTP_PRIVATE_KEY_PASSPHRASE: "Passphrase of the private key of the SFTP repository",
} as const;

const secrets = [1, 2, 3, 4].flatMap((number) =>
  Object.entries(SECRETS).map(([option, text]) => [
    `PGBACKREST_REPO${number}_${option}`,
    env.string({ secret: true, text: `${text} ${number}. On one line, without blanks at its ends.` }),
  ]),
);

export default defineFragment({
  name: "pgbackrest",
  module: import.meta.url,
  summary:
    "Archives the write-ahead log with pgBackRest from the first day, configured by its own PGBACKREST_ variables",
  dependsOn: ["postgresql", "setup-pgbackrest"],
  runtime: {
    env: {
      PGBACKREST_ENABLE: env.boolean({
        default: false,
        text: "Archive the write-ahead log with pgBackRest: its configuration is written, the stanza made and checked.",
      }),
      BACKUP_ENABLED: env.boolean({
        default: false,
        text: "The same as PGBACKREST_ENABLE, under its older name; either of them is enough.",
      }),
      PGBACKREST_STANZA: env.string({
        default: "main",
        text: "Name of this cluster in the repository: letters, digits, _, . and -.",
      }),
      "PGBACKREST_*": env.string({
        text: "An option of pgBackRest: PGBACKREST_REPO1_RETENTION_FULL sets repo1-retention-full. A list has colons between its values.",
      }),
      ...Object.fromEntries(secrets),
    },
    envPrefixes: ["PGBACKREST_", "BACKUP_"],
  },
});
