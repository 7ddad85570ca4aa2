FROM python:3.13-slim
RUN useradd --create-home --uid 10001 deskbridge
WORKDIR /srv/deskbridge
COPY requirements.lock pyproject.toml ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY tools tools
COPY src src
RUN .venv/bin/python -m tools.link && mkdir /data && chown deskbridge /data
USER deskbridge
ENV PATH=/srv/deskbridge/.venv/bin:$PATH DATABASE_URL=sqlite:////data/deskbridge.db UPLOAD_STORAGE_PATH=/data/uploads
VOLUME /data
EXPOSE 8002
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8002/ready', timeout=3)"
CMD ["deskbridge", "serve", "--host", "0.0.0.0"]
