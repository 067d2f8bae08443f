"""Which definitions of templates the fake Graph API takes, as Meta would."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.support.graph import running_graph
from tests.support.payloads import CORPUS
from tests.support.template_desk import Desk, body_text, changed, without

CREATIONS = CORPUS / "payloads_send" / "management"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    headers = {"Authorization": "Bearer x"}
    async with running_graph() as graph, aiohttp.ClientSession(headers=headers) as session:
        yield Desk(graph, session)


@pytest.mark.parametrize(
    ("body", "subcode"),
    [
        (changed("Visit Soon", "name"), None),
        (changed("TRANSACTIONAL", "category"), None),
        (changed("english", "language"), None),
        (without("components"), None),
        (changed("x" * 61, "components", 2, "text"), 2388040),
        (changed("See {{1}}", "components", 2, "text"), 2388073),
        (changed("{{1}} and {{2}}", "components", 0, "text"), 2388047),
        (without("components", 1, "example"), 2388043),
        (changed("x" * 26, "components", 3, "buttons", 0, "text"), 2388040),
        (changed("Cancel", "components", 3, "buttons", 0, "text"), None),
        (changed("ftp://example.com", "components", 3, "buttons", 2, "url"), None),
        (body_text("{{1}}, see you soon at our place", "Ana"), 2388299),
        (body_text("See you soon at our place, {{1}}", "Ana"), 2388299),
        (body_text("Hi {{1}} {{2}}, see you soon at our place", "Ana", "B"), 2388072),
        (body_text("Hi {{2}}, see you soon at our place", "Ana"), 2388072),
        (body_text("Hi {{1}} and {{2}} ok", "Ana", "B"), 2388293),
        (body_text("x" * 1025), 2388040),
    ],
)
async def test_a_definition_that_meta_refuses_is_refused(
    desk: Desk, body: dict[str, Any], subcode: int | None
) -> None:
    status, answer = await desk.create(body)
    assert (status, answer["error"]["code"]) == (400, 100), answer
    assert answer["error"].get("error_subcode") == subcode, answer
    assert ("error_user_msg" in answer["error"]) == (subcode is not None)


def creations() -> list[str]:
    found = [
        *CREATIONS.glob("post-waba-id-message-templates*"),
        *CREATIONS.glob("template*create*"),
    ]
    return sorted(path.name for path in found) or ["no collection"]


# What Meta took once and does not any more, and what is not simulated.
OLD = tuple(f"expectedtemplate{n}." for n in (1, 2, 4, 7, 9))
SHOP = ("multi-product", "catalog-template")


@pytest.mark.skipif(not CREATIONS.is_dir(), reason=f"no collection of payloads at {CREATIONS}")
@pytest.mark.parametrize("name", creations())
async def test_every_valid_creation_in_the_collection_is_accepted(desk: Desk, name: str) -> None:
    body = json.loads((CREATIONS / name).read_text())
    if body["name"].startswith("<"):
        body["name"] = "placeholder"
    status, answer = await desk.create(body)
    if any(part in name for part in SHOP):
        assert status == 501, answer
    elif any(part in name for part in OLD):
        assert status == 400, answer
    else:
        assert status == 200, answer
