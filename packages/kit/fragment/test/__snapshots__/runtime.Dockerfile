# strata:image
ADD fragments/sample.tar /
ENV DATA="/data"
LABEL "com.example.price"="5 \$ \"net\""
EXPOSE 5432 8008
VOLUME ["/data"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["/bin/check", "--fast"]
ENTRYPOINT ["/opt/container/run.sh"]
CMD ["serve", "--now"]
