import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-base",
  module: import.meta.url,
  summary: "User 999, locale, time zones and CA certificates",
  options: {
    user: option.string({
      arg: "CONTAINER_USER",
      default: "app",
      pattern: "[a-z_][a-z0-9_-]{0,31}",
      text: "Name of user and group 999",
    }),
    home: option.string({
      arg: "CONTAINER_HOME",
      default: "/var/lib/app",
      pattern: "/[A-Za-z0-9/_.-]+",
      text: "Home of that user",
    }),
    locale: option.string({
      arg: "CONTAINER_LOCALE",
      default: "en_US",
      pattern: "[a-z]{2,3}_[A-Z]{2}",
      text: "Locale that is generated, in UTF-8",
    }),
  },
  setup: {
    install: "install.sh",
    imageEnv: { LANG: "${CONTAINER_LOCALE}.utf8" },
  },
});
