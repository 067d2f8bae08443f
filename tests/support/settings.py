"""Settings for a bot in a test, whatever the environment and `.env` say."""

from __future__ import annotations

from typing import Any

from bot.settings import Settings
from tests.support.graph import APP_SECRET, Graph


def settings_for(graph: Graph, database_url: str, redis_url: str, **more: Any) -> Settings:
    """Settings of a bot that serves this world."""
    values: dict[str, Any] = {
        "_env_file": None,
        "database_url": database_url,
        "redis_url": redis_url,
        "whatsapp_app_secret": APP_SECRET,
        "whatsapp_verify_token": "verify",
        "whatsapp_access_token": "token",
        "whatsapp_api_url": graph.simulator.base_url,
    }
    return Settings(**(values | more))
