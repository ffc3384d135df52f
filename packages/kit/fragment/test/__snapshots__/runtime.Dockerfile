# strata:stage sample
FROM scratch AS sample
COPY --chmod=0755 fragments/sample/rootfs/ /
COPY --chmod=0644 ["fragments/sample/rootfs/etc/app/other.conf", "fragments/sample/rootfs/etc/app/plain.conf", "/etc/app/"]
COPY --chmod=0640 ["fragments/sample/rootfs/etc/app/secret.conf", "/etc/app/"]
COPY --chmod=0644 ["fragments/sample/rootfs/etc/with space/it's.conf", "/etc/with space/"]
COPY --chmod=0644 ["fragments/sample/rootfs/opt/container/environment.d/sample.contract", "/opt/container/environment.d/"]

# strata:image
COPY --from=sample / /
ENV DATA="/data"
LABEL "com.example.price"="5 \$ \"net\""
EXPOSE 5432 8008
VOLUME ["/data"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["/bin/check", "--fast"]
ENTRYPOINT ["/opt/container/run.sh"]
CMD ["serve", "--now"]
