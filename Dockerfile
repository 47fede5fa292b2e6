# What the pipeline needs to run, without the project itself: see docs/cluster.md.
FROM python:3.11-slim-bookworm

# git names the version of the code; a C compiler is for compiled steps on a GPU
COPY paper/debian-packages.txt /tmp/
RUN apt-get update \
 && xargs -a /tmp/debian-packages.txt apt-get install -y --no-install-recommends gcc git libc6-dev \
 && rm -rf /var/lib/apt/lists/*

COPY requirements.txt /tmp/
RUN pip install --no-cache-dir -r /tmp/requirements.txt

# for caches, because the user of the container may have no home in it
ENV HOME=/tmp USER=user
WORKDIR /project
ENTRYPOINT ["snakemake"]
