# docker build --tag shamsul .    See docs/deploying.md for how it is run. With --build-arg TORCH_INDEX=ADDRESS of PyTorch's
# packages for CPUs the image is 5 GB smaller.
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HOME=/data MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /app

ARG TORCH_INDEX=
COPY requirements.txt requirements.lock ./
# PyTorch's packages for CPUs are others than those in the lock, and so are their hashes
RUN if [ -n "$TORCH_INDEX" ]; then pip install --extra-index-url "$TORCH_INDEX" --requirement requirements.txt; \
    else pip install --require-hashes --requirement requirements.lock; fi

COPY . .
RUN useradd --system --uid 10001 --home-dir /data --create-home shamsul && chmod 700 /data
USER 10001
VOLUME /data
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]

# A missing secrets file ends the container, so that sign-in is never off by mistake. What is written after the image's
# name goes to the dashboard: --run FOLDER.
ENTRYPOINT ["sh", "-c", "test -r /run/secrets/shamsul.toml || { echo 'No secrets file: mount one at /run/secrets/shamsul.toml' >&2; exit 1; }; exec python -m streamlit run app.py --server.headless true --server.address 0.0.0.0 --secrets.files /run/secrets/shamsul.toml -- \"$@\"", "shamsul"]
