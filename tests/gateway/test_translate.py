"""What two parties could frame or read differently never gets past the head."""

import pytest

from tests.gateway.bed import bed, run
from tests.gateway.http2 import H2Agent


@pytest.mark.parametrize("method", ["DELETE /victim HTTP/1.1", "GET,POST", "G(ET", "PUT\t/x"])
def test_a_method_that_is_no_token_never_reaches_a_service(method: str) -> None:
    """h2 carries it in a field of its own; written into an HTTP/1 request line it is a request to
    another path than the one that was decided."""

    async def story() -> None:
        async with bed() as it:
            agent = await H2Agent.open(it)
            number = agent.ask(method, "/safe")
            await agent.until(lambda: number in agent.ended | agent.reset)
            assert agent.statuses.get(number) == 400
            assert not it.service.raw
            agent.writer.close()

    run(story)
