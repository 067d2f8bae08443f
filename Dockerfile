# The bot, without the embedded servers: DATABASE_URL and REDIS_URL have to be set.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0

WORKDIR /app

COPY requirements-prod.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-prod.lock

COPY pyproject.toml ./
COPY bot ./bot
COPY flows ./flows
COPY storage ./storage
COPY sql ./sql
RUN python -m compileall -q bot flows storage \
    && useradd --system --no-create-home usual

USER usual
EXPOSE 8080
CMD ["python", "-m", "bot", "serve"]
