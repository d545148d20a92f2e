"""Who may open which socket: the rows of the access matrix that need a running server."""

import asyncio

import pytest

from tests.sessions_app.live.clients import join_cookie, page, sign_in_cookie
from tests.sessions_app.live.conftest import Server
from tests.world import WHO, World

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = """
#                   nobody sam  tia  alice bob charlie rosa rolf ada aron root
teacher session_id      4401 4401 4401 open 4404 4404 4403 4403 open 4404 open
teacher over            4401 4401 4401 open 4404 4404 4403 4403 open 4404 open
teacher draft           4401 4401 4401 4404 4404 4404 4403 4403 4404 4404 4404
teacher student_id      4401 4401 4401 4404 4404 4404 4403 4403 4404 4404 4404
student student_session 4401 open 4401 4401 4401 4401 4401 4401 4401 4401 4401
student session_id      4401 4401 4401 4401 4401 4401 4401 4401 4401 4401 4401
"""
"""A key that is not of a session's kind stands for one that does not exist."""


def cookies(world: World) -> dict[str, str]:
    tickets = {who: join_cookie(member) for who, member in world.members.items()}
    return {"nobody": ""} | tickets | {who: sign_in_cookie(user) for who, user in world.people.items()}


async def answer(server: Server, path: str, cookie: str, origin: str = "") -> str:
    """`open` where the first frame is a state, else the code with which the socket is closed."""
    async with page(server, path, cookie, origin=origin) as socket:
        receive = asyncio.ensure_future(socket.close_code())
        while not receive.done() and not socket.received:
            await asyncio.sleep(0.01)
        if socket.received and socket.received[0]["type"] == "state":
            receive.cancel()
            return "open"
        return str(await receive)


@pytest.mark.parametrize("row", [line for line in ROWS.splitlines() if line and not line.startswith("#")])
def test_a_socket_opens_for_whom_it_should(row: str, server: Server, world: World):
    kind, key, *expected = row.split()
    path, cookie = f"/ws/sessions/{world.keys[key]}/{kind}/", cookies(world)

    async def everybody() -> list[str]:
        return await asyncio.gather(*(answer(server, path, cookie[who]) for who in WHO))

    assert dict(zip(WHO, asyncio.run(everybody()), strict=True)) == dict(zip(WHO, expected, strict=True))
