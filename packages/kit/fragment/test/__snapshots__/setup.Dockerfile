# strata:image
ARG MAJOR="17"
ARG FAST="false"
RUN --mount=type=tmpfs,target=/mnt \
    --mount=type=bind,source=fragments/setup-base/setup,target=/mnt/setup/setup-base \
    --mount=type=bind,source=fragments/sample/setup,target=/mnt/setup/sample \
    --mount=type=secret,id=apt-sources,target=/mnt/secrets/apt-sources \
    --mount=type=secret,id=apt-conf,target=/mnt/secrets/apt-conf \
    bash /mnt/setup/sample/install.sh
ENV PATH="/opt/${MAJOR}/bin:${PATH}"
