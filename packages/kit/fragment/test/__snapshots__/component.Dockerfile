# strata:stage build-sample
FROM toolchain AS build-sample
ARG THING_VERSION="1.0"
ARG PG_MAJOR
COPY --from=build-setup-postgresql /out/ /
RUN --mount=type=tmpfs,target=/mnt \
    --mount=type=bind,source=fragments/setup-base/setup,target=/mnt/setup/setup-base \
    --mount=type=bind,source=fragments/setup-toolchain/setup/lib,target=/mnt/setup/setup-toolchain/lib \
    --mount=type=bind,source=fragments/sample/setup/build,target=/mnt/setup/sample/build \
    --mount=type=bind,source=sources/sample,target=/mnt/sources \
    --mount=type=secret,id=apt-sources,target=/mnt/secrets/apt-sources \
    --mount=type=secret,id=apt-conf,target=/mnt/secrets/apt-conf \
    BUILD_PACKAGES="libicu-dev libz-dev" bash /mnt/setup/sample/build/build.sh
# strata:image
ARG PG_MAJOR
RUN --mount=type=tmpfs,target=/mnt \
    --mount=type=bind,source=fragments/setup-base/setup,target=/mnt/setup/setup-base \
    --mount=type=bind,source=fragments/sample/setup,target=/mnt/setup/sample \
    --mount=type=secret,id=apt-sources,target=/mnt/secrets/apt-sources \
    --mount=type=secret,id=apt-conf,target=/mnt/secrets/apt-conf \
    RUNTIME_PACKAGES="libz1" bash /mnt/setup/sample/install.sh
# strata:component
COPY --from=build-sample /out/ /
