# One image for every process; what it runs is the command: scheduler, worker, db migrate ...
FROM python:3.11-slim-bookworm

WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
RUN pip install --no-cache-dir --no-build-isolation --no-deps . && useradd --system qonto-xero

USER qonto-xero
ENTRYPOINT ["qonto-xero"]
CMD ["--help"]
