# Two stages: libraries are installed from the lock in the first, the second has no
# build tools and runs as a user without rights.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/chaperone
RUN python -m venv .venv
COPY requirements/run.txt requirements/run.txt
RUN .venv/bin/pip install --quiet --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY integrations integrations
COPY checklists checklists
COPY templates templates
COPY static static
RUN .venv/bin/pip install --quiet --no-deps --no-build-isolation --editable . \
 && .venv/bin/python -m compileall -q app integrations

FROM python:${PYTHON}-slim
RUN groupadd --gid 10001 chaperone \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data \
      --shell /usr/sbin/nologin chaperone \
 && install -d -o chaperone -g chaperone -m 0700 /data /backups
COPY --from=build /srv/chaperone /srv/chaperone
# The program is read-only; what is written (also by `rehearse`) lands in /data.
WORKDIR /data
ENV PATH=/srv/chaperone/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CHAPERONE_DATA_DIR=/data
# The data, and backups, which belong on another disk.
VOLUME ["/data", "/backups"]
EXPOSE 8000
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
HEALTHCHECK --interval=15s --timeout=4s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["chaperone"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
