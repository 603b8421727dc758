# One image for every process; what it runs is the command: scheduler, worker, db migrate ...
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/qonto-xero
COPY requirements/ requirements/
RUN pip --python /opt/qonto-xero install --no-cache-dir --require-hashes --only-binary :all: -r requirements/run.txt
COPY . .
RUN pip --python /opt/qonto-xero install --no-cache-dir --no-build-isolation --no-deps .

# Nothing of the build comes along but the environment: no pip, no sources, no tests.
FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="qonto-xero-sync" \
      org.opencontainers.image.description="Every settled Qonto transaction appears in Xero exactly once" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /opt/qonto-xero /opt/qonto-xero
COPY deploy/postgres/grants.sql /etc/qonto-xero/grants.sql
ENV PATH="/opt/qonto-xero/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that Kubernetes can see that it is not root; deploy/make_secrets.py gives it the files that it reads.
USER 10001:10001
EXPOSE 8080 8090 9100
ENTRYPOINT ["qonto-xero"]
CMD ["--help"]
